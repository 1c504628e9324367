"""The real Prometheus, with the configuration that a container would get."""

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.parts import packaged
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    port = unit.ports["prometheus"]
    words = (*packaged.elsewhere(unit.command, f"127.0.0.1:{port}"), "--log.level=warn")
    # The garbage collector of Go leaves as much garbage as there is data; a third of it will do.
    environment = {"GOGC": "30", "GOMAXPROCS": "1", **unit.environment}
    command = (packaged.program("prometheus"), *words)
    return Launch(command, environment, packaged.folder(), checks.http(port, "/-/ready"))


def missing() -> str | None:
    return packaged.missing("prometheus")
