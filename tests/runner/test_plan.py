"""What is made of the topology here: addresses, replicas, folders, what is left out."""

from pathlib import Path
from typing import Any

import pytest

from scripts.runner import compose
from scripts.runner.keys import BadCompose
from scripts.runner.parts import PARTS, ours, postgres
from scripts.runner.plan import Plan, Unit, moved, plan
from scripts.runner.rewriting import Rewriter
from scripts.runner.site import ROOT, BadSetting, Site, site
from scripts.runner.topology import topology


def at(state: Path, **variables: str) -> Site:
    return site(ROOT, {"STATE_DIR": str(state), "PORT": "18080", **variables})


def planned(
    services: dict[str, Any],
    place: Site,
    *,
    more: dict[str, Any] | None = None,
    profiles: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> dict[str, Unit]:
    made = plan(topology({"services": services, **(more or {})}), place, profiles, without)
    return {unit.name: unit for unit in made.units}


@pytest.fixture
def rewrite(tmp_path: Path) -> Rewriter:
    folders = {"/files": tmp_path / "f", "/run/keys": tmp_path / "k", "/run": tmp_path / "r"}
    return Rewriter({"items": 1, "pair": 2, "kafka": 1}, 100, folders)


def test_a_service_s_name_means_this_machine(rewrite: Rewriter) -> None:
    assert rewrite("http://items:8120/x") == "http://127.0.0.1:8220/x"
    assert rewrite("postgresql://items@items:8120/items") == "postgresql://items@127.0.0.1:8220/items"
    assert rewrite("kafka:8340,items:8120") == "127.0.0.1:8440,127.0.0.1:8220"


@pytest.mark.parametrize("value", ["items", "my-items:8120", "items.example:8120", "items:*", "items:81201x"])
def test_other_things_that_look_like_it_are_left(rewrite: Rewriter, value: str) -> None:
    assert rewrite(value) == value


def test_one_address_of_several_replicas_becomes_all_of_them(rewrite: Rewriter) -> None:
    assert rewrite("http://pair:8200/v2") == "http://127.0.0.1:8300/v2,http://127.0.0.1:8301/v2"
    assert rewrite("at http://pair:8200") == "at http://127.0.0.1:8300"


def test_a_folder_of_the_container_is_one_of_the_state(rewrite: Rewriter, tmp_path: Path) -> None:
    assert rewrite("/files/a") == f"{tmp_path}/f/a"
    assert rewrite("file:///files") == f"file://{tmp_path}/f"
    assert rewrite("/run/keys/x:/run/y") == f"{tmp_path}/k/x:{tmp_path}/r/y"
    assert rewrite("/filesystem /my/files http://items/files") == "/filesystem /my/files http://items/files"


def test_a_process_is_told_where_it_is(tmp_path: Path) -> None:
    unit = planned({"items": {"build": ".", "command": "items"}}, at(tmp_path, SECRET="x", LC_TIME="C"))["items"]
    told = unit.environment
    assert (told["PORT_OFFSET"], told["REPLICA"], told["LISTEN_HOST"]) == ("10000", "0", "127.0.0.1")
    assert (told["PLATFORM_MODE"], told["LOG_FORMAT"], told["LC_TIME"]) == ("local", "line", "C")
    assert "SECRET" not in told  # a container would not have it either
    assert unit.ports == {"items": 18120}


def test_services_listen_on_sockets_too_unless_their_path_would_be_too_long(tmp_path: Path) -> None:
    for state, expected in ((Path("/s"), "/s/sockets"), (tmp_path / ("x" * 100), None)):
        unit = planned({"items": {"build": ".", "command": "items"}}, at(state))["items"]
        assert unit.environment.get("SOCKET_FOLDER") == expected


def test_ours_runs_by_the_venv_s_python(tmp_path: Path) -> None:
    place = at(tmp_path)
    nodes = {
        "items": {"build": ".", "command": "items --fast"},
        "mlflow": {"build": ".", "command": "mlflow", "x-local": {"venv": "mlflow"}},
        "own": {"build": ".", "entrypoint": ["sh", "-c"], "command": ["true"]},
    }
    commands = {name: ours(unit, place).command for name, unit in planned(nodes, place).items()}
    assert commands["items"] == (place.python(), "-m", "services", "items", "--fast")
    assert commands["mlflow"] == (str(ROOT / ".venv-mlflow" / "bin" / "python"), "-m", "services", "mlflow")
    assert commands["own"] == ("sh", "-c", "true")


def test_profiles_choose(tmp_path: Path) -> None:
    nodes: dict[str, Any] = {"a": {"build": "."}, "b": {"build": ".", "profiles": ["more"]}}
    assert list(planned(nodes, at(tmp_path))) == ["a"]
    assert list(planned(nodes, at(tmp_path), profiles=("more",))) == ["a", "b"]
    assert list(planned(nodes, at(tmp_path), profiles=("*",))) == ["a", "b"]


def test_what_depends_on_an_inactive_profile_is_an_error(tmp_path: Path) -> None:
    nodes: dict[str, Any] = {
        "a": {"build": ".", "depends_on": ["b"]},
        "b": {"build": ".", "profiles": ["more"]},
    }
    with pytest.raises(BadCompose, match=r"services\.a: .*`b`"):
        planned(nodes, at(tmp_path))
    nodes["a"]["depends_on"] = {"b": {"required": False}}
    assert list(planned(nodes, at(tmp_path))) == ["a"]


def test_waiting_for_the_health_of_what_has_no_check_is_an_error(tmp_path: Path) -> None:
    nodes = {"a": {"build": ".", "depends_on": {"b": {"condition": "service_healthy"}}}, "b": {"build": "."}}
    with pytest.raises(BadCompose, match="`b` has no health check"):
        planned(nodes, at(tmp_path))


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    nodes = {"a": {"build": ".", "depends_on": ["b"]}, "b": {"build": ".", "depends_on": ["a"]}, "c": {"build": "."}}
    with pytest.raises(BadCompose, match="circle: a, b"):
        planned(nodes, at(tmp_path))


def test_an_unknown_name_to_leave_out_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadCompose, match="nobody"):
        planned({"a": {"build": "."}}, at(tmp_path), without=("nobody",))


def kafka_and_user() -> dict[str, Any]:
    local = {"part": "kafka", "unless": "KAFKA_SERVERS", "everywhere": {"SESSION_MS": "2000"}}
    return {
        "kafka": {"image": "kafka", "x-local": local},
        "user": {
            "build": ".",
            "environment": {"KAFKA_SERVERS": "kafka:8340", "SESSION_MS": "6000"},
            "depends_on": ["kafka"],
        },
        "other": {"build": "."},
    }


def test_a_part_brings_its_settings_for_everybody(tmp_path: Path) -> None:
    user = planned(kafka_and_user(), at(tmp_path))["user"]
    assert (user.environment["KAFKA_SERVERS"], user.environment["SESSION_MS"]) == ("127.0.0.1:18340", "2000")


def test_a_server_that_is_given_is_used_instead_of_the_part(tmp_path: Path) -> None:
    units = planned(kafka_and_user(), at(tmp_path, KAFKA_SERVERS="broker.example:9092"))
    assert list(units) == ["user", "other"]
    told = units["user"].environment
    assert (told["KAFKA_SERVERS"], told["SESSION_MS"]) == ("broker.example:9092", "6000")
    assert units["user"].service.depends_on == ()
    assert "KAFKA_SERVERS" not in units["other"].environment


@pytest.mark.parametrize(
    ("declared", "given", "meant"),
    [
        ("kafka:8340", "broker.example:9092", "broker.example:9092"),
        ("http://mlflow:8300", "https://mlflow.example", "https://mlflow.example"),
        (
            "postgresql://items@postgres:8320/platform",
            "postgresql://admin:secret@db.example:5432/postgres?sslmode=require",
            "postgresql://items@db.example:5432/platform?sslmode=require",
        ),
    ],
)
def test_a_role_keeps_its_name_on_a_server_that_is_given(declared: str, given: str, meant: str) -> None:
    assert moved(declared, given) == meant


def test_what_has_no_local_part_is_said_and_left_out(tmp_path: Path) -> None:
    nodes = {"grafana": {"image": "grafana"}, "a": {"build": ".", "depends_on": ["grafana"]}}
    made: Plan = plan(topology({"services": nodes}), at(tmp_path))
    assert [unit.name for unit in made.units] == ["a"]
    assert made.notes == ("grafana: not started, it has no local part",)


def test_a_part_that_this_system_lacks_is_said_and_left_out(tmp_path: Path) -> None:
    nodes = {
        "meter": {"image": "meter", "x-local": {"part": "prometheus"}},
        "a": {"build": ".", "depends_on": {"meter": {"condition": "service_healthy"}}},
    }
    made: Plan = plan(topology({"services": nodes}), at(tmp_path), missing={"prometheus": "it is not there"})
    assert [unit.name for unit in made.units] == ["a"]
    assert made.units[0].service.depends_on == ()
    assert made.notes == ("meter: not started, it is not there",)


def test_local_settings_overrule(tmp_path: Path) -> None:
    nodes = {"a": {"build": ".", "environment": {"A": "1", "B": "1"}, "x-local": {"environment": {"B": "3"}}}}
    unit = planned(nodes, at(tmp_path), more={"x-local": {"environment": {"A": "2", "B": "2"}}})["a"]
    assert (unit.environment["A"], unit.environment["B"]) == ("2", "3")


def test_a_health_check_asks_its_own_replica(tmp_path: Path) -> None:
    node = {
        "build": ".",
        "deploy": {"replicas": 2},
        "healthcheck": {"test": ["CMD", "ask", "http://localhost:8120/health"]},
    }
    units = planned({"items": node}, at(tmp_path))
    asked = [unit.health.test[-1] for unit in units.values() if unit.health]
    assert asked == ["http://127.0.0.1:18120/health", "http://127.0.0.1:18121/health"]


def test_postgres_takes_its_settings_from_the_command() -> None:
    assert postgres.options(("postgres", "-c", "a=1", "-c", "b=x=y")) == {"a": "1", "b": "x=y"}


def test_two_state_folders_never_share_a_database(tmp_path: Path) -> None:
    assert postgres.folder(tmp_path / "a") != postgres.folder(tmp_path / "b")


@pytest.mark.parametrize("port", ["80", "65535", "http", "-1"])
def test_a_port_that_leaves_no_room_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(BadSetting, match=f"PORT={port}"):
        at(tmp_path, PORT=port)


def test_the_platform_s_own_topology_can_be_planned(tmp_path: Path) -> None:
    place = at(tmp_path)
    made = plan(topology(compose.read(ROOT / "compose.yaml", place.environment)), place)
    assert {unit.service.local.part for unit in made.units} - {None} == set(PARTS)
    assert {note.partition(":")[0] for note in made.notes} == {"grafana", "registry"}, "they are for containers only"
    ports = [port for unit in made.units for port in unit.ports.values()]
    assert len(ports) == len(set(ports))
