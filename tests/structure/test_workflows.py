"""What GitHub Actions would run for a fork: its files follow the schema, allow little, and call commands that exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def linted(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a linter of this virtual environment says, from what it has with it: nothing is fetched."""
    program, *more = map(str, command)
    words = [str(Path(sys.executable).with_name(program)), *more]
    return subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False)


def jobs(file: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(file.read_text())["jobs"])


def test_there_are_workflows() -> None:
    assert [file.name for file in FILES] == ["check.yml"]


@EACH
def test_it_follows_the_schema(file: Path) -> None:
    done = linted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_of_schemas_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: { a: { runs-on: ubuntu-24.04, stepz: [] } }\n")
    assert linted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", wrong).returncode == 1


@EACH
def test_it_allows_little(file: Path) -> None:
    done = linted("zizmor", "--offline", "--no-progress", "--min-severity", "low", file)
    assert done.returncode == 0, done.stdout + done.stderr


@EACH
def test_every_job_ends_and_calls_what_there_is(file: Path) -> None:
    for name, job in jobs(file).items():
        assert job["timeout-minutes"] <= 60, name
        called = re.findall(r"\bscripts/[\w-]+", " ".join(step.get("run", "") for step in job["steps"]))
        assert called, name
        assert [command for command in called if not (ROOT / command).is_file()] == [], name


def test_it_does_what_we_do_ourselves() -> None:
    ours = set(re.findall(r"^\s*(scripts/(?:check|test)[\w-]*)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    theirs = {step.get("run") for file in FILES for job in jobs(file).values() for step in job["steps"]}
    assert ours
    assert ours <= theirs
