"""Which windows a schedule has: pure, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Retry = Literal["all", "partial", "none"]


class NoWindow(ValueError):
    """What was given is no window of time."""


@dataclass(frozen=True)
class Window:
    """From `start`, up to but without `end`."""

    start: datetime
    end: datetime

    @classmethod
    def parse(cls, text: str) -> "Window":
        """`START/END` in ISO 8601; a time without a zone is UTC. Raises NoWindow."""
        try:
            start, end = (_moment(part) for part in text.split("/"))
        except ValueError as error:
            raise NoWindow(f"{text[:80]!r} is no START/END in ISO 8601") from error
        if end <= start:
            raise NoWindow(f"{text!r} ends before it starts")
        return cls(start, end)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """One row of `schedules`."""

    job: str
    every: timedelta
    shift: timedelta
    deadline: timedelta
    retry: Retry
    attempts: int
    catch_up: int
    enabled: bool

    def last(self, now: datetime) -> Window:
        """The last window that is over."""
        whole = (now - EPOCH - self.shift) // self.every
        end = EPOCH + self.shift + whole * self.every
        return Window(end - self.every, end)


def due(schedule: Schedule, ran: Sequence[datetime], now: datetime) -> list[Window]:
    """The windows that nobody has run, oldest first; `ran` are the ends of those that were."""
    last = schedule.last(now)
    missing = []
    for back in range(schedule.catch_up):
        end = last.end - back * schedule.every
        if ran and end <= max(ran):
            break
        missing.append(Window(end - schedule.every, end))
    return missing[::-1]
