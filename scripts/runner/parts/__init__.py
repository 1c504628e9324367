"""The real parts that stand in for other people's images: `x-local: {part: NAME}`."""

import signal
from collections.abc import Callable, Mapping

from scripts.runner.checks import command as command_check
from scripts.runner.keys import BadCompose
from scripts.runner.launch import Launch
from scripts.runner.parts import alertmanager, envoy, kafka, postgres, prometheus
from scripts.runner.plan import Unit
from scripts.runner.site import Site

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
        test = tuple(python if word == "python" else word for word in unit.health.test)
        check = command_check(test, unit.environment, site.root)
    argv = tuple(python if index == 0 and word == "python" else word for index, word in enumerate(words))
    stop = unit.service.stop_signal or signal.SIGTERM
    return Launch(argv, unit.environment, site.root, check, stop_signal=stop)
