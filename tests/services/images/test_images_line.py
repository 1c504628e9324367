"""Few pictures are worked on at once; who finds the line full is told to come again."""

import asyncio
import threading

import pytest

from services.chassis.errors import Unavailable
from services.images.line import Line


async def test_no_more_than_that_many_are_worked_on_at_once() -> None:
    line = Line(places=5, at_once=2)
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def work(raw: bytes) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(10)
        with lock:
            running -= 1
        return raw

    assert await asyncio.gather(*(line.work(work, bytes([n])) for n in range(4))) == [b"\0", b"\1", b"\2", b"\3"]
    assert most == 2


async def test_heavy_ones_come_one_by_one_and_hold_up_nobody_else() -> None:
    line = Line(places=5, at_once=2)
    heavy_runs, light_ran = threading.Event(), threading.Event()
    running = threading.Semaphore(1)

    def heavy(raw: bytes) -> bytes:
        assert running.acquire(blocking=False), "two heavy ones at once"
        heavy_runs.set()
        assert light_ran.wait(10)
        running.release()
        return raw

    def light(raw: bytes) -> bytes:
        assert heavy_runs.wait(10)
        light_ran.set()
        return raw

    work = [line.work(heavy, b"1", heavy=True), line.work(heavy, b"2", heavy=True), line.work(light, b"3")]
    assert await asyncio.gather(*work) == [b"1", b"2", b"3"]


async def test_a_full_line_turns_away_and_a_place_that_is_left_is_free_again() -> None:
    line = Line(places=1, at_once=1)
    async with line.place():
        with pytest.raises(Unavailable) as refused:
            async with line.place():
                pass
        assert refused.value.headers["Retry-After"] == "1"
    with pytest.raises(RuntimeError):
        async with line.place():
            raise RuntimeError
    async with line.place():
        pass
