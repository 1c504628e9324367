"""Renders what Prometheus and Alertmanager read: whom to ask, what to alert on, whom to tell; the same for every way
to run. The rules are files of their own, copied beside it."""

from collections.abc import Collection, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis import logs
from services.chassis.settings import Settings
from services.prometheus_config.targets import Target

DASHBOARDS = Path(__file__).parents[2] / "dashboards"


class PrometheusSettings(Settings):
    """Each address is one URL, or several with commas between them: one a replica."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, env_nested_delimiter="__")

    dashboards: Path = Field(DASHBOARDS, description="Folder with the templates and the rules.")
    prometheus_config: Path = Field(Path("/config/prometheus"), description="Folder that Prometheus reads.")
    alertmanager_config: Path = Field(Path("/config/alertmanager"), description="Folder that Alertmanager reads.")
    alertmanager_url: str = Field("http://alertmanager:8360", description="Whom Prometheus tells of alerts.")
    alert_webhook_url: str = Field(
        "http://monitoring:8180/api/monitoring/alerts", description="Whom Alertmanager tells of alerts."
    )
    scrape_seconds: int = Field(5, ge=1, description="How often every service is asked for its metrics.")
    scrape: dict[str, str] = Field(
        default_factory=dict,
        description="Who is asked for metrics: `SCRAPE__ITEMS=http://items:8120`, with a path if it is not /metrics.",
    )
    scrape_if_there: dict[str, str] = Field(
        default_factory=dict, description="The same for services of profiles: nobody misses them."
    )


def run(arguments: Sequence[str]) -> int:
    """Write everything; each file is seen whole or not at all."""
    settings = PrometheusSettings()
    logs.configure("prometheus-config", settings.log_format, settings.log_level)
    files = rendered(settings)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(path)
    _forget(settings.prometheus_config / "rules", files)
    return 0


def rendered(settings: PrometheusSettings) -> dict[Path, str]:
    """Every file with its text."""
    template = _templates(settings.dashboards).get_template
    expected = [Target.of(name, url) for name, url in sorted(settings.scrape.items())]
    targets = [*expected, *(Target.of(name, url) for name, url in sorted(settings.scrape_if_there.items()))]
    alertmanager = Target.of("alertmanager", settings.alertmanager_url)
    rules = settings.prometheus_config / "rules"
    return {
        **{rules / file.name: file.read_text() for file in (settings.dashboards / "prometheus/rules").glob("*.yml")},
        rules / "expected.yml": template("prometheus/expected.yml.j2").render(targets=expected),
        settings.prometheus_config / "prometheus.yml": template("prometheus/prometheus.yml.j2").render(
            seconds=settings.scrape_seconds, targets=targets, alertmanager=alertmanager
        ),
        settings.alertmanager_config / "alertmanager.yml": template("alertmanager/alertmanager.yml.j2").render(
            webhook=settings.alert_webhook_url
        ),
    }


def _templates(folder: Path) -> Environment:
    return Environment(  # noqa: S701 (what is written is YAML: every value goes through tojson)
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _forget(folder: Path, written: Collection[Path]) -> None:
    """A rule file that is no more must not be read any longer."""
    for file in folder.iterdir():
        if file not in written:
            file.unlink()
