"""Whose a segment is: the lock tells, and what a dead owner left is taken over without its torn end."""

import os
from pathlib import Path

from services.spool.segments import OPEN, SEALED, adopted, create, held, moved, segments
from services.spool.writer import Spool


def dead(folder: Path, content: bytes) -> Path:
    """The open segment of a process that is no more."""
    path, file = create(folder)
    os.write(file, content)
    os.close(file)
    return path


def test_a_living_owner_keeps_its_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"{}\n")
    (path,) = segments(tmp_path, OPEN)
    assert not adopted(path)
    assert path.exists()


def test_a_dead_owner_s_segment_is_sealed_without_the_torn_record(tmp_path: Path) -> None:
    path = dead(tmp_path, b'{"id":1}\n{"id":2}\n{"id":')
    assert adopted(path)
    (sealed,) = segments(tmp_path, SEALED)
    assert sealed.stem == path.stem
    assert sealed.read_bytes() == b'{"id":1}\n{"id":2}\n'


def test_a_segment_without_a_whole_record_is_removed(tmp_path: Path) -> None:
    for content in (b"", b'{"id":'):
        assert adopted(dead(tmp_path, content))
    assert list(tmp_path.iterdir()) == []


def test_only_one_takes_it_over(tmp_path: Path) -> None:
    path = dead(tmp_path, b"{}\n")
    with held(path) as file:
        assert file is not None
        assert not adopted(path)
    assert adopted(path)
    assert not adopted(path)


def test_a_segment_that_went_on_meanwhile_is_not_held(tmp_path: Path) -> None:
    path = dead(tmp_path, b"{}\n")
    sealed = moved(path, SEALED)
    with held(path) as file:
        assert file is None
    with held(sealed) as file:
        assert file is not None


def test_segments_come_oldest_first(tmp_path: Path) -> None:
    made = [dead(tmp_path, b"{}\n") for _ in range(20)]
    assert segments(tmp_path, OPEN) == made
