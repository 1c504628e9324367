"""Lays out what Grafana reads: where Prometheus is, where dashboards lie, the dashboards themselves."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from services.chassis import logs
from services.chassis.settings import Settings

KINDS = ("datasources", "dashboards", "alerting", "plugins")
"""Folders that Grafana looks for, whether there is anything in them or not."""


class GrafanaSettings(Settings):
    """From where to where."""

    grafana_source: Path = Field(
        Path(__file__).parents[2] / "dashboards" / "grafana", description="Folder with dashboards and provisioning."
    )
    grafana_config: Path = Field(Path("/config"), description="Folder that Grafana reads.")


def run(arguments: Sequence[str]) -> int:
    """Write everything; what is no more goes."""
    settings = GrafanaSettings()
    logs.configure("grafana-config", settings.log_format, settings.log_level)
    lay_out(settings.grafana_source, settings.grafana_config)
    return 0


def lay_out(source: Path, target: Path) -> None:
    """`provisioning/` and `boards/`, as they are in the source."""
    for kind in KINDS:
        (target / "provisioning" / kind).mkdir(parents=True, exist_ok=True)
    mirror(source / "provisioning", target / "provisioning", "*/*.yaml")
    mirror(source / "boards", target / "boards", "*.json")


def mirror(source: Path, target: Path, pattern: str) -> None:
    """Each file is seen whole or not at all."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = {file.relative_to(source) for file in source.glob(pattern)}
    for file in wanted:
        partial = (target / file).with_suffix(".partial")
        shutil.copyfile(source / file, partial)
        partial.replace(target / file)
    for gone in (file for file in target.glob(pattern) if file.relative_to(target) not in wanted):
        gone.unlink()
