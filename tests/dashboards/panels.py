"""The dashboards' panels with their queries, and which of them nothing fills yet."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BOARDS = Path(__file__).parents[2] / "dashboards" / "grafana" / "boards"
RATE_INTERVAL = "30s"
"""What Grafana makes of `$__rate_interval`, at least: four scrapes, and some."""

LATER: set[str] = set()
"""Panels whose figures nothing makes yet. This only shrinks: a test fails when one of them is filled."""


@dataclass(frozen=True)
class Panel:
    """A panel as far as its figures go."""

    board: str
    row: str
    title: str
    queries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.board} / {self.row} / {self.title}"


def panels(uid: str) -> Iterator[Panel]:
    """The panels of one dashboard that ask something."""
    row = ""
    for panel in json.loads((BOARDS / f"{uid}.json").read_text())["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            yield Panel(uid, row, panel["title"], tuple(target["expr"] for target in panel["targets"]))


def every_panel() -> list[Panel]:
    """The panels of all dashboards."""
    return [panel for file in sorted(BOARDS.glob("*.json")) for panel in panels(file.stem)]


def asked(query: str) -> str:
    """The query as Grafana sends it when everything is chosen."""
    return re.sub(r"\$[a-z]\w*", ".+", query.replace("$__rate_interval", RATE_INTERVAL))
