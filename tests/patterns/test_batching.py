"""Who comes while the model is busy goes together; everybody gets the own rows; only where it is quicker."""

import asyncio
from typing import Any

import numpy as np
import pytest

from services.patterns.batching import TRY_AGAIN, batching
from services.prediction import Prediction, PredictionRequest


def request(*values: float, **more: Any) -> PredictionRequest:
    return PredictionRequest("tiny", {"x": np.array([[value] for value in values], np.float32)}, **more)


class Model:
    """Doubles; answers when it is told to. Its clock says how long a call took."""

    def __init__(self, alone: float = 1.0, row: float = 0.1) -> None:
        self.batches: list[list[float]] = []
        self.go = asyncio.Event()
        self.now, self._alone, self._row = 0.0, alone, row
        self.broken = False

    async def __call__(self, request: PredictionRequest) -> Prediction:
        x = request.inputs["x"]
        self.batches.append(x[:, 0].tolist())
        await self.go.wait()
        self.now += self._alone + self._row * len(x)
        if self.broken:
            raise RuntimeError("broken")
        return Prediction(request.id, "tiny", "1", {"y": x * 2})


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_comes_first_does_not_wait_for_company() -> None:
    model = Model()
    predict = batching(model, rows=8, timer=lambda: model.now)
    task = asyncio.ensure_future(predict(request(1)))
    await turns()
    assert model.batches == [[1]]
    model.go.set()
    assert (await task).outputs["y"].tolist() == [[2]]


async def test_who_comes_meanwhile_goes_together_and_gets_the_own_rows() -> None:
    model = Model()
    predict = batching(model, rows=8, timer=lambda: model.now)
    asked = [request(1), request(2), request(3, 4), request(5)]
    tasks = [asyncio.ensure_future(predict(one)) for one in asked]
    await turns()
    model.go.set()
    answers = await asyncio.gather(*tasks)
    assert model.batches == [[1], [2, 3, 4, 5]]
    assert [answer.outputs["y"][:, 0].tolist() for answer in answers] == [[2], [4], [6, 8], [10]]
    assert [answer.id for answer in answers] == [one.id for one in asked]


async def test_a_batch_has_at_most_so_many_rows() -> None:
    model = Model()
    predict = batching(model, rows=3, timer=lambda: model.now)
    tasks = [asyncio.ensure_future(predict(request(*range(rows)))) for rows in (1, 2, 2, 1, 5)]
    await turns()
    model.go.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in model.batches] == [1, 2, 3, 5]


async def test_only_what_is_alike_goes_together() -> None:
    model = Model()
    predict = batching(model, rows=8, timer=lambda: model.now)
    other = PredictionRequest("tiny", {"x": np.zeros((1, 2), np.float32)})
    asked = [request(1), request(2), request(3, parameters={"priority": 1}), other, request(4)]
    tasks = [asyncio.ensure_future(predict(one)) for one in asked]
    await turns()
    model.go.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in model.batches] == [1, 1, 1, 1, 1]


async def test_several_calls_may_be_under_way() -> None:
    model = Model()
    predict = batching(model, rows=8, at_once=2, timer=lambda: model.now)
    tasks = [asyncio.ensure_future(predict(request(value))) for value in (1, 2, 3, 4)]
    await turns()
    assert model.batches == [[1], [2]]
    model.go.set()
    await asyncio.gather(*tasks)
    assert model.batches[2:] == [[3, 4]]


@pytest.mark.parametrize(("alone", "row", "batches"), [(1.0, 0.01, True), (0.0, 1.0, False)])
async def test_batches_are_made_where_they_are_quicker(alone: float, row: float, batches: bool) -> None:
    model = Model(alone, row)
    model.go.set()
    predict = batching(model, rows=4, timer=lambda: model.now)
    await asyncio.gather(*(predict(request(value)) for value in range(5)))
    model.batches.clear()
    await asyncio.gather(*(predict(request(value)) for value in range(5)))
    assert (max(map(len, model.batches)) > 1) is batches


async def test_now_and_then_a_batch_is_tried_again() -> None:
    model = Model(alone=0.0, row=1.0)
    model.go.set()
    predict = batching(model, rows=4, timer=lambda: model.now)
    await asyncio.gather(*(predict(request(value)) for value in range(5)))
    model.batches.clear()
    await asyncio.gather(*(predict(request(value)) for value in range(TRY_AGAIN + 10)))
    assert sum(len(batch) > 1 for batch in model.batches) == 1


async def test_a_batch_that_fails_fails_for_each_and_the_next_is_tried() -> None:
    model = Model()
    model.broken = True
    predict = batching(model, rows=8, timer=lambda: model.now)
    tasks = [asyncio.ensure_future(predict(request(value))) for value in (1, 2, 3)]
    await turns()
    model.go.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RuntimeError] * 3
    model.broken = False
    assert (await predict(request(4))).outputs["y"].tolist() == [[8]]


async def test_who_gives_up_does_not_disturb_the_others() -> None:
    model = Model()
    predict = batching(model, rows=8, timer=lambda: model.now)
    tasks = [asyncio.ensure_future(predict(request(value))) for value in (1, 2, 3)]
    await turns()
    tasks[1].cancel()
    model.go.set()
    assert (await tasks[2]).outputs["y"].tolist() == [[6]]
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
