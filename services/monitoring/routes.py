"""The HTTP face: Alertmanager tells, operators read."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.chassis.auth import Operator
from services.chassis.database import Database
from services.monitoring import alerts, annotations
from services.monitoring.alerts import Alert, Notification
from services.monitoring.annotations import Annotation, Kind

Limit = Annotated[int, Query(ge=1, le=200)]


class Alerts(BaseModel):
    """What fires, then what has ended."""

    alerts: list[Alert]


class Annotations(BaseModel):
    """Releases and training runs, the newest first."""

    annotations: list[Annotation]


def routes(database: Database, told: Callable[[Notification], None]) -> APIRouter:
    """The gateway lets nobody post from outside."""
    router = APIRouter(prefix="/api/monitoring", tags=["monitoring"])

    @router.post("/alerts", status_code=204, include_in_schema=False)
    async def _receive(notification: Notification) -> Response:
        """Alertmanager's webhook; sent again, it changes nothing."""
        await alerts.store(database, notification)
        told(notification)
        return Response(status_code=204)

    @router.get("/alerts")
    async def _alerts(caller: Operator, status: alerts.Status | None = None, limit: Limit = 50) -> Alerts:
        """Alerts that fire and alerts that have ended."""
        return Alerts(alerts=await alerts.listed(database, status, limit))

    @router.get("/annotations")
    async def _annotations(caller: Operator, kind: Kind | None = None, limit: Limit = 50) -> Annotations:
        """Releases and training runs."""
        return Annotations(annotations=await annotations.listed(database, kind, limit))

    return router
