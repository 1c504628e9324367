"""The past that training and serving share: what really happened, and before that what is generated."""

from collections.abc import Iterable
from datetime import date

from models.weekly_demand.generated import generated
from models.weekly_demand.weeks import NAMES, SERIES, Count, before, table


def past(happened: Iterable[Count], week: date, how_many: int) -> list[Count]:
    """So many weeks before this one, whole, by time. Nothing of the week itself or later is in it.

    From the first week of `happened` on, a week of which nothing is said brought nothing.
    """
    real = {key: count for key, count in table(happened).items() if count.week < week}
    first = min((count.week for count in real.values()), default=week)
    wanted = before(week, how_many)
    known = table(generated(one for one in wanted if one < first)) | real
    return [
        known.get((series, category, one)) or Count(one, series, category, 0, simulated=False)
        for one in wanted
        for series in SERIES
        for category in NAMES
    ]
