"""The parts of the trainer: what belongs together, how far it is, what is copied, what cannot be outlived."""

import subprocess
import sys
from pathlib import Path

import psutil

from services.trainer import leash
from services.trainer.catalogue import needed, pipelines, strands
from services.trainer.progress import Progress
from services.trainer.workspace import synchronise
from tests.servers import eventually


def test_pipelines_that_share_a_stage_share_a_lane(source: Path) -> None:
    known = pipelines(source)
    assert known["toy"].stages == ("train", "register")
    assert needed("later", known) == {"later", "toy"}
    assert strands(["toy", "other", "later"], known) == [["other"], ["toy", "later"]]


def test_progress_is_read_from_what_the_stages_say(source: Path) -> None:
    known = pipelines(source)
    progress = Progress.of({name: known[name] for name in ("toy", "other")})
    progress.hear("Stage 'pipelines/toy/dvc.yaml:train' didn't change, skipping")
    assert progress.part == 1 / 4
    progress.hear("Running stage 'pipelines/other/dvc.yaml:train':")
    progress.hear("progress model=other stage=train done=30 total=60 what=drawing scenes")
    assert progress.part == 1.5 / 4
    assert progress.stage == "other/train"
    assert str(progress) == "training  38%  other/train: drawing scenes 30 of 60"
    progress.hear("Running stage 'pipelines/other/dvc.yaml:register':")
    progress.hear("registered model=other version=7 model_sha256=ab")
    progress.ended("other")
    progress.ended("toy")
    assert progress.part == 1.0
    assert progress.versions == {"other": "7"}


def copied(workspace: Path) -> set[str]:
    return {path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if path.is_file()}


def test_the_workspace_follows_the_sources_and_keeps_what_was_made(source: Path, tmp_path: Path) -> None:
    workspace, cache = tmp_path / "w", tmp_path / "cache"
    (source / "data" / "toy").mkdir(parents=True)
    (source / "data" / "toy" / "train").write_text("made in the source tree")
    (source / "data" / "gold.csv").write_text("gold")
    synchronise(source, workspace, cache)
    assert "data/gold.csv" in copied(workspace)
    assert "data/toy/train" not in copied(workspace)

    (workspace / "data" / "toy").mkdir()
    (workspace / "data" / "toy" / "train").write_text("made here")
    (source / "models" / "word.txt").write_text("two")
    (source / "data" / "gold.csv").unlink()
    synchronise(source, workspace, cache)
    assert (workspace / "models" / "word.txt").read_text() == "two"
    assert (workspace / "data" / "toy" / "train").read_text() == "made here"
    assert "data/gold.csv" not in copied(workspace)


def test_a_lock_file_is_taken_only_when_it_changed_in_the_sources(source: Path, tmp_path: Path) -> None:
    workspace, cache = tmp_path / "w", tmp_path / "cache"
    lock, copy = source / "pipelines" / "toy" / "dvc.lock", workspace / "pipelines" / "toy" / "dvc.lock"
    lock.write_text("committed")
    synchronise(source, workspace, cache)
    copy.write_text("made here")
    synchronise(source, workspace, cache)
    assert copy.read_text() == "made here"
    lock.write_text("committed later")
    synchronise(source, workspace, cache)
    assert copy.read_text() == "committed later"


def test_nothing_outlives_its_owner() -> None:
    inner = "import subprocess; subprocess.run(['sleep', '600'])"
    process = subprocess.Popen(
        [sys.executable, "-I", leash.__file__, "0", sys.executable, "-c", inner],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin
    me = psutil.Process(process.pid)
    eventually(lambda: any(child.name() == "sleep" for child in me.children(recursive=True)), "the command")
    family = [me, *me.children(recursive=True)]
    process.stdin.close()  # what the kernel does when the owner is killed
    process.wait(10)
    eventually(lambda: not any(alive(one) for one in family), "the end of all")


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_exit_code_is_the_commands() -> None:
    command = [sys.executable, "-I", leash.__file__, "0", sys.executable, "-c", "raise SystemExit(3)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait(10) == 3
