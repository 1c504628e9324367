"""How models do in use, as the warehouse counts it: searches, clicks, likes, accepted suggestions, predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.web.app import App
from services.web.remote import unless_resting
from services.web.visit import Visit

BY_VERSION = "models"


@dataclass(frozen=True)
class Figures:
    """Of one version. What was not counted is nothing, which is not zero."""

    predictions: int | None = None
    searches: int | None = None
    ctr: float | None = None
    ctr_low: float | None = None
    ctr_high: float | None = None
    likes: int | None = None
    acceptance: float | None = None

    @property
    def any(self) -> bool:
        """Whether anything was counted."""
        return any(value is not None for value in vars(self).values())


async def figures_of(app: App, visit: Visit) -> Mapping[tuple[str, str], Figures] | None:
    """By model and version; None where there is no warehouse, or while it rests."""
    if "warehouse" not in app.remote.addresses:
        return None
    asked = app.remote.json("warehouse", "GET", "/api/warehouse/figures", token=visit.token, within=4)
    answer = await unless_resting(asked, None)
    return None if answer is None else by_version(answer)


def by_version(answer: Mapping[str, Any]) -> dict[tuple[str, str], Figures]:
    """The part of the answer that is about versions."""
    known = Figures.__dataclass_fields__.keys()
    return {
        (str(one["model"]), str(one["version"])): Figures(**{key: one[key] for key in known & one.keys()})
        for one in answer.get(BY_VERSION) or []
    }
