"""What next week will bring: forecasts, what came before, and how good the last forecasts were. For operators."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from models.labels import CATEGORIES, names
from services.chassis.errors import NotAllowed
from services.web.app import App
from services.web.plots import Plot, Week, plotted
from services.web.remote import unless_resting
from services.web.visit import SignedInVisit

SERIES = ("uploads", "searches")
WEEKS = (13, 26, 52)
HALF_A_YEAR = 26


def routes(app: App) -> APIRouter:
    """`/demand`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/demand")
    async def _demand(
        request: Request,
        visit: SignedInVisit,
        series: Literal["uploads", "searches"] = "uploads",
        weeks: Annotated[int, Query(ge=4, le=156)] = HALF_A_YEAR,
    ) -> Response:
        if not visit.operates:
            raise NotAllowed()
        asked = app.remote.json(
            "inference-batch", "GET", "/api/batch/demand", params={"weeks": weeks}, token=visit.token
        )
        found = await unless_resting(asked, None)
        values: dict[str, Any] = {
            "series": series,
            "all_series": SERIES,
            "weeks": weeks,
            "all_weeks": WEEKS,
            "found": found,
        }
        values |= {"charts": charts(found, series), "coming": coming(found, series), "quality": quality(found, series)}
        return app.pages.draw(request, "demand.html", **values)

    return router


def charts(found: Mapping[str, Any] | None, series: str) -> list[tuple[str, Plot]]:
    """A plot for each category."""
    if not found:
        return []
    return [(category, plotted(of(found, series, category))) for category in names(CATEGORIES)]


def of(found: Mapping[str, Any], series: str, category: str) -> list[Week]:
    """Every week of one category, with what was expected of it."""
    said = {one["week"]: one for one in _only(found["forecasts"], series, category)}
    came = {one["week"]: one for one in _only(found["brought"], series, category)}
    return [_week(week, came.get(week), said.get(week)) for week in sorted({*came, *said})]


def _only(entries: Sequence[Mapping[str, Any]], series: str, category: str) -> list[Mapping[str, Any]]:
    return [one for one in entries if one["series"] == series and one["category"] == category]


def _week(week: str, came: Mapping[str, Any] | None, said: Mapping[str, Any] | None) -> Week:
    said = said or {}
    return Week(
        week=date.fromisoformat(week),
        came=came["count"] if came else None,
        simulated=bool(came and came["simulated"]),
        expected=said.get("expected"),
        low=said.get("low"),
        high=said.get("high"),
        baseline=said.get("baseline"),
    )


def coming(found: Mapping[str, Any] | None, series: str) -> list[dict[str, Any]]:
    """The forecasts for the week that runs, with the week before beside them."""
    if not found:
        return []
    before = {
        one["category"]: one["count"]
        for one in sorted(found["brought"], key=lambda one: str(one["week"]))
        if one["series"] == series
    }
    now = [one for one in found["forecasts"] if one["series"] == series and one["week"] == found["week"]]
    return [dict(one) | {"last_week": before.get(one["category"])} for one in now]


def quality(found: Mapping[str, Any] | None, series: str) -> Mapping[str, Any] | None:
    """How good the last forecasts of this series were, once a week of them is over."""
    return next((one for one in (found or {}).get("quality", []) if one["series"] == series), None)
