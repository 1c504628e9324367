"""Programs from the system's packages: what is taken, and how they find their files."""

from pathlib import Path

import pytest

from scripts.runner import unpacking
from scripts.runner.parts import packaged


def test_of_the_dependencies_only_what_is_shown_and_promtool_is_taken() -> None:
    told = "adduser, fonts-glyphicons-halflings, libjs-jquery (>= 3.5.1~), libjs-popper.js, promtool, libc6 (>= 2.34)"
    assert unpacking.wanted(told) == ["fonts-glyphicons-halflings", "libjs-jquery", "libjs-popper.js", "promtool"]


def test_a_program_looks_for_its_files_below_where_it_is_started(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\0x/usr/share/prometheus/web\0/usr/share/other\0")
    before = program.stat().st_size
    unpacking.relocate(program)
    assert program.read_bytes() == b"\0xusr/share/prometheus//web\0/usr/share/other\0"
    assert program.stat().st_size == before


def test_without_apt_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unpacking.unpacked(tmp_path) == (
        "no apt-get here; they are used if prometheus, promtool, alertmanager, amtool are put on PATH"
    )


def test_what_is_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packaged, "FOLDER", tmp_path / "nothing")
    assert packaged.find("alertmanager") is None
    assert packaged.missing("alertmanager") == "alertmanager is neither on PATH nor offered by this system's packages"
    (tmp_path / "alertmanager").write_text("#!/bin/sh\n")
    (tmp_path / "alertmanager").chmod(0o755)
    assert packaged.program("alertmanager") == str(tmp_path / "alertmanager")


def test_where_it_listens_is_the_runner_s_to_say() -> None:
    command = ("--config.file=/c", "--web.listen-address=:8310")
    assert packaged.elsewhere(command, "127.0.0.1:1") == ("--config.file=/c", "--web.listen-address=127.0.0.1:1")
