"""The real parts that stand in for other people's images: `x-local: {part: NAME}`."""

import signal
from collections.abc import Callable, Mapping

from scripts.runner.checks import answers
from scripts.runner.checks import command as command_check
from scripts.runner.keys import BadCompose
from scripts.runner.launch import Check, Launch
from scripts.runner.parts import alertmanager, envoy, kafka, postgres, prometheus
from scripts.runner.plan import Unit
from scripts.runner.site import Site
from services.chassis.ports import PORTS

ASKS = ("CMD", "python", "-m", "services.chassis.health")
PARTS: Mapping[str, Callable[[Unit, Site], Launch]] = {
    "alertmanager": alertmanager.prepare,
    "envoy": envoy.prepare,
    "kafka": kafka.prepare,
    "postgres": postgres.prepare,
    "prometheus": prometheus.prepare,
}
OPTIONAL: Mapping[str, Callable[[], str | None]] = {
    "alertmanager": alertmanager.missing,
    "prometheus": prometheus.missing,
}
"""Parts that some systems do not offer; the platform works without them."""


def missing() -> dict[str, str]:
    """The parts that cannot run here, and why."""
    return {name: why for name, reason in OPTIONAL.items() if (why := reason())}


def prepare(unit: Unit, site: Site) -> Launch:
    """Everything that must be there before the process starts; it may take a second at the first start."""
    part = unit.service.local.part
    return PARTS[part](unit, site) if part else ours(unit, site)


def refuse_unknown(units: tuple[Unit, ...]) -> None:
    for unit in units:
        part = unit.service.local.part
        if part and part not in PARTS:
            raise BadCompose(
                f"services.{unit.service.name}.x-local: there is no part `{part}`; there are {list(PARTS)}"
            )


def ours(unit: Unit, site: Site) -> Launch:
    """A process of the platform: the Dockerfile's entry point, with the venv's Python."""
    python = site.python(unit.service.local.venv)
    words = (*(unit.service.entrypoint or ("python", "-m", "services")), *unit.command)
    check = None
    if unit.health:
        check = _asked(unit, unit.health.test) or _run(unit, site, python, unit.health.test)
    argv = tuple(python if index == 0 and word == "python" else word for index, word in enumerate(words))
    stop = unit.service.stop_signal or signal.SIGTERM
    return Launch(argv, unit.environment, site.root, check, stop_signal=stop)


def _asked(unit: Unit, test: tuple[str, ...]) -> Check | None:
    """What our own check does, done here: a program for each check is most of what an idle platform would do."""
    if test[:4] != ASKS or len(test) not in (5, 6) or test[4] not in PORTS:
        return None
    shift = int(unit.environment["PORT_OFFSET"]) + int(unit.environment["REPLICA"])
    return answers(PORTS[test[4]] + shift, f"/health/{test[5] if len(test) == 6 else 'ready'}")


def _run(unit: Unit, site: Site, python: str, test: tuple[str, ...]) -> Check:
    words = tuple(python if word == "python" else word for word in test)
    return command_check(words, unit.environment, site.root)
