"""Which windows a schedule has: pure, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from services.chassis.errors import BadInput, Fault

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
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:  # the first and the last hours of the calendar, in another zone
        raise ValueError(str(error)) from error


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


def wanted(schedules: Sequence[Schedule], job: str, window: str | None, now: datetime) -> tuple[Schedule, Window]:
    """The schedule and the window that somebody asks for; raises BadInput."""
    schedule = next((one for one in schedules if one.job == job), None)
    if schedule is None:
        known = ", ".join(one.job for one in schedules)
        raise BadInput("No such job.", Fault(where="job", what=f"there is no job {job[:60]}", allowed=known))
    try:
        found = Window.parse(window) if window else schedule.last(now)
    except NoWindow as error:
        raise BadInput(str(error), Fault(where="window", what=str(error), allowed="START/END")) from error
    if found.end > now:
        fault = Fault(where="window", what=f"it ends in the future: {found.end.isoformat()}", allowed="a past window")
        raise BadInput("A window that is not over holds things nobody knows yet.", fault)
    return schedule, found
