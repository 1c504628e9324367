"""What is asked at the same time goes in one call, and nobody fails for another one's question."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis.gathering import Gathered


async def doubled(calls: list[list[int]], numbers: Sequence[int]) -> list[int]:
    """A call that refuses negative numbers."""
    calls.append(list(numbers))
    await asyncio.sleep(0)
    if min(numbers) < 0:
        raise ValueError("negative")
    return [2 * number for number in numbers]


async def test_everybody_gets_their_own_answer_in_few_calls() -> None:
    calls: list[list[int]] = []
    gathered = Gathered[int, int](lambda numbers: doubled(calls, numbers), most=8)
    assert await asyncio.gather(*(gathered.ask(n) for n in range(20))) == [2 * n for n in range(20)]
    assert [len(call) for call in calls] == [8, 8, 4]


async def test_a_single_question_is_asked_at_once() -> None:
    calls: list[list[int]] = []
    gathered = Gathered[int, int](lambda numbers: doubled(calls, numbers), most=8)
    assert await gathered.ask(1) == 2
    assert await gathered.ask(2) == 4
    assert calls == [[1], [2]]


async def test_only_the_one_who_asked_wrongly_fails() -> None:
    calls: list[list[int]] = []
    gathered = Gathered[int, int](lambda numbers: doubled(calls, numbers), most=8)
    answers = await asyncio.gather(*(gathered.ask(n) for n in (1, -1, 3)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 6


async def test_weather_is_everybodys_and_the_next_goes_on() -> None:
    calls, away = list[list[int]](), True

    async def call(numbers: Sequence[int]) -> list[int]:
        if away:
            calls.append(list(numbers))
            raise ConnectionError("away")
        return await doubled(calls, numbers)

    gathered = Gathered[int, int](call, most=8)
    answers = await asyncio.gather(*(gathered.ask(n) for n in (1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    away = False
    assert await gathered.ask(3) == 6
    assert calls == [[1, 2], [3]]


async def test_who_goes_away_disturbs_nobody() -> None:
    calls: list[list[int]] = []
    gathered = Gathered[int, int](lambda numbers: doubled(calls, numbers), most=8)
    leaving, staying = asyncio.create_task(gathered.ask(1)), asyncio.create_task(gathered.ask(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
