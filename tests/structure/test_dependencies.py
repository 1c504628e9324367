"""What a request depends on runs where the request does: FastAPI runs plain functions in another thread."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def depended_on(tree: ast.Module) -> Iterator[str]:
    """Names in `Depends(name)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Depends":
            yield from (given.id for given in node.args if isinstance(given, ast.Name))


def test_dependencies_are_async() -> None:
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "services").rglob("*.py"))]
    names = {name for tree in trees for name in depended_on(tree)}
    assert {"anybody", "signed_in"} <= names
    plain = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    # `own` and others are told apart by their name alone: a name has one meaning.
    assert names & plain == set()
