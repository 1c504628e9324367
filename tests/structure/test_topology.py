"""compose.yaml, the list of ports and the folders of services tell the same story."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from services.chassis.names import service_name
from services.chassis.ports import PORTS

ROOT = Path(__file__).parents[2]
ONE_SHOTS = {"preflight", "keys", "migrate", "gateway-config", "prometheus-config", "grafana-config", "seed"}
OPERATIONS = {"mlflow", "prometheus", "alertmanager", "grafana", "registry"}
"""Published on loopback for people; each has its port by PORT_<NAME>."""
IMAGES = {
    "apache/kafka:4.3.1",
    "envoyproxy/envoy:v1.37.2",
    "grafana/grafana:13.2.1",
    "pgvector/pgvector:0.8.6-pg17",
    "prom/alertmanager:v0.28.1",
    "prom/prometheus:v3.13.3",
    "registry:3.1.2",
}
BUILT_HERE = {"inference-in-image"}
"""Its image is what image-builder makes; which one is said by MODEL_IMAGE."""


@pytest.fixture(scope="module")
def topology() -> dict[str, Any]:
    return dict(YAML(typ="safe").load((ROOT / "compose.yaml").read_text()))


def replicas(service: dict[str, Any]) -> int:
    return int(service.get("deploy", {}).get("replicas", 1))


def test_every_address_has_the_port_of_the_list(topology: dict[str, Any]) -> None:
    for name, service in topology["services"].items():
        text = str(service.get("environment", "")) + str(service.get("command", ""))
        for host, port in re.findall(r"\b([a-z][a-z-]+):(\d{4})\b", text):
            if host in topology["services"]:
                assert int(port) in ports_of(host), f"{name} thinks {host} is on {port}"


def ports_of(service: str) -> set[int]:
    return {port for name, port in PORTS.items() if name == service or name.startswith(f"{service}-")}


def test_every_folder_is_a_service_and_every_service_has_its_folder(topology: dict[str, Any]) -> None:
    folders = {service_name(path.parent.name) for path in (ROOT / "services").glob("*/main.py")}
    ours = {name for name, service in topology["services"].items() if "build" in service}
    assert ours == folders


def test_every_process_has_a_health_check_or_ends(topology: dict[str, Any]) -> None:
    processes = {name: service for name, service in topology["services"].items() if replicas(service)}
    without = {name for name, service in processes.items() if "healthcheck" not in service}
    assert without == ONE_SHOTS


def test_images_of_others_are_pinned_to_known_tags(topology: dict[str, Any]) -> None:
    others = {name: service["image"] for name, service in topology["services"].items() if "build" not in service}
    assert {image for name, image in others.items() if name not in BUILT_HERE} == IMAGES
    assert all(others[name].startswith("${MODEL_IMAGE:-localhost:") for name in BUILT_HERE)


def test_published_are_the_gateway_and_what_operators_look_at(topology: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in topology["services"].items() if service.get("ports")}
    assert published.pop("gateway") == ["${BIND:-127.0.0.1}:${PORT:-8080}:8080"]
    assert published == {
        name: [f"127.0.0.1:${{PORT_{name.upper()}:-{PORTS[name]}}}:{PORTS[name]}"] for name in OPERATIONS
    }


def test_what_publishes_has_a_network_that_may(topology: dict[str, Any]) -> None:
    """A network that is internal publishes nothing; the one for operators lets nothing out."""
    members = {name for name, service in topology["services"].items() if "operations" in service.get("networks", [])}
    assert members == OPERATIONS
    options = topology["networks"]["operations"]["driver_opts"]
    assert options == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_ports_leave_room_for_replicas() -> None:
    ordered = sorted(PORTS.values())
    assert all(later - earlier >= 10 for earlier, later in pairwise(ordered))
    assert ordered[0] >= 8080
    assert ordered[-1] < 8400
