"""What both rankers do around learning: read the log or wait, keep facts, draw and write what was judged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.contract import Manifest
from pipelines import waiting
from pipelines.folders import Folders
from pipelines.interactions.log import Enough, Log, Whose, read, whose
from pipelines.interactions.ordering import Floats, Search
from pipelines.interactions.pictures import orders_picture, places_picture

PICTURES = ("orders.png", "places.png")
TOLD: Mapping[Whose, str] = {
    "people": "What people did with results on this platform.",
    "programs": "What programs did that play users (`scripts/simulate`): of people there was not enough yet.",
}
"""Whose log it was, in a card."""


@dataclass(frozen=True)
class Ranker(Folders):
    """A model that is learnt from the log of use."""

    def log(self, enough: Enough) -> tuple[Whose, Log] | str:
        """The log to learn from, or why there is none."""
        snapshot = self.data / "snapshot"
        return waiting.why(snapshot) or whose(read(snapshot), enough)

    def waits(self) -> bool:
        """Nothing was trained: then there is no artefact either, and it says why."""
        if why := waiting.why(self.trained):
            waiting.wait(self.model, why)
            (self.data / "metrics.json").write_text("{}\n")
        return bool(why)

    def facts(self) -> dict[str, Any]:
        """What the stages before tell the card."""
        facts: dict[str, Any] = {}
        for folder in (self.trained, self.prepared):
            facts |= json.loads((folder / "facts.json").read_text())
        return facts

    def draw(
        self, metrics: Mapping[str, float], judged: Sequence[Search], ways: Mapping[str, Sequence[Floats]]
    ) -> None:
        """The pictures of the card; the first way is this model's."""
        self.committed.mkdir(parents=True, exist_ok=True)
        orders, places = (self.committed / name for name in PICTURES)
        orders_picture(metrics, list(ways), orders)
        places_picture(judged, next(iter(ways.values())), places)

    def write(
        self,
        manifest: Manifest,
        raws: Sequence[bytes],
        metrics: Mapping[str, float],
        reference: Mapping[str, Any],
        card_text: str,
    ) -> None:
        """The artefact and what is committed of it; its samples are questions as JSON."""
        self.keep(manifest, raws, metrics, reference, card_text, PICTURES, ".json", ["pydantic"])
