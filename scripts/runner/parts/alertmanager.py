"""The real Alertmanager, with the configuration that a container would get."""

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.parts import packaged
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    port = unit.ports["alertmanager"]
    words = (*packaged.elsewhere(unit.command, f"127.0.0.1:{port}"), "--log.level=warn")
    command = (packaged.program("alertmanager"), *words)
    return Launch(command, unit.environment, packaged.folder(), checks.http(port, "/-/ready"))


def missing() -> str | None:
    return packaged.missing("alertmanager")
