"""The proxy: time-shifted inference over two predictors. The quick one answers now, the slow one later.

Which is which is said by four settings; any endpoint may take either role.
"""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.changes import Changes
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.proxy.asking import Desk
from services.proxy.jobs import Jobs
from services.proxy.metrics import ProxyMetrics
from services.proxy.predictor import Predictor
from services.proxy.routes import routes
from services.proxy.working import Background


class ProxySettings(Settings):
    """Who answers now, who answers later."""

    svc_a: str = Field(
        "http://inference-sync:8200/v2/models/image_quick", description="Base address of who answers now."
    )
    svc_a_ep: str = Field("predict", description="The rest of its path.")
    svc_b: str = Field(
        "http://inference-async:8240/v2/models/image_screening", description="Base address of who answers later."
    )
    svc_b_ep: str = Field("async", description="The rest of its path.")
    fast_seconds: float = Field(2.0, gt=0, description="A later quick answer is left out.")
    slow_seconds: float = Field(600.0, gt=0, description="How long a slow answer is tried for.")
    slow_at_once: int = Field(32, ge=1, description="Slow answers that this process waits for at the same time.")
    lease_seconds: float = Field(5.0, gt=0, description="A job whose process says nothing for so long is taken up.")
    keep_seconds: float = Field(3600.0, gt=0, description="How long answers can be fetched.")
    cache_seconds: float = Field(60.0, ge=0, description="How long the same question gets the same answers.")
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="Largest body that is taken.")

    @property
    def wiring(self) -> str:
        """What both roles are, as one text."""
        return " ".join((self.svc_a, self.svc_a_ep, self.svc_b, self.svc_b_ep))


def build(backends: Backends) -> Service:
    """The proxy on these backends."""
    settings = ProxySettings()
    service = Service("proxy", backends, summary="Quick answer now, better answer later.",
                      max_body_bytes=settings.max_body_bytes)  # fmt: skip
    metrics = ProxyMetrics(service.metrics.registry)
    jobs = Jobs(
        backends.database,
        lease_seconds=settings.lease_seconds,
        keep_seconds=settings.keep_seconds,
        cache_seconds=settings.cache_seconds,
    )
    fast = Predictor(backends.http, settings.svc_a, settings.svc_a_ep)
    slow = Predictor(backends.http, settings.svc_b, settings.svc_b_ep)
    background = Background(
        jobs,
        slow,
        metrics,
        at_once=settings.slow_at_once,
        patience_seconds=settings.slow_seconds,
        lease_seconds=settings.lease_seconds,
    )
    changes = Changes(backends.database, table="jobs", version="state", channel="jobs_changed")
    for loop in (background.hands.run, background.hands.hold, changes.listen):
        service.background(loop)
    service.every(1.0)(changes.poll)

    @service.every(30.0)
    async def tidy() -> None:
        await jobs.expire()
        metrics.waiting.set(await jobs.waiting())

    desk = Desk(jobs, fast, background, metrics, wiring=settings.wiring, fast_seconds=settings.fast_seconds)
    service.app.include_router(routes(desk, changes))
    return service
