"""Makes every secret of the platform at the first start, and keeps what it finds from then on.

One folder a consumer, so that each is given its own secrets and nobody else's. A secret that several
of them share has one holder whose copy counts; the others are brought into line with it, so a run
that was cut off is completed by the next.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field

from services.chassis import logs
from services.chassis.roles import ROLES
from services.chassis.settings import Settings
from services.keys.accounts import demo_accounts
from services.keys.folders import keep_in, kept
from services.keys.secrets import jwks, password, signing_key

log = logging.getLogger(__name__)

CHECK_TOKENS = (
    *("gateway", "identity", "items", "images", "texts", "search", "inference", "inference_async", "trainer", "web"),
    *("monitoring", "image_builder", "inference_batch", "proxy", "warehouse"),
)


class KeysSettings(Settings):
    """Where the secrets of each consumer go."""

    keys_postgres: Path = Field(Path("/keys/postgres"), description="The server: the superuser's password.")
    keys_migrate: Path = Field(Path("/keys/migrate"), description="The superuser's password and every role's.")
    keys_mlflow: Path = Field(Path("/keys/mlflow"), description="Its role's password.")
    keys_gateway: Path = Field(Path("/keys/gateway"), description="The public keys.")
    keys_identity: Path = Field(Path("/keys/identity"), description="Signing key, demo accounts, its role's password.")
    keys_items: Path = Field(Path("/keys/items"), description="Its role's password and the public keys.")
    keys_images: Path = Field(Path("/keys/images"), description="Its role's password and the public keys.")
    keys_texts: Path = Field(Path("/keys/texts"), description="The public keys.")
    keys_search: Path = Field(Path("/keys/search"), description="Its role's password and the public keys.")
    keys_inference: Path = Field(Path("/keys/inference"), description="The public keys.")
    keys_inference_async: Path = Field(
        Path("/keys/inference-async"),
        description="Its role's password, the public keys, and what callbacks are signed with.",
    )
    keys_inference_batch: Path = Field(
        Path("/keys/inference-batch"), description="Its role's password and the public keys."
    )
    keys_image_builder: Path = Field(
        Path("/keys/image-builder"), description="Its role's password and the public keys."
    )
    keys_trainer: Path = Field(Path("/keys/trainer"), description="Its role's password and the public keys.")
    keys_web: Path = Field(Path("/keys/web"), description="The public keys and the secret behind CSRF tokens.")
    keys_monitoring: Path = Field(
        Path("/keys/monitoring"), description="Its role's password, the public keys, Grafana's administrator."
    )
    keys_grafana: Path = Field(Path("/keys/grafana"), description="The administrator's password.")
    keys_proxy: Path = Field(Path("/keys/proxy"), description="Its role's password and the public keys.")
    keys_warehouse: Path = Field(Path("/keys/warehouse"), description="Its role's password and the public keys.")
    keys_accounts: Path = Field(Path("/keys/accounts"), description="The demo accounts, for people and the seed.")

    def of(self, consumer: str) -> Path:
        """The folder of one consumer."""
        folder: Path = getattr(self, f"keys_{consumer}")
        return folder


def run(arguments: Sequence[str]) -> int:
    """Complete what is missing; says how many files it wrote."""
    settings = KeysSettings()
    logs.configure("keys", settings.log_format, settings.log_level)
    written = make_keys(settings.of)
    log.info("keys are there", extra={"action": "keys.kept", "written": written})
    return 0


def make_keys(folder: Callable[[str], Path]) -> int:
    """Every secret with its holders, the one that counts first; returns how many files were written."""
    written = _shared([folder("postgres") / "superuser", folder("migrate") / "superuser"], password)
    for role in ROLES:
        written += _shared([folder("migrate") / role, folder(role) / "database"], password)
    written += _shared([folder("web") / "csrf"], password)
    written += _shared([folder("inference_async") / "callback"], password)
    written += _shared([folder(name) / "accounts.json" for name in ("identity", "accounts")], demo_accounts)
    written += _shared([folder("grafana") / "administrator", folder("monitoring") / "grafana"], password)
    signing = folder("identity") / "signing.pem"
    written += _shared([signing], signing_key)
    return written + keep_in([folder(name) / "jwks.json" for name in CHECK_TOKENS], jwks(signing.read_text()))


def _shared(holders: Sequence[Path], make: Callable[[], str]) -> int:
    return keep_in(holders, kept(holders) or make())
