"""The HTTP face of the forecast."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import httpx
from fastapi import APIRouter, Query

from services.chassis.auth import Operator
from services.chassis.database import Database
from services.chassis.errors import Unavailable
from services.inference_batch import forecasts
from services.inference_batch.forecasts import Demand
from services.inference_batch.happened import Happened

LONGEST = 156


def routes(
    database: Database, happened: Happened, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> APIRouter:
    """Operators only."""
    router = APIRouter(prefix="/api/batch", tags=["batch"])

    @router.get("/demand")
    async def _demand(caller: Operator, weeks: Annotated[int, Query(ge=1, le=LONGEST)] = 26) -> Demand:
        """The last weeks, the forecasts for them and for the week that runs, and how good they were."""
        try:
            return await forecasts.demand(database, happened, clock(), weeks)
        except httpx.HTTPError as error:
            raise Unavailable(f"the warehouse does not answer: {error!r}") from error

    return router
