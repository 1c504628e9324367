"""The one signature of everything that predicts: a request in, a prediction out.

A source makes a `Predict`, a pattern wraps one, a host offers one. Nobody changes a request or a prediction: who
needs another one makes it by `replace`. (They are not frozen, because making a frozen one takes ten times as long.)
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from models.contract import Arrays
from services.chassis.errors import Unavailable
from services.chassis.ids import new_id

ServedBy = Literal["model", "default"]
DEFAULT_VERSION = "default"
OVER_LIMIT = "over_limit"
"""Parameter of a request that is to be answered by the default at once: more are asked for than the limit."""
OVERLOADED = "overloaded"
"""The same, because nobody has the time to make the tensors."""


@dataclass(slots=True, unsafe_hash=True)
class Context:
    """Who asked, as far as the host was told: what patterns choose by and the prediction log keeps."""

    request_id: str = ""
    subject: str = ""
    language: str = ""
    client: str = ""
    simulated: bool = False


NOBODY = Context()


@dataclass(slots=True)
class PredictionRequest:
    """Tensors for one model, already held against its contract."""

    model: str
    inputs: Arrays
    id: UUID = field(default_factory=new_id)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    context: Context = NOBODY

    @property
    def rows(self) -> int:
        """The batch size; 1 where there are no tensors, because nobody had the time to make them."""
        for array in self.inputs.values():
            return int(array.shape[0])
        return 1


@dataclass(slots=True)
class Prediction:
    """What was answered, and by whom."""

    id: UUID
    model: str
    version: str
    outputs: Arrays
    served_by: ServedBy = "model"
    reason: str | None = None
    group: str | None = None
    """Of an experiment, when one chose who answers."""
    experiment: str | None = None
    shadow_of: UUID | None = None
    """The prediction that was answered, of which this is a candidate's copy that nobody saw."""


Predict = Callable[[PredictionRequest], Awaitable[Prediction]]
AtOnce = Callable[[PredictionRequest], Prediction]
"""The same for a small request to a quick model: nobody waits for anything, so nothing has to be awaited."""


class NotLoaded(Unavailable):
    """The model is not loaded yet."""

    reason = "not_loaded"


class Unloaded(Unavailable):
    """An operator has taken the model out of service."""

    reason = "unloaded"


class Overloaded(Unavailable):
    """More predictions are asked for than this process can make."""

    reason = OVERLOADED


class OverLimit(Unavailable):
    """More predictions are asked for than the limit allows."""

    reason = OVER_LIMIT


class CircuitOpen(Unavailable):
    """The model failed too often and is being left alone for a while."""

    reason = "circuit_open"
