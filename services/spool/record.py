"""What is kept of one answered prediction: one line of JSON in a segment, one entry of a `predictions.logged` event."""

from typing import Any
from uuid import UUID

import msgspec
import orjson

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class Tensor(msgspec.Struct, frozen=True):
    """One input or output. A small one with its values; a large one by its hash or its best labels."""

    datatype: str
    shape: Any
    data: Any = None
    """Values, row-major, of a small tensor."""
    sha256: str | None = None
    """Of the bytes of a large one: equal inputs are recognised, pictures and texts are not kept."""
    top: Any = None
    """Of a large output with labels: for each row the best [label, score]."""


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who was answered what, by which version, and why."""

    id: UUID
    """The prediction's, as in the answer."""
    at: int
    """When it was answered: nanoseconds since 1970."""
    model: str
    version: str
    served_by: str
    """`model` or `default`. Nothing is learned from defaults."""
    reason: str | None = None
    """Why the default answered; `cached` when a model's answer was given again."""
    experiment: str | None = None
    group: str | None = None
    """Of the experiment: who answered this subject."""
    shadow_of: UUID | None = None
    """The answered prediction, where this is a candidate's copy that nobody saw."""
    request_id: str = ""
    subject: str = ""
    """Who asked: the UUID of a token, never a name."""
    language: str = ""
    client: str = ""
    simulated: bool = False
    rows: int = 1
    ms: float = 0.0
    """Time to answer."""
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}

    @property
    def cached(self) -> bool:
        """Whether the answer had been given before."""
        return self.reason == "cached"


def encoded(fields: dict[str, Any]) -> bytes:
    """The fields of a record as a line. They come as a dict: making an object first would double the time."""
    return orjson.dumps(fields, option=_OPTIONS)


_decoder = msgspec.json.Decoder(PredictionRecord)


def decoded(line: bytes) -> PredictionRecord:
    """The record of a line; fields of a later version are passed over. Raises ValueError."""
    return _decoder.decode(line)


def of_event(entry: dict[str, Any]) -> PredictionRecord:
    """The record of an event's entry. Raises ValueError."""
    return msgspec.convert(entry, PredictionRecord)
