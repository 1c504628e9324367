"""`scripts/new-predictor`: what it makes passes its own tests, and everybody else's rules."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.scaffold.predictor import NotPossible, scaffold

ROOT = Path(__file__).parents[2]
NAMES = ("late_delivery", "a1")
"""Imports are sorted, and so their order depends on the name."""
SOURCES = ("models", "pipelines", "services", "scripts", "tests")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with a predictor of its own."""
    root = tmp_path_factory.mktemp("copy")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for name in NAMES:
        scaffold(name, root)
    return root


def run(copy: Path, *arguments: str) -> None:
    found = subprocess.run([sys.executable, "-m", *arguments], cwd=copy, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]


def test_what_it_makes_passes_its_tests_and_keeps_the_import_rule(copy: Path) -> None:
    tests = [f"tests/models/test_{NAMES[0]}.py", "tests/structure/test_imports.py"]
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", "-k", "not scripts", *tests)


def test_what_it_makes_is_linted_formatted_and_typed(copy: Path) -> None:
    made = [path for name in NAMES for path in (f"models/{name}", f"pipelines/{name}", f"tests/models/test_{name}.py")]
    run(copy, "ruff", "check", "--no-cache", *made)
    run(copy, "ruff", "format", "--no-cache", "--check", *made)
    run(copy, "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache" / "scaffold"), *made)


@pytest.mark.parametrize("wrong", ["", "Late", "late-delivery", "1st", "class", "a/b", "x" * 60])
def test_what_is_no_name_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match="is no name"):
        scaffold(wrong, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    scaffold("late_delivery", tmp_path)
    with pytest.raises(NotPossible, match=r"there already: .*contract\.py"):
        scaffold("late_delivery", tmp_path)
