"""Keeps the arithmetic the same on every run: sums of many numbers depend on how many threads share them."""

from collections.abc import Callable
from functools import wraps

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

THREADS = 2


def one_way_of_adding(work: Callable[[], None]) -> Callable[[], None]:
    """Run it with a fixed number of threads, however many cores there are."""

    @wraps(work)
    def limited() -> None:
        with threadpool_limits(THREADS):
            work()

    return limited
