"""What the app may be given: its name, its keys, and where the services are."""

from pathlib import Path

from pydantic import Field

from services.chassis.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


class WebSettings(Settings):
    """Addresses may be several, separated by commas: one for each replica."""

    app_name: str = Field("Platform", description="Name on every page: `English / 日本語`, or one for both.")
    csrf_key_file: Path | None = Field(None, description="File with the secret that forms are signed with.")
    web_htmx_file: Path = Field(
        REPOSITORY / "requirements/npm/node_modules/htmx.org/dist/htmx.min.js",
        description="The one script that is not ours; pages work without it.",
    )
    web_max_upload_bytes: int = Field(12_000_000, description="Largest picture that is taken.")
    web_timeout_seconds: float = Field(5.0, description="How long a page waits for another service.")
    identity_url: str = Field("http://identity:8110", description="Sign-up and tokens.")
    items_url: str = Field("http://items:8120", description="The life of items.")
    images_url: str = Field("http://images:8130", description="Uploads and pictures.")
    texts_url: str = Field("http://texts:8140", description="Words.")
    search_url: str = Field("http://search:8150", description="Search.")
    inference_sync_url: str = Field("http://inference-sync:8200", description="Models that answer at once.")
    inference_async_url: str = Field("http://inference-async:8240", description="Models that screen items.")
    inference_batch_url: str = Field("http://inference-batch:8250", description="Scheduled jobs.")
    proxy_url: str = Field("http://proxy:8170", description="Quick answers now, better ones later.")
    image_builder_url: str = Field("http://image-builder:8270", description="Images with a model inside.")
    trainer_url: str = Field("http://trainer:8260", description="Training runs.")
    monitoring_url: str = Field("http://monitoring:8180", description="Alerts, releases and training runs.")
    warehouse_url: str = Field("http://warehouse:8190", description="What happened, to be asked.")
    mlflow_tracking_uri: str = Field("http://mlflow:8300", description="The registry of models.")

    def addresses(self) -> dict[str, tuple[str, ...]]:
        """Service name -> addresses of its replicas, in the order of the status page."""
        given = {
            "identity": self.identity_url,
            "items": self.items_url,
            "images": self.images_url,
            "texts": self.texts_url,
            "search": self.search_url,
            "inference-sync": self.inference_sync_url,
            "inference-async": self.inference_async_url,
            "inference-batch": self.inference_batch_url,
            "proxy": self.proxy_url,
            "image-builder": self.image_builder_url,
            "trainer": self.trainer_url,
            "monitoring": self.monitoring_url,
            "warehouse": self.warehouse_url,
            "mlflow": self.mlflow_tracking_uri,
        }
        return {name: tuple(url.strip().rstrip("/") for url in urls.split(",")) for name, urls in given.items()}

    def csrf_key(self) -> bytes:
        """The secret; raises when there is none, for a guessable one protects nobody."""
        if self.csrf_key_file is None:
            raise CsrfKeyMissing("set CSRF_KEY_FILE")
        return self.csrf_key_file.read_bytes().strip()


class CsrfKeyMissing(Exception):
    """Forms cannot be signed without a key."""
