"""The app: server-rendered pages over the other services, in Japanese and English."""

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.web import (
    accounts,
    assets,
    comparing,
    demand,
    enlarging,
    finding,
    openapi,
    pictures,
    registering,
    reviewing,
    showing,
    status,
    using,
)
from services.web.app import App
from services.web.csrf import Csrf
from services.web.headers import SafeHeaders
from services.web.pages import Pages
from services.web.remote import Remote
from services.web.settings import WebSettings

FORM_OVERHEAD_BYTES = 1_000_000


def build(backends: Backends) -> Service:
    """The pages; state lives in cookies and in the other services."""
    settings = WebSettings()
    limit = settings.web_max_upload_bytes + FORM_OVERHEAD_BYTES
    service = Service("web", backends, summary="The app.", max_body_bytes=limit)
    files = assets.Assets(settings.web_htmx_file)
    pages = Pages(settings.app_name, files)
    remote = Remote(backends.http, settings.addresses(), settings.web_timeout_seconds)
    app = App(pages, remote, settings)
    service.app.state.verifier = backends.verifier
    service.app.state.csrf = Csrf(settings.csrf_key())
    for part in (finding, accounts, registering, showing, enlarging, reviewing, pictures, comparing, demand):
        service.app.include_router(part.routes(app))
    service.app.include_router(using.routes(app))
    service.app.include_router(openapi.routes(app))
    service.app.include_router(assets.routes(files))
    service.app.include_router(status.routes(app, backends.http))
    pages.install(service.app)
    service.app.add_middleware(SafeHeaders)
    return service
