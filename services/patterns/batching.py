"""Batching: requests that come while the model is busy wait for each other and go to it together.

Nobody waits for company: who comes while the model is free is answered alone, at once. And it is only done where it
helps: a batch that took as long a row as one alone is followed by single requests, until it is tried again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field
from pydantic_settings import BaseSettings

from services.prediction import Predict, Prediction, PredictionRequest
from services.wiring import Wiring

WORTH = 0.9
"""A row in a batch must take at most this part of the time that one alone takes."""
TRY_AGAIN = 50
"""After so many single requests a batch is tried again: the model or the load may have changed."""


class BatchingParameters(BaseSettings):
    """Parameters of the pattern."""

    rows: int = Field(16, ge=1, description="Most rows that go to the model together.")
    at_once: int = Field(1, ge=1, description="How many calls of the model may be under way.")


Place = tuple[PredictionRequest, "asyncio.Future[Prediction]"]


class Gain:
    """Whether batches are worth it, from how long a row took alone and in company."""

    def __init__(self) -> None:
        self._alone = self._together = 0.0
        self._since = 0

    def worth(self) -> bool:
        """Also now and then to find out."""
        known = self._alone and self._together
        return not known or self._together < WORTH * self._alone or self._since >= TRY_AGAIN

    def took(self, requests: int, rows: int, seconds: float) -> None:
        """Recent calls count more than old ones."""
        row = seconds / rows
        if requests == 1:
            self._alone, self._since = 0.8 * (self._alone or row) + 0.2 * row, self._since + 1
        else:
            self._together, self._since = 0.8 * (self._together or row) + 0.2 * row, 0


def batching(
    predict: Predict, *, rows: int, at_once: int = 1, timer: Callable[[], float] = time.perf_counter
) -> Predict:
    """The same, together where that is quicker. A batch that fails, fails for each of its requests."""
    waiting: deque[Place] = deque()
    running: set[asyncio.Task[None]] = set()
    gain = Gain()

    async def answered(request: PredictionRequest) -> Prediction:
        place: Place = (request, asyncio.get_running_loop().create_future())
        waiting.append(place)
        start()
        return await place[1]

    def start() -> None:
        while waiting and len(running) < at_once:
            task = asyncio.create_task(run(company(waiting, rows if gain.worth() else 1)))
            running.add(task)
            task.add_done_callback(ended)

    def ended(task: asyncio.Task[None]) -> None:
        running.discard(task)
        start()

    async def run(places: Sequence[Place]) -> None:
        started = timer()
        try:
            predictions = await together(predict, [request for request, _ in places])
        except Exception as error:
            for _, future in places:
                if not future.done():
                    future.set_exception(error)
            return
        gain.took(len(places), sum(request.rows for request, _ in places), timer() - started)
        for (_, future), prediction in zip(places, predictions, strict=True):
            if not future.done():  # its caller may have given up
                future.set_result(prediction)

    return answered


def company(waiting: deque[Place], rows: int) -> list[Place]:
    """The first that waits, and those behind it that fit with it."""
    places = [waiting.popleft()]
    taken = places[0][0].rows
    while waiting and taken + waiting[0][0].rows <= rows and alike(places[0][0], waiting[0][0]):
        places.append(waiting.popleft())
        taken += places[-1][0].rows
    return places


def alike(one: PredictionRequest, other: PredictionRequest) -> bool:
    """Whether two requests can be one: the same tensors, rows aside, and the same wishes."""
    if one.parameters != other.parameters or one.inputs.keys() != other.inputs.keys():
        return False
    return all(array.shape[1:] == other.inputs[name].shape[1:] for name, array in one.inputs.items())


async def together(predict: Predict, requests: Sequence[PredictionRequest]) -> list[Prediction]:
    """One call for all of them, and to each its own rows."""
    first = requests[0]
    if len(requests) == 1:
        return [await predict(first)]
    inputs = {name: np.concatenate([request.inputs[name] for request in requests]) for name in first.inputs}
    whole = await predict(replace(first, inputs=inputs))
    ends = np.cumsum([request.rows for request in requests]).tolist()
    return [
        replace(
            whole, id=request.id, outputs={n: array[end - request.rows : end] for n, array in whole.outputs.items()}
        )
        for request, end in zip(requests, ends, strict=True)
    ]


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(BatchingParameters, "batching")
    return batching(predict, rows=parameters.rows, at_once=parameters.at_once)
