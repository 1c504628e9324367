"""Reading compose.yaml: YAML 1.2, variables, merging, known keys."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.runner import compose
from scripts.runner.durations import seconds
from scripts.runner.interpolation import dotenv, text
from scripts.runner.keys import PLACES, BadCompose
from scripts.runner.site import ROOT
from scripts.runner.topology import Service, service, topology
from tests.docker_compose import with_compose


def read(tmp_path: Path, content: str, **variables: str) -> dict[str, Any]:
    file = tmp_path / "compose.yaml"
    file.write_text(content)
    return compose.read(file, variables)


def test_it_is_yaml_1_2(tmp_path: Path) -> None:
    tree = read(tmp_path, "services: {a: {restart: no, ports: [22:22], environment: {FLAG: on}}}")
    assert tree["services"]["a"] == {"restart": "no", "ports": ["22:22"], "environment": {"FLAG": "on"}}


def test_anchors_are_merged_and_may_be_overruled(tmp_path: Path) -> None:
    content = "x-a: &a {restart: always, user: me}\nservices: {s: {<<: *a, restart: 'no'}}"
    assert read(tmp_path, content)["services"]["s"] == {"restart": "no", "user": "me"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$NAME", "value"),
        ("${NAME}!", "value!"),
        ("${NONE:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${NONE:-${NAME}}", "value"),
        ("${NAME:+yes}", "yes"),
        ("${NONE:+yes}", ""),
        ("$$NAME", "$NAME"),
        ("${NONE}", ""),
    ],
)
def test_variables(written: str, meant: str) -> None:
    assert text(written, {"NAME": "value", "EMPTY": ""}) == meant


def test_a_variable_that_is_needed_is_asked_for() -> None:
    with pytest.raises(BadCompose, match="NONE"):
        text("${NONE:?say what}", {})


def test_the_file_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# comment\nA=1\nexport B='two'\n\n")
    assert dotenv(tmp_path / ".env") == {"A": "1", "B": "two"}


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("services: {a: {colour: red}}", r"services\.a: `colour` is in none"),
        ("services: {a: {deploy: {colour: red}}}", r"services\.a\.deploy: `colour` is in none"),
        ("services: {a: {depends_on: {b: {colour: red}}}}", r"services\.a\.depends_on\.b: `colour`"),
        ("services: {a: {healthcheck: {colour: red}}}", r"services\.a\.healthcheck: `colour`"),
        ("services: {a: {x-local: {colour: red}}}", r"services\.a\.x-local: `colour`"),
        ("services: {a: {container_name: a}}", r"services\.a: `container_name` is refused"),
        ("secrets: {a: {file: b}}", r"compose\.yaml: `secrets` is refused"),
        ("colour: red", r"compose\.yaml: `colour` is in none"),
    ],
)
def test_a_key_that_is_refused_or_unknown_is_named_with_its_place(tmp_path: Path, content: str, where: str) -> None:
    with pytest.raises(BadCompose, match=where):
        read(tmp_path, content)


def test_no_key_is_in_two_lists() -> None:
    for place, keys in PLACES.items():
        assert not keys.honoured & keys.ignored, place
        assert not (keys.honoured | keys.ignored) & keys.refused, place


def test_a_fork_s_override_is_laid_over(tmp_path: Path) -> None:
    override = "services: {a: {command: [new], environment: [B=2], tmpfs: [/b]}, c: {restart: always}}"
    (tmp_path / "compose.override.yaml").write_text(override)
    content = "services: {a: {command: [old, x], environment: {A: 1}, tmpfs: [/a], restart: 'no'}}"
    tree = read(tmp_path, content)["services"]
    assert tree["a"] == {
        "command": ["new"],
        "environment": {"A": 1, "B": "2"},
        "tmpfs": ["/a", "/b"],
        "restart": "no",
    }
    assert tree["c"] == {"restart": "always"}


@pytest.mark.parametrize(("written", "meant"), [("500ms", 0.5), ("10s", 10.0), ("1m30s", 90.0), ("2h", 7200.0)])
def test_durations(written: str, meant: float) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize("written", ["", "10", "s", "10 s", "1d"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(written)


def test_a_service_is_read_in_all_its_forms() -> None:
    read = service(
        "s",
        {
            "build": ".",
            "command": "serve --name 'a b'",
            "environment": ["A=1", "B"],
            "healthcheck": {"test": "true", "interval": "1s", "retries": 5},
            "depends_on": ["x"],
            "restart": "on-failure:3",
            "volumes": ["data:/data", "./here:/there:ro", {"type": "volume", "source": "v", "target": "/v"}],
            "tmpfs": "/tmp:size=1m",
            "deploy": {"replicas": "2"},
            "ports": ["127.0.0.1:80:8080/tcp", {"target": 90}],
            "stop_signal": "SIGINT",
            "stop_grace_period": "1m",
        },
    )
    assert read.command == ("serve", "--name", "a b")
    assert read.environment == {"A": "1", "B": None}
    assert read.health is not None
    assert (read.health.test, read.health.interval, read.health.retries) == (("CMD-SHELL", "true"), 1.0, 5)
    assert [(need.service, need.condition) for need in read.depends_on] == [("x", "service_started")]
    assert [(mount.kind, mount.source, mount.target) for mount in read.mounts] == [
        ("volume", "data", "/data"),
        ("bind", "./here", "/there"),
        ("volume", "v", "/v"),
        ("tmpfs", "", "/tmp"),
    ]
    assert (read.replicas, read.ports, read.stop_signal, read.stop_grace) == (2, (8080, 90), 2, 60.0)
    assert read.once


def test_a_wrong_value_is_named_with_its_service() -> None:
    with pytest.raises(BadCompose, match=r"services\.s: `soon` is no duration"):
        service("s", {"stop_grace_period": "soon"})


@with_compose
def test_compose_reads_the_same() -> None:
    """Docker's own reading of compose.yaml, brought into our form, is ours."""
    command = ["docker", "compose", "--profile", "*", "config"]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DOCKER_CONFIG")}
    output = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=True).stdout
    theirs = YAML(typ="safe", pure=True).load(output)
    ours = compose.read(ROOT / "compose.yaml", dotenv(ROOT / ".env"))
    assert _comparable(topology(theirs).services) == _comparable(topology(ours).services)


def _comparable(services: Any) -> dict[str, Any]:
    return {name: _facts(read) for name, read in services.items()}


def _facts(read: Service) -> dict[str, Any]:
    return {
        "command": read.command,
        "entrypoint": read.entrypoint,
        "environment": dict(read.environment),
        "health": read.health,
        "depends_on": {(need.service, need.condition) for need in read.depends_on},
        "restart": read.restart,
        "profiles": set(read.profiles),
        "volumes": {(mount.source, mount.target) for mount in read.mounts if mount.kind == "volume"},
        "replicas": read.replicas,
        "ports": set(read.ports),
        "stop": (read.stop_signal, read.stop_grace),
        "local": read.local,
    }
