"""What Prometheus and Alertmanager are given: valid, complete, the same in containers and without."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.runner.parts import packaged
from services.chassis.addresses import NotAnAddress
from services.chassis.names import module_name
from services.prometheus_config.main import PrometheusSettings, rendered, run
from services.prometheus_config.targets import Target

ROOT = Path(__file__).parents[2]
IN_CONTAINERS = {
    "items": "http://items:8120",
    "inference_sync": "http://inference-sync:8200",
    "gateway": "http://gateway:8100/stats/prometheus",
}
ALONE = {
    "items": "http://127.0.0.1:8120",
    "inference_sync": "http://127.0.0.1:8200,http://127.0.0.1:8201",
    "gateway": "http://127.0.0.1:8100/stats/prometheus",
}
UNMEASURED = {"postgres", "kafka", "grafana", "registry"}
"""Other people's programs, which show no metrics of their own to Prometheus, or none that anybody asks for."""


@pytest.fixture
def services() -> dict[str, Any]:
    topology = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
    return dict(topology["services"])


def settings(folder: Path, scrape: dict[str, str], **more: Any) -> PrometheusSettings:
    places: dict[str, Any] = {
        "prometheus_config": folder / "prometheus",
        "alertmanager_config": folder / "alertmanager",
    }
    return PrometheusSettings(scrape=scrape, **places, **more)


def written(folder: Path, made: PrometheusSettings) -> dict[str, Any]:
    for path, text in rendered(made).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return dict(YAML(typ="safe").load((folder / "prometheus" / "prometheus.yml").read_text()))


def check(program: str, *words: str | Path) -> None:
    if packaged.find(program) is None:
        pytest.skip(f"{program} is not offered here")
    command = [packaged.program(program), *map(str, words)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("scrape", [IN_CONTAINERS, ALONE], ids=["containers", "alone"])
def test_the_programs_take_what_is_rendered(tmp_path: Path, scrape: dict[str, str]) -> None:
    written(tmp_path, settings(tmp_path, scrape))
    check("promtool", "check", "config", tmp_path / "prometheus" / "prometheus.yml")
    check("amtool", "check-config", tmp_path / "alertmanager" / "alertmanager.yml")


def test_replicas_are_targets_of_their_own(tmp_path: Path) -> None:
    jobs = {job["job_name"]: job for job in written(tmp_path, settings(tmp_path, ALONE))["scrape_configs"]}
    assert jobs["inference-sync"]["static_configs"] == [
        {"targets": ["127.0.0.1:8200"], "labels": {"service": "inference-sync", "replica": "1"}},
        {"targets": ["127.0.0.1:8201"], "labels": {"service": "inference-sync", "replica": "2"}},
    ]
    assert jobs["gateway"]["metrics_path"] == "/stats/prometheus"


def test_a_name_stands_for_as_many_replicas_as_there_are(tmp_path: Path) -> None:
    jobs = {job["job_name"]: job for job in written(tmp_path, settings(tmp_path, IN_CONTAINERS))["scrape_configs"]}
    asked = jobs["inference-sync"]["dns_sd_configs"]
    assert asked == [{"names": ["inference-sync"], "type": "A", "port": 8200, "refresh_interval": "5s"}]
    assert {rule["target_label"] for rule in jobs["inference-sync"]["relabel_configs"]} == {"service", "replica"}


def test_who_should_be_there_is_told(tmp_path: Path) -> None:
    made = settings(tmp_path, ALONE, scrape_if_there={"proxy": "http://127.0.0.1:8170"})
    assert "proxy" in {job["job_name"] for job in written(tmp_path, made)["scrape_configs"]}
    rules = YAML(typ="safe").load((tmp_path / "prometheus" / "rules" / "expected.yml").read_text())
    assert {rule["labels"]["service"] for rule in rules["groups"][0]["rules"]} == {"items", "inference-sync", "gateway"}


def test_a_rule_file_that_is_no_more_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_CONFIG", str(tmp_path / "prometheus"))
    monkeypatch.setenv("ALERTMANAGER_CONFIG", str(tmp_path / "alertmanager"))
    monkeypatch.setenv("SCRAPE__INFERENCE_SYNC", "http://inference-sync:8200")
    assert run([]) == 0
    (tmp_path / "prometheus" / "rules" / "old.yml").write_text("groups: []\n")
    assert run([]) == 0
    assert {file.name for file in (tmp_path / "prometheus" / "rules").iterdir()} == {
        "alerts.yml",
        "expected.yml",
        "recording.yml",
    }
    assert 'job_name: "inference-sync"' in (tmp_path / "prometheus" / "prometheus.yml").read_text()


@pytest.mark.parametrize("address", ["items:8120", "https://items:8120", "", "http://"])
def test_an_address_says_where(address: str) -> None:
    with pytest.raises(NotAnAddress):
        Target.of("items", address)


def test_everybody_who_keeps_running_is_asked(services: dict[str, Any]) -> None:
    """And so is who runs in some scenarios only, but nobody misses it in the others."""
    asked = set(services["prometheus-config"]["environment"])
    kept = {name: service for name, service in services.items() if "healthcheck" in service and name not in UNMEASURED}
    prefixes = {name: "SCRAPE_IF_THERE__" if service.get("profiles") else "SCRAPE__" for name, service in kept.items()}
    wanted = {f"{prefix}{module_name(name).upper()}" for name, prefix in prefixes.items()}
    assert {name for name in asked if name.startswith("SCRAPE")} == wanted


def test_grouping_and_silence(tmp_path: Path) -> None:
    """A service that is down tells of nothing else; each service's alerts come together."""
    webhook = "http://127.0.0.1:8180/api/monitoring/alerts"
    written(tmp_path, settings(tmp_path, ALONE, alert_webhook_url=webhook))
    told = YAML(typ="safe").load((tmp_path / "alertmanager" / "alertmanager.yml").read_text())
    assert told["route"]["group_by"] == ["alertname", "service"]
    assert told["receivers"][0]["webhook_configs"][0]["url"] == webhook
    assert told["inhibit_rules"][0]["equal"] == ["service"]
