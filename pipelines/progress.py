"""Progress of a long stage: a bar on a terminal, else a line now and then that the trainer reads.

progress model=text_violation stage=train done=40 total=200 what=fitting
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.progress import track

Thing = TypeVar("Thing")
SECONDS_BETWEEN_LINES = 2.0


def progress(iterable: Iterable[Thing], total: int, what: str) -> Iterator[Thing]:
    """The same things, while showing how many of them are done."""
    if sys.stdout.isatty():
        return iter(track(iterable, description=what, total=total))
    return lines(iterable, total, what)


def lines(
    iterable: Iterable[Thing],
    total: int,
    what: str,
    clock: Callable[[], float] = time.monotonic,
    say: Callable[[str], None] = lambda line: print(line, flush=True),
) -> Iterator[Thing]:
    """One line at the start, one at the end, and in between at most one every 2 s."""
    model, stage = running()
    start = f"progress model={model} stage={stage}"
    done, said = 0, clock()
    say(f"{start} done=0 total={total} what={what}")
    for done, thing in enumerate(iterable, 1):
        yield thing
        now = clock()
        if done < total and now - said >= SECONDS_BETWEEN_LINES:
            said = now
            say(f"{start} done={done} total={total} what={what}")
    say(f"{start} done={done} total={total} what={what}")


def running() -> tuple[str, str]:
    """Model and stage, from the module that was started: `python -m pipelines.MODEL.STAGE`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    parts = (spec.name if spec else "").split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "pipelines" else ("-", "-")
