"""Reads the prediction log back: from a folder of segments, whatever their state, each prediction once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.spool.record import PredictionRecord, decoded
from services.spool.segments import OPEN, SEALED, SENT, whole


def records(folder: Path) -> Iterator[PredictionRecord]:
    """Every prediction that a spool's folder holds, by segment; a torn last record is none."""
    paths = {path.stem: path for state in (OPEN, SEALED, SENT) for path in folder.glob(f"*{state}")}
    for _, path in sorted(paths.items()):
        yield from map(decoded, whole(_bytes(path)))


def _bytes(path: Path) -> bytes:
    """The segment, wherever in its life it is by now."""
    for state in (path.suffix, SEALED, SENT):
        try:
            return path.with_suffix(state).read_bytes()
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
