"""What compose.yaml describes, as typed values."""

import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.runner.compose import as_mapping
from scripts.runner.durations import seconds
from scripts.runner.keys import BadCompose

CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")


@dataclass(frozen=True)
class Health:
    """A health check, in seconds; the defaults are Docker's."""

    test: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0
    start_interval: float = 5.0


@dataclass(frozen=True)
class Dependency:
    service: str
    condition: str
    required: bool = True


@dataclass(frozen=True)
class Mount:
    """A folder of the container: a named volume, a folder of the clone, or a temporary one."""

    kind: str
    source: str
    target: str


@dataclass(frozen=True)
class Local:
    """`x-local`: what is different without Docker."""

    part: str | None
    venv: str | None
    unless: str | None
    environment: Mapping[str, str]
    everywhere: Mapping[str, str]


@dataclass(frozen=True)
class Service:
    """One service of compose.yaml."""

    name: str
    ours: bool
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str | None]
    health: Health | None
    depends_on: tuple[Dependency, ...]
    restart: str
    profiles: tuple[str, ...]
    mounts: tuple[Mount, ...]
    replicas: int
    ports: tuple[int, ...]
    stop_signal: signal.Signals | None
    stop_grace: float
    local: Local

    @property
    def once(self) -> bool:
        """A one-shot: it is done when it has ended well."""
        return self.restart.partition(":")[0] in ("no", "on-failure")


@dataclass(frozen=True)
class Topology:
    services: Mapping[str, Service]
    environment: Mapping[str, str]


def topology(tree: Mapping[str, Any]) -> Topology:
    services = {name: service(name, node) for name, node in (tree.get("services") or {}).items()}
    return Topology(services, _texts((tree.get("x-local") or {}).get("environment")))


def service(name: str, node: Mapping[str, Any]) -> Service:
    try:
        return _service(name, node)
    except (ValueError, KeyError, TypeError) as error:
        raise BadCompose(f"services.{name}: {error}") from error


def _service(name: str, node: Mapping[str, Any]) -> Service:
    local = node.get("x-local") or {}
    deploy = node.get("deploy") or {}
    stop_signal = node.get("stop_signal")
    return Service(
        name=name,
        ours="build" in node or "command" in local,
        entrypoint=_words(node.get("entrypoint")),
        command=_words(local.get("command", node.get("command"))),
        environment={key: _text(value) for key, value in as_mapping(node.get("environment")).items()},
        health=_health({**(node.get("healthcheck") or {}), **(local.get("healthcheck") or {})}),
        depends_on=_dependencies(node.get("depends_on") or {}),
        restart=str(node.get("restart", "no")),
        profiles=tuple(node.get("profiles") or ()),
        mounts=(*map(_mount, node.get("volumes") or ()), *map(_tmpfs, _list(node.get("tmpfs")))),
        replicas=int(deploy.get("replicas", node.get("scale", 1))),
        ports=(*map(_inner_port, node.get("ports") or ()), *(int(port) for port in node.get("expose") or ())),
        stop_signal=signal.Signals[f"SIG{stop_signal.removeprefix('SIG')}"] if stop_signal else None,
        stop_grace=seconds(str(node.get("stop_grace_period", "10s"))),
        local=_local(local),
    )


def _local(node: Mapping[str, Any]) -> Local:
    return Local(
        part=node.get("part"),
        venv=node.get("venv"),
        unless=node.get("unless"),
        environment=_texts(node.get("environment")),
        everywhere=_texts(node.get("everywhere")),
    )


def _health(node: Mapping[str, Any]) -> Health | None:
    test = node.get("test")
    words = ("CMD-SHELL", test) if isinstance(test, str) else tuple(map(str, test or ()))
    if node.get("disable") or not words or words[0] == "NONE":
        return None
    times = {key: seconds(str(node[key])) for key in node.keys() - {"test", "retries", "disable"}}
    return Health(words, retries=int(node.get("retries", 3)), **times)


def _dependencies(node: Any) -> tuple[Dependency, ...]:
    if isinstance(node, list):
        return tuple(Dependency(name, "service_started") for name in node)
    return tuple(_dependency(name, how or {}) for name, how in node.items())


def _dependency(name: str, how: Mapping[str, Any]) -> Dependency:
    condition = how.get("condition", "service_started")
    if condition not in CONDITIONS:
        raise ValueError(f"depends_on.{name}: `{condition}` is no condition")
    return Dependency(name, condition, bool(how.get("required", True)))


def _mount(node: Any) -> Mount:
    if isinstance(node, dict):
        return Mount(node["type"], str(node.get("source", "")), node["target"])
    source, _, rest = str(node).partition(":")
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    return Mount(kind, source, rest.partition(":")[0])


def _tmpfs(target: str) -> Mount:
    return Mount("tmpfs", "", target.partition(":")[0])


def _inner_port(node: Any) -> int:
    inner = node["target"] if isinstance(node, dict) else str(node).rpartition(":")[2].partition("/")[0]
    return int(inner)


def _words(node: Any) -> tuple[str, ...]:
    return tuple(shlex.split(node)) if isinstance(node, str) else tuple(map(str, node or ()))


def _list(node: Any) -> list[str]:
    return [node] if isinstance(node, str) else list(node or ())


def _texts(node: Any) -> dict[str, str]:
    return {key: _text(value) or "" for key, value in as_mapping(node).items()}


def _text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def folder(mount: Mount, state: Path, root: Path, owner: str) -> Path:
    """Where a folder of the container lies on this machine."""
    if mount.kind == "bind":
        return (root / Path(mount.source).expanduser()).resolve()
    if mount.kind == "tmpfs":
        return state / "tmp" / owner / mount.target.strip("/").replace("/", "-")
    return state / "volumes" / mount.source
