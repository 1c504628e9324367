"""Where a version comes from is read right, whatever shape the repository is in."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import lineage
from pipelines.lineage import UntrackedData
from pipelines.parameters import read_yaml

LOCK = """\
stages:
  train:
    deps:
    - {{path: data/toy.csv, md5: {file}, size: 4}}
    - {{path: data/folder, md5: {folder}, size: 9, nfiles: 2}}
    - {{path: pipelines/toy/train.py, md5: 0, size: 1}}
"""


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ayaka", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the sources of a toy, committed."""
    if shutil.which("git") is None:
        pytest.skip("no git to make a repository with")
    root = tmp_path / "repository"
    put(root / "models" / "contract.py", "promise = 1\n")
    put(root / "models" / "toy" / "features.py", "import numpy\n")
    put(root / "models" / "toy" / "card.md", "# Toy\n")
    put(root / "models" / "stranger" / "features.py", "")
    put(root / "pipelines" / "toy" / "train.py", "from pipelines.scenes import draw\n")
    put(root / "pipelines" / "toy" / "dvc.lock", "schema: '2.0'\n")
    put(root / "pipelines" / "scenes" / "draw.py", "")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Begin")
    return root


def state(root: Path) -> lineage.Revision:
    return lineage.revision(root, "toy", root)


def test_sources_are_the_shared_the_own_and_what_these_import(root: Path) -> None:
    assert [path.as_posix() for path in lineage.sources(root, "toy")] == [
        "models/contract.py",
        "models/toy/features.py",
        "pipelines/scenes/draw.py",
        "pipelines/toy/train.py",
    ]


def test_committed_sources_are_clean(root: Path) -> None:
    assert state(root) == lineage.Revision(git(root, "rev-parse", "HEAD"), dirty=False)


def edited(root: Path) -> None:
    put(root / "pipelines" / "scenes" / "draw.py", "colour = 'red'\n")


def added(root: Path) -> None:
    put(root / "pipelines" / "toy" / "params.yaml", "train: {}\n")


def removed(root: Path) -> None:
    (root / "models" / "toy" / "features.py").unlink()


def without_index(root: Path) -> None:
    (root / ".git" / "index").unlink()


@pytest.mark.parametrize("change", [edited, added, removed, without_index])
def test_sources_that_differ_are_dirty(root: Path, change: Callable[[Path], None]) -> None:
    change(root)
    assert state(root).dirty


def test_what_the_pipeline_writes_and_other_models_do_not_count(root: Path) -> None:
    put(root / "pipelines" / "toy" / "dvc.lock", "changed\n")
    put(root / "models" / "toy" / "card.md", "# Toy, again\n")
    put(root / "models" / "stranger" / "features.py", "x = 1\n")
    assert not state(root).dirty


def test_a_workspace_with_other_sources_is_dirty(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "workspace", ignore=shutil.ignore_patterns(".git"))
    assert not lineage.revision(root, "toy", tmp_path / "workspace").dirty
    put(tmp_path / "workspace" / "models" / "toy" / "features.py", "import scipy\n")
    assert lineage.revision(root, "toy", tmp_path / "workspace").dirty


def test_the_commit_is_read_from_packed_refs_and_from_a_linked_work_tree(root: Path, tmp_path: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    git(root, "pack-refs", "--all")
    assert state(root).commit == commit
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert state(tmp_path / "side") == lineage.Revision(commit, dirty=False)
    git(root, "checkout", "-q", "--detach")
    assert state(root).commit == commit


def test_head_refs_and_index_are_enough(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    shutil.rmtree(root / ".git" / "objects")
    assert state(root) == lineage.Revision(commit, dirty=False)


def test_without_a_repository_nothing_is_known(root: Path) -> None:
    shutil.rmtree(root / ".git")
    assert state(root) == lineage.Revision("unknown", dirty=True)


def test_the_author_is_who_git_knows(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("MODEL_AUTHOR", "Somebody")
    assert lineage.author(root) == "Ayaka"  # who committed
    git(root, "config", "user.name", "Ayaka Mori")
    assert lineage.author(root) == "Ayaka Mori"
    shutil.rmtree(root / ".git")
    assert lineage.author(root) == "Somebody"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A workspace whose lock file records its data by the hashes DVC itself gives."""
    put(tmp_path / "data" / "toy.csv", "a,b\n")
    put(tmp_path / "data" / "folder" / "b.txt", "bee")
    put(tmp_path / "data" / "folder" / "a" / "c.txt", "sea")
    for arguments in (["init", "-q", "--no-scm"], ["add", "-q", "data/toy.csv", "data/folder"]):
        subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=tmp_path, check=True)
    known = {n: read_yaml(tmp_path / "data" / f"{n}.dvc")["outs"][0]["md5"] for n in ("toy.csv", "folder")}
    put(tmp_path / "pipelines" / "toy" / "dvc.lock", LOCK.format(file=known["toy.csv"], folder=known["folder"]))
    return tmp_path


def test_tracked_data_has_a_hash_and_changed_data_is_refused(data: Path) -> None:
    before = lineage.data_hash(data, "toy")
    assert before == lineage.data_hash(data, "toy")
    put(data / "data" / "folder" / "b.txt", "wasp")
    with pytest.raises(UntrackedData, match="data/folder differs"):
        lineage.data_hash(data, "toy")


@pytest.mark.parametrize("lock", ["", "stages: {prepare: {}}", "stages: {train: {deps: []}}"])
def test_data_that_no_lock_file_records_is_refused(tmp_path: Path, lock: str) -> None:
    put(tmp_path / "pipelines" / "toy" / "dvc.lock", lock)
    with pytest.raises(UntrackedData):
        lineage.data_hash(tmp_path, "toy")


def test_pins_are_read_from_lock_files(tmp_path: Path) -> None:
    put(tmp_path / "requirements" / "a.txt", "numpy==2.4.6\n    # via x\npsycopg[binary]==3.3.9 ; python_version>'3'\n")
    assert lineage.pins(tmp_path) == {"numpy": "2.4.6", "psycopg": "3.3.9"}
