"""Are the ports free? Asked before anything is started."""

import socket

from scripts.runner import processes
from scripts.runner.plan import Plan


def taken(plan: Plan) -> list[str]:
    """A sentence for each port that somebody else has."""
    wanted = [(port, unit.name) for unit in plan.units for port in unit.ports.values()]
    twice = {port for port, _ in wanted if sum(port == other for other, _ in wanted) > 1}
    said = [f"port {port} is wanted by several: {_names(port, wanted)}" for port in sorted(twice)]
    busy = [(port, name) for port, name in wanted if not is_free(port)]
    return said + [f"port {port} ({name}) is taken by {processes.owner_of_port(port)}" for port, name in busy]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _names(port: int, wanted: list[tuple[int, str]]) -> str:
    return ", ".join(name for other, name in wanted if other == port)
