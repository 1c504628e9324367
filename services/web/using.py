"""What visitors do with results, told to search: which one they opened, and that they stayed.

A link to a result says where it stood (`?from=SEARCH.POSITION`), so opening it tells of a click, with scripts or
without. Staying is told by a script. Whatever search refuses (a link sent to somebody else, a page long gone) is no
use of theirs, and nobody sees that.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from services.web.app import App
from services.web.remote import unless_resting
from services.web.visit import CurrentVisit, OwnForm, Visit, text

TELLING_SECONDS = 2.0
LONGEST_SECONDS = 86_400.0


def routes(app: App) -> APIRouter:
    """`/items/ID/seen`."""
    router = APIRouter(include_in_schema=False)

    @router.post("/items/{item_id}/seen", status_code=204)
    async def _seen(visit: CurrentVisit, item_id: UUID, form: OwnForm) -> Response:
        seconds = _seconds(text(form, "seconds"))
        if seconds:
            act = {"action": "long_view", "seconds": seconds}
            await told(app, visit, item_id, text(form, "from"), act)
        return Response(status_code=204)

    return router


async def opened(app: App, visit: Visit, item_id: UUID, found_at: str) -> None:
    """A result was clicked."""
    await told(app, visit, item_id, found_at, {"action": "click"})


async def told(app: App, visit: Visit, item_id: UUID, found_at: str, act: dict[str, Any]) -> None:
    """Tell search, if it is known where the item was found; the visitor does not wait for long."""
    search, _, position = found_at.partition(".")
    if not (_is_id(search) and position.isdecimal() and len(position) < 7):
        return
    body = act | {"search_id": search, "position": int(position), "item_id": str(item_id)}
    call = app.remote.json("search", "POST", "/api/search/events", json=body, token=visit.token, within=TELLING_SECONDS)
    await unless_resting(call, None)


def _is_id(value: str) -> bool:
    try:
        return bool(UUID(value))
    except ValueError:
        return False


def _seconds(value: str) -> float:
    """How long somebody stayed; nothing if that is no time."""
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds <= LONGEST_SECONDS else 0.0
