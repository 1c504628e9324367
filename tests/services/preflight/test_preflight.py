"""What is in the way is told before anything is started."""

from pathlib import Path

import pytest

from services.chassis.settings import Unusable
from services.preflight.main import run, too_little_memory, total_gb, unknown_models


def meminfo(folder: Path, kilobytes: int) -> Path:
    file = folder / "meminfo"
    file.write_text(f"MemTotal:       {kilobytes} kB\nMemFree:  1 kB\n")
    return file


def test_models_that_are_there_are_fine() -> None:
    assert list(unknown_models("image_screening, text_violation,")) == []
    assert list(unknown_models("")) == []


def test_a_model_that_is_not_there_is_named_beside_those_that_are() -> None:
    (told,) = unknown_models("image_screening,text_violaton")
    assert told.startswith("REQUIRED_MODELS=image_screening,text_violaton: text_violaton is none of ")
    assert "text_violation" in told


def test_a_small_machine_is_told_what_to_do(tmp_path: Path) -> None:
    (told,) = too_little_memory(4.0, meminfo(tmp_path, 2_000_000))
    assert "gives 2.0 GB" in told
    assert "4 are needed" in told
    assert "MEMORY_GB" in told


def test_what_the_kernel_keeps_is_not_held_against_a_machine(tmp_path: Path) -> None:
    assert list(too_little_memory(4.0, meminfo(tmp_path, 3_850_000))) == []


def test_a_system_that_does_not_tell_is_believed(tmp_path: Path) -> None:
    assert total_gb(tmp_path / "meminfo") is None
    assert list(too_little_memory(4.0, tmp_path / "meminfo")) == []


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRED_MODELS", "nobody,nothing")
    monkeypatch.setenv("MEMORY_GB", "1000000")
    with pytest.raises(Unusable) as refused:
        run([])
    assert [line.split(":")[0] for line in str(refused.value).splitlines()][:2] == [
        "REQUIRED_MODELS=nobody,nothing"
    ] * 2
    assert "1e+06 are needed" in str(refused.value)
