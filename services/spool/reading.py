"""Reads the prediction log back: from a folder of segments, whatever their state, each prediction once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.spool.record import PredictionRecord, decoded
from services.spool.segments import OPEN, SEALED, SENT, located, segments, whole


def records(folder: Path) -> Iterator[PredictionRecord]:
    """Every prediction that a spool's folder holds, by segment; a torn last record is none."""
    # In the order of their life: what moves on meanwhile is seen twice, not overlooked.
    paths = [path for state in (OPEN, SEALED, SENT) for path in segments(folder, state)]
    seen = set()
    for path in sorted(paths, key=lambda path: path.stem):
        if path.stem not in seen:
            seen.add(path.stem)
            yield from map(decoded, whole(_bytes(path, folder)))


def _bytes(path: Path, folder: Path) -> bytes:
    """The segment, wherever in its life it is by now."""
    for place in (path, *(located(folder / path.name, state) for state in (SEALED, SENT))):
        try:
            return place.read_bytes()
        except FileNotFoundError:
            continue
    return b""


def once(found: Iterable[PredictionRecord]) -> Iterator[PredictionRecord]:
    """Each prediction once: a segment may have been sent twice."""
    seen = set()
    for record in found:
        if record.id not in seen:
            seen.add(record.id)
            yield record


def for_training(found: Iterable[PredictionRecord]) -> Iterator[PredictionRecord]:
    """What may be learned from: a model's own answers, not defaults (they would teach the default), each once."""
    return (record for record in once(found) if record.served_by == "model" and record.shadow_of is None)
