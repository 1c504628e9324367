"""What will be started: one unit for every process, with everything filled in."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from scripts.runner.keys import BadCompose
from scripts.runner.rewriting import Rewriter, own_address
from scripts.runner.site import Site
from scripts.runner.topology import Dependency, Health, Service, Topology, folder
from services.chassis.ports import PORTS

NOTHING: Mapping[str, str] = {}
MARK = "PLATFORM_STATE_DIR"  # in every process's environment: whose it is
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
KEPT = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", *LIBRARIES, *PROXIES})


@dataclass(frozen=True)
class Unit:
    """One process to keep: a service, or one replica of it."""

    name: str
    service: Service
    replica: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    health: Health | None
    ports: Mapping[str, int]
    folders: tuple[Path, ...] = ()

    @property
    def log(self) -> str:
        return f"{self.name}.log"


@dataclass(frozen=True)
class Plan:
    units: tuple[Unit, ...]
    notes: tuple[str, ...]

    def users(self, service: str) -> tuple[Unit, ...]:
        """Who needs it, directly or through others."""
        users = {service}
        while more := {
            unit.service.name
            for unit in self.units
            if unit.service.name not in users and users & {need.service for need in unit.service.depends_on}
        }:
            users |= more
        return tuple(unit for unit in self.units if unit.service.name in users - {service})


def plan(
    topology: Topology,
    site: Site,
    profiles: Collection[str] = (),
    without: Collection[str] = (),
    missing: Mapping[str, str] = NOTHING,
) -> Plan:
    """`missing`: parts that cannot run here, and why."""
    unknown = set(without) - topology.services.keys()
    if unknown:
        raise BadCompose(f"--without {', '.join(sorted(unknown))}: no such service")
    chosen = {name: item for name, item in topology.services.items() if _in_profile(item, profiles)}
    notes = {name: _left_out(item, site, without, missing) for name, item in chosen.items()}
    left_out = {name: note for name, note in notes.items() if note is not None}
    running = {
        name: replace(item, depends_on=_dependencies(item, chosen, left_out))
        for name, item in chosen.items()
        if name not in left_out
    }
    _refuse_circles(running)
    given = _given((chosen[name] for name in left_out), site)
    everywhere = {key: text for item in running.values() for key, text in item.local.everywhere.items()}
    builder = Builder(topology, site, {**topology.environment, **everywhere}, given)
    units = (builder.unit(item, index) for item in running.values() for index in range(item.replicas))
    return Plan(tuple(units), tuple(note for note in left_out.values() if note))


def _in_profile(service: Service, profiles: Collection[str]) -> bool:
    return not service.profiles or "*" in profiles or bool(set(service.profiles) & set(profiles))


def _left_out(service: Service, site: Site, without: Collection[str], missing: Mapping[str, str]) -> str | None:
    """Why a chosen service is not started here; an empty text needs no word."""
    variable = service.local.unless
    if service.name in without or not service.replicas:
        return ""
    if variable and site.environment.get(variable):
        return f"{service.name}: not started, {variable} is given"
    if not service.ours and not service.local.part:
        return f"{service.name}: not started, it has no local part"
    if reason := missing.get(service.local.part or ""):
        return f"{service.name}: not started, {reason}"
    return None


def _given(left_out: Iterable[Service], site: Site) -> dict[str, str]:
    """The addresses of what somebody else runs."""
    variables = (item.local.unless or "" for item in left_out)
    return {name: site.environment[name] for name in variables if site.environment.get(name)}


def _dependencies(
    service: Service, chosen: Mapping[str, Service], left_out: Mapping[str, str]
) -> tuple[Dependency, ...]:
    """The dependencies that have to be waited for; what is left out counts as met."""
    wanted = [item for item in service.depends_on if item.service in chosen or item.required]
    for item in wanted:
        if item.service not in chosen:
            raise BadCompose(f"services.{service.name}: it depends on `{item.service}`, which no active profile has")
        if item.condition == "service_healthy" and not _checked(chosen[item.service]):
            raise BadCompose(f"services.{service.name}: `{item.service}` has no health check to wait for")
    return tuple(item for item in wanted if item.service not in left_out)


def _checked(service: Service) -> bool:
    return bool(service.health or service.local.part)


def _refuse_circles(services: Mapping[str, Service]) -> None:
    done: set[str] = set()
    while ready := {
        name
        for name, item in services.items()
        if name not in done and all(dependency.service in done for dependency in item.depends_on)
    }:
        done |= ready
    if circle := services.keys() - done:
        raise BadCompose(f"depends_on goes in a circle: {', '.join(sorted(circle))}")


class Builder:
    """Makes units: fills in what the topology leaves to the place."""

    def __init__(
        self, topology: Topology, site: Site, environment: Mapping[str, str], given: Mapping[str, str]
    ) -> None:
        self.site, self.environment, self.given = site, environment, given
        self.replicas = {name: item.replicas for name, item in topology.services.items()}

    def unit(self, service: Service, replica: int) -> Unit:
        folders = self._folders(service)
        rewrite = Rewriter(self.replicas, self.site.offset, folders)
        own = {mount.target for mount in service.mounts if mount.kind != "bind"}
        return Unit(
            name=service.name if service.replicas == 1 else f"{service.name}-{replica + 1}",
            service=service,
            replica=replica,
            command=tuple(map(rewrite, service.command)),
            environment=self._environment(service, replica, rewrite),
            health=self._health(service, replica, rewrite),
            ports=ports(service, self.site.offset + replica),
            folders=tuple(path for target, path in folders.items() if target in own),
        )

    def _folders(self, service: Service) -> dict[str, Path]:
        site = self.site
        return {mount.target: folder(mount, site.state, site.root, service.name) for mount in service.mounts}

    def _environment(self, service: Service, replica: int, rewrite: Rewriter) -> dict[str, str]:
        declared = {name: self._declared(name, value) for name, value in service.environment.items()}
        return {
            **{name: value for name, value in self.site.environment.items() if name in KEPT or name.startswith("LC_")},
            **{name: rewrite(value) for name, value in declared.items() if value is not None},
            **self.environment,
            **{name: moved(declared[name], value) for name, value in self.given.items() if name in declared},
            **{name: rewrite(value) for name, value in service.local.environment.items()},
            **self._place(replica),
        }

    def _declared(self, name: str, value: str | None) -> str | None:
        return self.site.environment.get(name) if value is None else value

    def _place(self, replica: int) -> dict[str, str]:
        sockets = {"SOCKET_FOLDER": str(self.site.sockets)} if self.site.sockets else {}
        return {
            **sockets,
            "PORT_OFFSET": str(self.site.offset),
            "REPLICA": str(replica),
            "LISTEN_HOST": "127.0.0.1",
            "LOG_FORMAT": "line",
            "PLATFORM_MODE": "local",
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.site.state),
        }

    def _health(self, service: Service, replica: int, rewrite: Rewriter) -> Health | None:
        if service.health is None:
            return None
        words = (own_address(word, self.site.offset + replica) for word in service.health.test)
        return replace(service.health, test=tuple(map(rewrite, words)))


def moved(declared: str | None, given: str) -> str:
    """A given address instead of the part's. Of a URL with a user (a role of its own in the database) only the
    server is taken."""
    ours, theirs = urlsplit(declared or ""), urlsplit(given)
    if not ours.username or not theirs.hostname:
        return given
    server = theirs.netloc.rpartition("@")[2]
    user = ours.netloc.rpartition("@")[0]
    return urlunsplit((ours.scheme, f"{user}@{server}", ours.path, theirs.query, ""))


def ports(service: Service, shift: int) -> dict[str, int]:
    """The ports a process is going to take: those of its name in the one list, and those compose.yaml tells."""
    listed = {name: port for name, port in PORTS.items() if name == service.name or name.startswith(f"{service.name}-")}
    told = {str(port): port for port in service.ports if port not in listed.values()}
    return {name: port + shift for name, port in {**listed, **told}.items()}
