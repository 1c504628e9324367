"""What compose.yaml allows a container to do, to reach and to know: little."""

import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.runner.site import ROOT
from services.chassis.names import service_name
from services.keys.main import KeysSettings

Services = dict[str, dict[str, Any]]
HOLDERS = {"inference": "inference-sync", "accounts": "seed", "gateway": "gateway-config"}
"""Whose folder of secrets has another name than its service."""


@pytest.fixture(scope="module")
def topology() -> dict[str, Any]:
    return dict(YAML(typ="safe").load((ROOT / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def services(topology: dict[str, Any]) -> Services:
    found: Services = topology["services"]
    return {name: service for name, service in found.items() if service.get("deploy", {}).get("replicas") != 0}


def test_nobody_has_privileges(services: Services) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & service.keys(), name


def test_everybody_has_limits(services: Services) -> None:
    assert {
        name
        for name, service in services.items()
        if not {"mem_limit", "pids_limit", "cpus", "logging"} <= service.keys()
    } == set()


def test_programs_cannot_be_changed(services: Services) -> None:
    writable = {name for name, service in services.items() if not service.get("read_only")}
    assert writable == {"kafka"}, "it writes its configuration beside its program"


def test_nothing_of_the_machine_is_mounted(topology: dict[str, Any], services: Services) -> None:
    mounted = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert mounted == set(topology["volumes"])
    assert not any(topology["volumes"].values())


def test_every_consumer_sees_its_own_secrets_only(services: Services) -> None:
    for name, service in services.items():
        keys = [volume for volume in service.get("volumes", []) if volume.startswith("keys-")]
        if name != "keys":
            assert len(keys) <= 1, name
            assert all(volume.endswith(":/run/keys:ro") for volume in keys), name
    consumers = {
        volume.split(":")[0]: name
        for name, service in services.items()
        for volume in service.get("volumes", [])
        if ":/run/keys" in volume
    }
    assert consumers == {f"keys-{holder}": HOLDERS.get(holder, holder) for holder in holders()}


def holders() -> set[str]:
    fields = (name for name in KeysSettings.model_fields if name.startswith("keys_"))
    return {service_name(name.removeprefix("keys_")) for name in fields}


def test_no_secret_is_in_the_environment(services: Services) -> None:
    for name, service in services.items():
        for variable in service.get("environment", {}):
            secret = any(word in variable for word in ("PASSWORD", "SECRET", "SIGNING", "CSRF"))
            assert not secret or variable.endswith("_FILE"), f"{name}: {variable}"


def test_data_is_out_of_reach_of_the_edge(topology: dict[str, Any], services: Services) -> None:
    networks = {name: set(service["networks"]) for name, service in services.items()}
    assert {name for name, found in networks.items() if "edge" in found} == {"gateway"}
    assert networks["postgres"] == networks["kafka"] == {"data"}
    assert {name for name, found in networks.items() if "data" in found and "edge" in found} == set()
    closed = {name for name, network in topology["networks"].items() if (network or {}).get("internal")}
    assert closed == {"services", "data"}


def test_who_needs_data_is_where_data_is(services: Services) -> None:
    for name, service in services.items():
        text = str(service.get("environment", ""))
        needs = "data" if "@postgres:" in text or "kafka:8340" in text else None
        if needs and name != "kafka":
            assert needs in service["networks"], name
        elif name not in ("postgres", "kafka"):
            assert "data" not in service["networks"], name


def test_the_linter_finds_nothing_that_is_not_explained() -> None:
    words = ["-m", "compose_lint", "check", "--fail-on", "medium", "--strict-config", "compose.yaml"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
