"""Which windows are due: plain functions, no clock."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference_batch.windows import NoWindow, Schedule, Window, due

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def schedule(every: timedelta = HOUR, shift: timedelta = timedelta(0), catch_up: int = 1) -> Schedule:
    return Schedule("toy", every, shift, HOUR, "partial", 3, catch_up, True)


def test_the_last_window_that_is_over() -> None:
    assert schedule().last(NOON + timedelta(minutes=20)) == Window(NOON - HOUR, NOON)


def test_at_the_full_hour_the_window_is_over() -> None:
    assert schedule().last(NOON).end == NOON


def test_a_shift_moves_every_window() -> None:
    assert schedule(shift=timedelta(minutes=5)).last(NOON).end == NOON - timedelta(minutes=55)


def test_what_was_run_is_not_due_again() -> None:
    assert due(schedule(), [NOON], NOON + timedelta(minutes=59)) == []


def test_a_missed_night_is_made_up_for_as_far_as_the_schedule_says() -> None:
    found = due(schedule(catch_up=3), [NOON - 12 * HOUR], NOON)
    assert [window.end for window in found] == [NOON - 2 * HOUR, NOON - HOUR, NOON]


def test_only_the_newest_is_due_when_nothing_is_to_be_made_up_for() -> None:
    assert [window.end for window in due(schedule(), [NOON - 12 * HOUR], NOON)] == [NOON]


@given(st.integers(60, 10**6), st.integers(0, 10**6), st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
def test_windows_meet_and_never_reach_into_the_future(every: int, shift: int, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    toy = schedule(timedelta(seconds=every), timedelta(seconds=shift), catch_up=5)
    windows = due(toy, [], now)
    assert windows[-1].end <= now < windows[-1].end + toy.every
    assert all(earlier.end == later.start for earlier, later in itertools.pairwise(windows))


def test_a_window_is_read_and_a_time_without_a_zone_is_utc() -> None:
    assert Window.parse("2026-03-01T11:00/2026-03-01T12:00Z") == Window(NOON - HOUR, NOON)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01T12:00",
        "2026-03-01T12:00/2026-03-01T11:00",
        "a/b/c",
        "0001-01-01T00:00+23:00/0001-01-02T00:00+23:00",
        "2026-03-01T12:00/9999-12-31T23:00-23:00",
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(NoWindow):
        Window.parse(text)
