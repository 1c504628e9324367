"""Arrows only go pipelines -> models <- services, and nothing happens on import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY = {
    "models": {"models"},
    "pipelines": {"pipelines", "models"},
    "services": {"services", "models"},
    "scripts": {"scripts"},
    "dashboards": {"dashboards"},
}
NEVER = {
    "models": {"torch", "fastapi", "starlette", "sklearn", "dvc", "mlflow"},
    "services": {"torch", "sklearn", "dvc", "onnx", "skl2onnx", "pandas", "matplotlib"},
}
KNOWN_ARROWS = {
    ("scripts/runner", "services.chassis.ports"),
    ("scripts/containers", "services.chassis.ports"),
    ("scripts/benchmarks", "models.contract"),
    ("scripts/benchmarks", "services.inference_sync"),
    *(
        (f"scripts/benchmarks/{file}", name)
        for file, names in {
            "corpus.py": ("models.image_screening.contract", "services.contracts"),
            "own_postgres.py": ("services.chassis.ports", "services.chassis.roles", "services.migrate.main"),
            "search.py": (
                "models.image_screening.contract",
                "services.chassis.backends",
                "services.chassis.database",
                "services.chassis.settings",
                "services.search",
                "services.search.asking",
                "services.search.finding",
                "services.search.lexemes",
                "services.search.words",
                "services.texts.main",
                "services.texts.terms",
            ),
        }.items()
        for name in names
    ),
}
"""Both ways to run need the one list of ports; the serving bench makes a small model and speaks the same protocol; that
of search fills an index by the platform's own code and asks it so."""
OWN_VENV = "services/mlflow/"
"""The MLflow server runs in a venv of its own."""
WORK = {
    *("connect", "connect_async", "AsyncClient", "Client", "ConnectionPool", "AsyncConnectionPool", "create_engine"),
    *("InferenceSession", "KafkaProducer", "KafkaConsumer", "mkdir", "write_text", "write_bytes", "read_text"),
    *("read_bytes", "run", "Popen", "urlopen", "Settings"),
}


def modules(top: str) -> list[tuple[str, ast.Module]]:
    found = sorted((ROOT / top).rglob("*.py"))
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in found]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("top", MAY)
def test_arrows(top: str) -> None:
    wrong = [(path, name) for path, tree in modules(top) for name in imported(tree) if not _allowed(top, path, name)]
    assert not wrong


def _allowed(top: str, path: str, name: str) -> bool:
    if any(path.startswith(place) and name == target for place, target in KNOWN_ARROWS):
        return True
    first = name.split(".")[0]
    forbidden = set() if path.startswith(OWN_VENV) else NEVER.get(top, set())
    return (first not in MAY or first in MAY[top]) and first not in forbidden


def calls_on_import(tree: ast.Module) -> Iterator[str]:
    """Names of the calls at module level; functions, classes and `if __name__` are not entered."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                function = node.func
                yield function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize("top", MAY)
def test_nothing_happens_on_import(top: str) -> None:
    # Alembic runs its versions by importing them.
    files = [(path, tree) for path, tree in modules(top) if "/migrations/" not in path]
    done = {path: set(calls_on_import(tree)) & WORK for path, tree in files}
    assert not {path: calls for path, calls in done.items() if calls}
