"""weekly_demand sees only what was known before the week began, and the same past wherever it is asked for."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from models.contract import check
from models.weekly_demand.calendar import holidays, season
from models.weekly_demand.contract import contract
from models.weekly_demand.features import HISTORY, LEVEL, SIZE, encode, raw
from models.weekly_demand.generated import generated
from models.weekly_demand.weeks import NAMES, SERIES, WEEK, before, begins, table, week_of

WEEK_TO_COME = date(2026, 11, 23)
PAST = list(range(20, 20 + HISTORY))


def features(history: list[int], series: str = "uploads", category: str = "cat") -> np.ndarray:
    return np.asarray(encode(raw(series, category, WEEK_TO_COME, history))["features"][0])


def test_the_features_keep_the_contract() -> None:
    check(contract(), {"features": features(PAST)[None]})
    assert features(PAST).shape == (SIZE,)


def test_only_the_level_knows_how_large_the_platform_is() -> None:
    small, large = features([99] * HISTORY), features([9999] * HISTORY)
    different = np.flatnonzero(~np.isclose(small, large, atol=1e-6))
    assert different.tolist() == [LEVEL]


def test_older_weeks_than_needed_change_nothing() -> None:
    assert np.array_equal(features(PAST), features([7, 9999, *PAST]))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"series": "sales"}, "series"),
        ({"category": "unicorn"}, "category"),
        ({"week": "2026-11-24"}, "Monday"),
        ({"week": "soon"}, "week"),
        ({"history": [1] * (HISTORY - 1)}, "history"),
        ({"history": [-1] * HISTORY}, "history"),
        ({"history": [10**12] * HISTORY}, "history"),
        ({"history": [1.5] * HISTORY}, "history"),
        ({"next_week": 5}, "next_week"),
    ],
)
def test_what_cannot_be_forecast_is_refused_by_name(change: dict[str, object], named: str) -> None:
    asked = json.loads(raw("uploads", "cat", WEEK_TO_COME, PAST)) | change
    with pytest.raises(ValueError, match=named):
        encode(json.dumps(asked).encode())


def test_a_week_is_generated_alike_whenever_it_is_asked_for() -> None:
    few, many = generated(before(WEEK_TO_COME, 5)), table(generated(before(WEEK_TO_COME + 200 * WEEK, 260)))
    assert few
    assert all(many[one.series, one.category, one.week] == one for one in few)
    assert all(one.simulated for one in few)


def test_generated_weeks_have_a_season() -> None:
    known = table(generated(before(WEEK_TO_COME, 104)))
    summer = [known["uploads", "insect", week].count for week in before(date(2026, 8, 10), 6)]
    winter = [known["uploads", "insect", week].count for week in before(date(2026, 2, 16), 6)]
    assert min(summer) > 1.2 * np.mean(winter)


def test_every_series_and_category_is_generated() -> None:
    assert {(one.series, one.category) for one in generated([WEEK_TO_COME])} == {(s, c) for s in SERIES for c in NAMES}


def test_a_moment_belongs_to_the_week_of_its_monday() -> None:
    monday = begins(WEEK_TO_COME)
    assert week_of(monday) == WEEK_TO_COME
    assert week_of(monday - timedelta(microseconds=1)) == WEEK_TO_COME - WEEK
    assert week_of(datetime(2026, 11, 23, 3, tzinfo=UTC).astimezone()) == WEEK_TO_COME


def test_a_holiday_over_the_turn_of_the_year_is_dealt_to_its_weeks() -> None:
    weeks = [date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 4)]
    assert [round(holidays(week)[0], 2) for week in weeks] == [0, 1, 0]
    assert sum(holidays(date(2026, 4, 27) + WEEK * n)[1] for n in range(3)) == pytest.approx(1)
    assert 0 <= season(date(2026, 12, 28)) < 1
