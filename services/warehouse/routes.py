"""The warehouse over HTTP."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import AwareDatetime, BaseModel
from starlette.background import BackgroundTask

from services.chassis.database import Database
from services.chassis.errors import BadInput, Fault
from services.chassis.ids import new_id
from services.warehouse import figures
from services.warehouse.access import OperatorOrInside
from services.warehouse.demand import WANTED, Demand, demand
from services.warehouse.figures import Figures
from services.warehouse.reviewed import REVIEWED
from services.warehouse.shelf import Shelf
from services.warehouse.snapshots import SNAPSHOTS
from services.warehouse.views import Views

Snapshot = Literal["impressions", "searches", "actions", "likes", "items", "suggestions", "reviews", "predictions"]
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
Until = Annotated[AwareDatetime | None, Query(description="Only what happened before it; now, if not given.")]
Since = Annotated[AwareDatetime | None, Query(description="From then on; 30 days before the end, if not given.")]


class Contents(BaseModel):
    """What a table holds."""

    table: str
    rows: int
    files: int
    bytes: int
    first_time: datetime
    last_time: datetime


def routes(database: Database, views: Views, shelf: Shelf) -> APIRouter:
    """`/api/warehouse` and what is below it."""
    router = APIRouter(prefix="/api/warehouse", tags=["warehouse"])

    @router.get("/tables", summary="The tables, and how much is in them")
    async def _tables(caller: OperatorOrInside) -> list[Contents]:
        async with database.connection() as connection:
            found = await connection.execute(
                """
                SELECT kind AS table, sum(rows)::bigint AS rows, count(*) AS files, sum(bytes)::bigint AS bytes,
                       min(first_time) AS first_time, max(last_time) AS last_time
                FROM files WHERE replaced_at IS NULL GROUP BY kind ORDER BY kind
                """
            )
            return [Contents.model_validate(row) for row in await found.fetchall()]

    @router.get(
        "/snapshot/{table}",
        summary="A table as it was known at a moment, for learning",
        response_class=FileResponse,
        responses={200: {"content": {"application/vnd.apache.parquet": {}}}},
    )
    async def _snapshot(table: Snapshot, caller: OperatorOrInside, until: Until = None) -> FileResponse:
        path = shelf.unfinished / f"{new_id()}.snapshot"
        moment = until or datetime.now(UTC)
        rows = await views.write(SNAPSHOTS[table], moment, path)
        headers = {"repr-digest": _digest(path), "x-rows": str(rows), "x-until": moment.astimezone(UTC).isoformat()}
        removed = BackgroundTask(path.unlink, missing_ok=True)
        kind = "application/vnd.apache.parquet"
        return FileResponse(path, media_type=kind, filename=f"{table}.parquet", headers=headers, background=removed)

    @router.get("/figures", summary="What users did with what models gave them")
    async def _figures(caller: OperatorOrInside, since: Since = None, until: Until = None) -> Figures:
        end = until or datetime.now(UTC)
        start = since or end - timedelta(days=30)
        if start >= end:
            raise BadInput("Nothing lies between.", Fault(where="query.since", what="not before `until`"))
        used = await views.ask(figures.USED, start, end)
        suggested = await views.ask(figures.SUGGESTED, start, end)
        return Figures(
            since=start,
            until=end,
            groups=figures.groups(used),
            differences=figures.differences(used),
            searches=[figures.Searches(**row) for row in await views.ask(figures.SEARCHED, start, end)],
            likes=figures.Likes(**(await views.ask(figures.LIKED, start, end))[0]),
            attributes=figures.noticed(
                await views.ask(figures.NOTICED, start, end), await views.ask(figures.NAMED, start, end)
            ),
            suggestions=figures.suggestions(suggested),
            predictions=[figures.Predictions(**row) for row in await views.ask(figures.PREDICTED, start, end)],
            reviewed=[figures.Reviewed(**row) for row in await views.ask(REVIEWED, start, end)],
        )

    @router.get("/demand", summary="Uploads and searches of every week that is over")
    async def _demand(caller: OperatorOrInside, until: Until = None) -> Demand:
        end = until or datetime.now(UTC)
        return demand(await views.ask(WANTED, FIRST, end), end)

    return router


def _digest(path: Path) -> str:
    """As RFC 9530 writes it."""
    with path.open("rb") as file:
        return f"sha-256=:{base64.b64encode(hashlib.file_digest(file, 'sha256').digest()).decode()}:"
