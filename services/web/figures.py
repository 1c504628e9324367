"""How models do in use, as the warehouse counts it: searches, clicks, likes, accepted suggestions, predictions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from services.web.app import App
from services.web.remote import unless_resting
from services.web.visit import Visit


@dataclass(frozen=True)
class Used:
    """What people did with pages of results. Where several groups are summed there is no interval."""

    searches: int
    impressions: int
    clicks: int
    likes: int
    low: float | None = None
    high: float | None = None
    simulated: bool = False

    @property
    def ctr(self) -> float | None:
        """Clicked of shown."""
        return self.clicks / self.impressions if self.impressions else None


@dataclass(frozen=True)
class Reviewed:
    """What moderators' decisions say of one version that judges items."""

    labels: int
    found: int
    false_positives: int
    false_negatives: int


@dataclass(frozen=True)
class Figures:
    """Of one version. What was not counted is nothing, which is not zero."""

    predictions: int | None = None
    p95_ms: float | None = None
    used: Used | None = None
    reviewed: Reviewed | None = None


@dataclass(frozen=True)
class Suggested:
    """What a model suggested, whatever its version, and how much of it was taken."""

    offered: int
    taken: int

    @property
    def acceptance(self) -> float | None:
        """Taken of offered."""
        return self.taken / self.offered if self.offered else None


@dataclass(frozen=True)
class Noticed:
    """What the detector noticed of pictures, and what people did with searches that ask for it."""

    screened: int
    noticed: int
    searches: int
    impressions: int
    clicks: int

    @property
    def share(self) -> float | None:
        """Noticed of screened."""
        return self.noticed / self.screened if self.screened else None

    @property
    def ctr(self) -> float | None:
        """Clicked of shown."""
        return self.clicks / self.impressions if self.impressions else None


@dataclass(frozen=True)
class Compared:
    """Two groups of an A/B test: how much higher the other's rate of clicks is, and what may be said of that."""

    experiment: str
    simulated: bool
    one: str
    other: str
    rate: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class InUse:
    """Everything, of the last weeks."""

    whole: Used
    compared: Sequence[Compared] = ()
    versions: Mapping[tuple[str, str], Figures] = field(default_factory=dict)
    suggested: Mapping[str, Suggested] = field(default_factory=dict)
    noticed: Noticed | None = None

    def of(self, model: str, version: str) -> Figures:
        """One version's."""
        return self.versions.get((model, version), Figures())


async def in_use(app: App, visit: Visit) -> InUse | None:
    """None where there is no warehouse, or while it rests."""
    if "warehouse" not in app.remote.addresses:
        return None
    asked = app.remote.json("warehouse", "GET", "/api/warehouse/figures", token=visit.token, within=8)
    answer = await unless_resting(asked, None)
    return None if answer is None else read(answer)


def read(answer: Mapping[str, Any]) -> InUse:
    """The warehouse's answer, by model and version."""
    groups, predictions = answer.get("groups") or [], answer.get("predictions") or []
    keys = {(one["ranker"], one["ranker_version"] or "") for one in groups} | {
        (one["model"], one["version"]) for one in [*predictions, *(answer.get("reviewed") or [])]
    }
    return InUse(
        used(groups),
        [_compared(one) for one in answer.get("differences") or []],
        {
            (model, version): replace(
                _version(model, version, groups, predictions),
                reviewed=_reviewed(model, version, answer.get("reviewed") or []),
            )
            for model, version in keys
        },
        {name: _suggested(name, answer["suggestions"]) for name in {one["model"] for one in answer["suggestions"]}},
        _noticed(answer.get("attributes")),
    )


def _version(
    model: str, version: str, groups: Iterable[Mapping[str, Any]], predictions: Iterable[Mapping[str, Any]]
) -> Figures:
    mine = [one for one in groups if (one["ranker"], one["ranker_version"] or "") == (model, version)]
    made = [one for one in predictions if (one["model"], one["version"], one["served_by"]) == (model, version, "model")]
    return Figures(
        predictions=sum(one["predictions"] for one in made) if made else None,
        p95_ms=max((one["p95_ms"] for one in made), default=None),
        used=used(mine) if mine else None,
    )


def _compared(told: Mapping[str, Any]) -> Compared:
    named = {name: told[name] for name in ("experiment", "simulated", "one", "other", "verdict")}
    return Compared(**named, **told["ctr"])


def _noticed(told: Mapping[str, Any] | None) -> Noticed | None:
    return Noticed(**{field.name: told[field.name] for field in fields(Noticed)}) if told else None


def _reviewed(model: str, version: str, several: Iterable[Mapping[str, Any]]) -> Reviewed | None:
    mine = next((one for one in several if (one["model"], one["version"]) == (model, version)), None)
    return Reviewed(**{field.name: mine[field.name] for field in fields(Reviewed)}) if mine else None


def used(groups: Iterable[Mapping[str, Any]]) -> Used:
    """Groups summed; a single one keeps its interval."""
    several = list(groups)
    alone = several[0]["ctr"] if len(several) == 1 else {}

    def total(name: str) -> int:
        return sum(int(one[name]) for one in several)

    return Used(
        searches=total("searches"),
        impressions=total("impressions"),
        clicks=total("clicks"),
        likes=total("likes"),
        low=alone.get("low"),
        high=alone.get("high"),
        simulated=any(one["simulated"] for one in several),
    )


def _suggested(model: str, suggestions: Iterable[Mapping[str, Any]]) -> Suggested:
    mine = [one for one in suggestions if one["model"] == model]
    return Suggested(sum(one["offered"] for one in mine), sum(one["taken"] for one in mine))
