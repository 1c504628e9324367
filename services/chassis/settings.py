"""Settings are environment variables; a service extends this class with its own."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Unusable(Exception):
    """What a service was given cannot be used; the message says which variable, and what may be given."""


class Settings(BaseSettings):
    """What every service may be given. A backend without an address is not opened."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    listen_host: str = Field("0.0.0.0", description="Interface this process listens on.")  # noqa: S104
    socket_folder: Path | None = Field(
        None,
        description="Where this process listens too, on a Unix socket named like its port, and where the gateway looks "
        "for what is on its machine.",
    )
    niceness: int = Field(0, ge=0, le=19, description="Above 0, others go first. In a container, `cpu_shares` says so.")
    log_format: Literal["json", "line"] = Field("json", description="`json`, or `line` for one readable line.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    database_url: str | None = Field(None, description="PostgreSQL, without the password.")
    database_password_file: Path | None = Field(None, description="File that holds the role's password.")
    database_pool_size: int = Field(8, description="Most connections this process opens.")
    database_vectors: bool = Field(False, description="Whether rows hold vectors.")
    kafka_bootstrap_servers: str | None = Field(None, description="Addresses of the broker.")
    kafka_session_timeout_ms: int = Field(
        6000,
        description="How long a silent consumer keeps its partitions. Apache Kafka refuses less than 6000.",
    )
    kafka_max_poll_interval_ms: int = Field(
        60_000, description="How long a consumer may be stuck before the group goes on without it."
    )
    kafka_fetch_max_wait_ms: int = Field(
        500, description="How long the broker may hold a fetch. One that polls instead of waiting needs less."
    )
    kafka_gather_seconds: float = Field(
        0.2, ge=0, description="How long a consumer to whom much comes lets more gather before it asks again."
    )
    kafka_forgets: bool = Field(
        False,
        description="Whether the broker keeps its log in memory only: then senders keep what the warehouse has not.",
    )
    files_url: str | None = Field(None, description="Root of the file store, as fsspec takes it.")
    jwks_file: Path | None = Field(None, description="Public keys that tokens are checked with.")

    def password(self) -> str | None:
        """The database password, read when it is needed."""
        return self.database_password_file.read_text().strip() if self.database_password_file else None
