"""Renders the gateway's configuration: where everything is, whose tokens count, the same for every way to run."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field

from services.chassis import logs, ports
from services.chassis.auth import AUDIENCE, ISSUER
from services.chassis.settings import Settings
from services.gateway_config import routes
from services.gateway_config.defaults import default_answers
from services.gateway_config.upstreams import Upstream

TEMPLATE = Path(__file__).parents[1] / "gateway" / "envoy.yaml.j2"
SUBJECT = "x-token-subject"
"""Header in which the gateway keeps who asks; only it may say so."""
RESPONSE_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What browsers are told, unless a service says otherwise."""


class GatewaySettings(Settings):
    """Each address is one URL, or several with commas between them: one a replica."""

    jwks_file: Path = Field(description="Public keys that tokens are checked with.")
    envoy_config: Path = Field(Path("/config/envoy.yaml"), description="Where the configuration is written.")
    gateway_host: str | None = Field(None, description="Interface the gateway listens on, if not LISTEN_HOST.")
    predictions_per_second: int = Field(
        300, ge=0, description="Predictions that models answer; beyond, their declared defaults do. 0: no limit."
    )
    light_models: str = Field(
        "",
        pattern=r"^(\w+(,\w+)*)?$",
        description="Models, comma-separated, whose `infer` requests go to one replica as long as it is well: faster "
        "where a request takes the host hardly longer than the gateway (60 µs), slower where it takes twice as long.",
    )
    identity_url: str = Field("http://identity:8110", description="Address of identity.")
    items_url: str = Field("http://items:8120", description="Address of items.")
    images_url: str = Field("http://images:8130", description="Address of images.")
    texts_url: str = Field("http://texts:8140", description="Address of texts.")
    search_url: str = Field("http://search:8150", description="Address of search.")
    web_url: str = Field("http://web:8160", description="Address of web.")
    inference_sync_url: str = Field("http://inference-sync:8200", description="Address of inference-sync.")
    inference_sync_grpc_url: str = Field("http://inference-sync:8220", description="Its address for gRPC.")
    inference_async_url: str = Field("http://inference-async:8240", description="Address of inference-async.")
    inference_batch_url: str = Field("http://inference-batch:8250", description="Address of inference-batch.")
    image_builder_url: str = Field("http://image-builder:8270", description="Address of image-builder.")
    trainer_url: str = Field("http://trainer:8260", description="Address of trainer.")
    proxy_url: str = Field("http://proxy:8170", description="Address of proxy.")
    monitoring_url: str = Field("http://monitoring:8180", description="Address of monitoring.")
    warehouse_url: str = Field("http://warehouse:8190", description="Address of warehouse.")


def run(arguments: Sequence[str]) -> int:
    """Write the configuration; the gateway sees all of it or nothing."""
    settings = GatewaySettings()
    logs.configure("gateway-config", settings.log_format, settings.log_level)
    partial = settings.envoy_config.with_suffix(".partial")
    partial.write_text(render(settings))
    partial.replace(settings.envoy_config)
    return 0


def render(settings: GatewaySettings) -> str:
    """The configuration as YAML."""
    environment = Environment(  # noqa: S701 (what is written is YAML: every value goes through tojson)
        loader=FileSystemLoader(TEMPLATE.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE.name).render(
        listen_host=settings.gateway_host or settings.listen_host,
        port=ports.port("gateway"),
        admin_port=ports.port("gateway-admin"),
        metrics_host=settings.listen_host,
        metrics_port=ports.port("gateway-metrics"),
        issuer=ISSUER,
        audience=AUDIENCE,
        jwks=settings.jwks_file.read_text(),
        json_limit=routes.JSON_LIMIT,
        routes=routes.rendered(RESPONSE_HEADERS, [name for name in settings.light_models.split(",") if name]),
        limit=routes.limit(settings.predictions_per_second),
        prediction=routes.PREDICTION,
        affinity=routes.AFFINITY,
        subject=SUBJECT,
        over_limit=routes.OVER_LIMIT,
        defaults=default_answers(),
        pages={page.name: page.read_text() for page in TEMPLATE.parent.glob("*.html")},
        upstreams=[
            Upstream.of(name, url, settings.socket_folder, affinity=name == routes.AFFINITY)
            for name, url in _addresses(settings).items()
        ],
    )


def _addresses(settings: GatewaySettings) -> dict[str, str]:
    return {
        "identity": settings.identity_url,
        "items": settings.items_url,
        "images": settings.images_url,
        "texts": settings.texts_url,
        "search": settings.search_url,
        "web": settings.web_url,
        "inference-sync": settings.inference_sync_url,
        "inference-sync-grpc": settings.inference_sync_grpc_url,
        "inference-async": settings.inference_async_url,
        "inference-batch": settings.inference_batch_url,
        "image-builder": settings.image_builder_url,
        "trainer": settings.trainer_url,
        "proxy": settings.proxy_url,
        "monitoring": settings.monitoring_url,
        "warehouse": settings.warehouse_url,
        **({routes.AFFINITY: settings.inference_sync_url} if settings.light_models else {}),
    }
