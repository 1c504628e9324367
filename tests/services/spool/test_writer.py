"""The writing end: a record is on disk when `append` returns, and an answer never fails for want of room."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.spool.segments import OPEN, SEALED, segments, whole
from services.spool.writer import Spool


class Clock:
    """A clock that tests turn."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def line(number: int) -> bytes:
    return b'{"id":%d}\n' % number


def test_what_was_appended_is_in_the_file_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.append(line(number))
    (path,) = segments(tmp_path, OPEN)
    assert path.read_bytes() == line(0) + line(1) + line(2)
    assert spool.logged == 3


def test_a_host_that_answers_nothing_makes_no_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new")
    spool.seal_if_old()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_full_segment_is_sealed_before_it_grows_beyond_its_size(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=25)
    for number in range(5):
        spool.append(line(number))
    sealed = segments(tmp_path, SEALED)
    assert [path.read_bytes() for path in sealed] == [line(0) + line(1), line(2) + line(3)]
    assert len(segments(tmp_path, OPEN)) == 1


def test_an_old_segment_is_sealed(tmp_path: Path) -> None:
    clock = Clock()
    spool = Spool(tmp_path, segment_seconds=2, clock=clock)
    spool.append(line(0))
    clock.now += 1.9
    spool.seal_if_old()
    assert segments(tmp_path, SEALED) == []
    clock.now += 0.1
    spool.seal_if_old()
    assert len(segments(tmp_path, SEALED)) == 1
    assert segments(tmp_path, OPEN) == []


def test_what_has_no_room_is_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(tmp_path)
    spool.append(line(0))
    spool.left = 5
    spool.append(line(1))
    spool.append(line(2))
    assert spool.lost == {"full": 2}
    assert [record.action for record in caplog.records] == ["spool.lost"]  # type: ignore[attr-defined]
    spool.left = 500
    spool.append(line(3))
    (path,) = segments(tmp_path, OPEN)
    assert path.read_bytes() == line(0) + line(3)


def test_the_room_shrinks_with_every_record(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.left = 2.5 * len(line(0))
    for number in range(4):
        spool.append(line(number))
    assert (spool.logged, spool.lost["full"]) == (2, 2)


def test_a_record_larger_than_a_segment_is_not_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=20)
    spool.append(b"x" * 30 + b"\n")
    spool.append(line(1))
    assert spool.lost == {"too_large": 1}
    assert spool.logged == 1


def test_a_disk_that_is_full_in_the_middle_of_a_record_leaves_no_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, write = Spool(tmp_path), os.write
    spool.append(line(0))
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:4]))
    spool.append(line(1))
    monkeypatch.setattr(os, "write", _no_space)
    spool.append(line(2))
    monkeypatch.setattr(os, "write", write)
    spool.append(line(3))
    (path,) = segments(tmp_path, OPEN)
    assert path.read_bytes() == line(0) + line(3)
    assert (spool.logged, spool.lost["disk"]) == (2, 2)


def _no_space(file: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_is_gone_is_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    (tmp_path / "spool").rmdir()
    spool.append(line(0))
    assert spool.lost == {"disk": 1}


def test_whole_lines_only() -> None:
    assert whole(line(0) + b'{"id":') == [line(0).rstrip()]
    assert whole(b'{"id":') == []
    # What a power failure leaves of pages that never reached the disk.
    assert whole(line(0) + b"\0" * 20 + b"\n" + line(2)) == [line(0).rstrip(), line(2).rstrip()]


def test_what_is_held_is_written_by_one_write_when_the_turn_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(line(0))
    spool.holding = True
    for number in range(1, 4):
        spool.append(line(number))
    spool.holding = False
    (path,) = segments(tmp_path, OPEN)
    assert (path.read_bytes(), spool.logged) == (line(0), 1)
    writes = []

    def noted(file: int, data: bytes, write: Callable[[int, bytes], int] = os.write) -> int:
        writes.append(data)
        return write(file, data)

    monkeypatch.setattr(os, "write", noted)
    spool.flush()
    spool.flush()
    assert writes == [line(1) + line(2) + line(3)]
    assert (path.read_bytes(), spool.logged) == (b"".join(map(line, range(4))), 4)


def test_held_records_that_fit_no_more_go_into_the_next_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=25)
    spool.append(line(0))
    spool.holding = True
    for number in range(1, 4):
        spool.append(line(number))
    spool.holding = False
    spool.flush()
    assert [path.read_bytes() for path in segments(tmp_path, SEALED)] == [line(0) + line(1)]
    assert [path.read_bytes() for path in segments(tmp_path, OPEN)] == [line(2) + line(3)]
    assert spool.logged == 4


def test_where_they_cannot_be_written_together_what_can_be_is_kept_and_the_rest_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(line(0))
    spool.holding = True
    for number in range(1, 4):
        spool.append(line(number))
    spool.holding = False
    room = [len(line(0))]

    def nearly_full(file: int, data: bytes, write: Callable[[int, bytes], int] = os.write) -> int:
        part = data[: room[0]]
        room[0] -= len(part) if part == data else 0
        return write(file, part)

    monkeypatch.setattr(os, "write", nearly_full)
    spool.flush()
    (path,) = segments(tmp_path, OPEN)
    assert path.read_bytes() == line(0) + line(1)
    assert (spool.logged, spool.lost) == (2, {"disk": 2})
