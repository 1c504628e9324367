"""Addresses that the middleware and the browser lead to when something is wrong."""

from fastapi import APIRouter, Request, Response

from services.web.app import App
from services.web.headers import TOO_LARGE_PATH


def routes(app: App) -> APIRouter:
    """`/too-large`."""
    router = APIRouter(include_in_schema=False)

    @router.get(TOO_LARGE_PATH)
    async def _too_large(request: Request) -> Response:
        return app.pages.error(request, 413)

    return router
