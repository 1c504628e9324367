"""The dashboards there are, and their text."""

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana.platform_board import PLATFORM
from dashboards.grafana.service_board import SERVICE

BOARDS = {board.uid: board for board in (PLATFORM, SERVICE)}


def rendered(uid: str) -> str:
    """A dashboard as Grafana reads it; the same code gives the same text."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(BOARDS[uid].built().build()) + "\n"
