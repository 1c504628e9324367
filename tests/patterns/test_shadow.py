"""Shadow: the caller never waits for the candidate and never hears of it."""

import asyncio

import pytest

from services.patterns.shadow import marked, shadow
from services.prediction import Prediction, PredictionRequest
from tests.patterns.answering import Model, request
from tests.patterns.virtual_time import in_virtual_time


async def settled() -> None:
    """Everything that was started has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others)


def test_the_caller_does_not_wait() -> None:
    candidate = Model("8", seconds=60)

    async def asked() -> float:
        started = asyncio.get_running_loop().time()
        await shadow(Model(seconds=0.5), candidate, most_running=1)(request())
        waited = asyncio.get_running_loop().time() - started
        await settled()
        return waited

    assert in_virtual_time(asked()) == 0.5
    assert len(candidate.asked) == 1


async def test_the_copy_has_an_id_of_its_own_and_names_the_answer() -> None:
    seen: list[Prediction] = []
    answering = marked(Model("8"))

    async def candidate(copied: PredictionRequest) -> Prediction:
        seen.append(await answering(copied))
        return seen[-1]

    given = await shadow(Model(), candidate, most_running=1)(request(3, subject="u"))
    await settled()
    assert (given.version, given.shadow_of) == ("7", None)
    assert (seen[0].version, seen[0].shadow_of, seen[0].group) == ("8", given.id, "candidate")
    assert seen[0].id != given.id


@pytest.mark.parametrize("error", [ValueError("broken"), TimeoutError()])
async def test_its_failure_is_counted_and_nothing_else(error: Exception) -> None:
    ended: list[str] = []
    prediction = await shadow(Model(), Model(error=error), most_running=1, ended=ended.append)(request())
    await settled()
    assert (prediction.version, ended) == ("7", ["failed"])


def test_beyond_the_bound_requests_are_answered_and_not_copied() -> None:
    candidate, ended = Model(seconds=60), list[str]()

    async def asked() -> None:
        predict = shadow(Model(), candidate, most_running=2, ended=ended.append)
        for _ in range(5):
            await predict(request())
        await settled()
        await predict(request())
        await settled()

    in_virtual_time(asked())
    assert len(candidate.asked) == 3
    assert ended == ["dropped"] * 3 + ["done"] * 3


async def test_a_request_that_was_not_answered_is_not_copied() -> None:
    candidate = Model()
    with pytest.raises(ValueError, match="broken"):
        await shadow(Model(error=ValueError("broken")), candidate, most_running=1)(request())
    assert candidate.asked == []


async def test_a_copy_is_not_copied() -> None:
    candidate = Model("8")
    itself = shadow(Model(), candidate, most_running=9)
    await shadow(Model(), itself, most_running=9)(request(client="kiosk"))
    await settled()
    assert candidate.asked == []


async def test_a_default_is_compared_with_nothing() -> None:
    candidate = Model("8")
    await shadow(Model(served_by_default=True), candidate, most_running=9)(request())
    await settled()
    assert candidate.asked == []
