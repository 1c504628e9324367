"""Settings of the spool, the same in every host."""

from pathlib import Path

from pydantic import Field

from services.chassis.settings import Settings


class SpoolSettings(Settings):
    """Settings of the prediction log's spool, in every host of models."""

    spool_dir: Path | None = Field(None, description="Folder of the prediction log; without it, nothing is logged.")
    spool_segment_bytes: int = Field(
        768 * 1024, gt=0, le=900_000, description="A segment of this size is sealed. It goes out as one event."
    )
    spool_segment_seconds: float = Field(2.0, gt=0, description="A segment of this age is sealed.")
    spool_max_bytes: int = Field(
        512 * 1024 * 1024, gt=0, description="Most that the folder holds; when that much is unsent, nothing more is."
    )
    spool_keep_seconds: float = Field(6 * 3600.0, ge=0, description="How long segments are kept that were sent.")
