"""What is done with an item, from what the models say about it.

A violation that a model is sure of rejects, one it suspects makes a moderator look; so do a picture
whose category is a toss-up and whose owner named none, a label of the deny list that a model says or nearly says,
and a model for which its default had to answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from models.labels import CATEGORIES
from services.contracts import Reason, Verdict
from services.deny_list import NOTHING, DenyList
from services.prediction import ServedBy

OK = "ok"
ORDER: tuple[Verdict, ...] = ("publish", "review", "reject")


@dataclass(frozen=True)
class Opinion:
    """What one model says; `thresholds` are its manifest's. One that is no judge only adds to the others."""

    model: str
    about: Literal["picture", "text"]
    answer: Mapping[str, Any]
    thresholds: Mapping[str, float]
    served_by: ServedBy = "model"
    why_default: str | None = None
    judge: bool = True

    @property
    def real(self) -> bool:
        """A model said it."""
        return self.served_by == "model"

    @property
    def violation(self) -> float:
        """How sure it is that a rule is broken."""
        return float(self.answer["violation"]["score"])

    @property
    def broken_rule(self) -> str:
        """The likeliest rule, if one is broken."""
        top = self.answer["violation"].get("top") or [self.answer["violation"]]
        return next((str(entry["label"]) for entry in top if entry["label"] != OK), OK)

    @property
    def lost_for_category(self) -> bool:
        """The best category is hardly ahead of the next: a moderator looks."""
        return bool(self.answer["category"]["margin"] < self.thresholds.get("category_margin", 0.0))

    @property
    def sure_of_category(self) -> bool:
        """The best category is far enough ahead of the next to tag the item with it."""
        return self.real and self.answer["category"]["margin"] >= self.thresholds.get("tag_margin", 0.0)


@dataclass(frozen=True)
class Decision:
    """The verdict, and every finding that speaks for or against it."""

    verdict: Verdict
    reasons: list[Reason]


Finding = tuple[Verdict, Reason]


def decide(opinions: Sequence[Opinion], chosen: str | None, denied: DenyList = NOTHING) -> Decision:
    """The severest finding decides. `chosen` is the owner's category, `denied` what no model decides alone."""
    findings: list[Finding] = []
    for opinion in opinions:
        findings += _about_violation(opinion, denied)
        if "category" in opinion.answer and opinion.judge:
            findings += _about_category(opinion, chosen, denied)
    verdict = max((verdict for verdict, _ in findings), key=ORDER.index, default=ORDER[0])
    return Decision(verdict, [reason for _, reason in findings])


def is_rejected(opinion: Opinion) -> bool:
    """Whether this opinion alone rejects."""
    return opinion.real and opinion.violation >= opinion.thresholds.get("violation_reject", inf)


def _about_violation(opinion: Opinion, denied: DenyList) -> Iterator[Finding]:
    if not opinion.real:
        if opinion.judge:
            why = opinion.why_default or "default"
            yield "review", Reason(kind="default", label=why, by=opinion.model)
        return
    rule = opinion.broken_rule
    if is_rejected(opinion):
        yield ("review" if rule in denied else "reject"), _broken(opinion, "violation_reject")
    elif opinion.judge and opinion.violation >= opinion.thresholds.get("violation_review", 0.0):
        yield "review", _broken(opinion, "violation_review")


def _broken(opinion: Opinion, crossed: str) -> Reason:
    return Reason(
        kind=opinion.about,
        label=opinion.broken_rule,
        score=opinion.violation,
        by=opinion.model,
        threshold=opinion.thresholds.get(crossed),
    )


def _about_category(opinion: Opinion, chosen: str | None, denied: DenyList) -> Iterator[Finding]:
    if not opinion.real:
        return
    category = opinion.answer["category"]
    top = category.get("top") or [category]
    label, reason = category["label"], _seen(opinion, top)
    if close := denied.nearly(top):
        behind = top[0]["score"] - close["score"]
        yield (
            "review",
            reason.model_copy(
                update={
                    "kind": "denied",
                    "label": close["label"],
                    "score": close["score"],
                    "margin": behind,
                    "threshold": denied.near,
                    "next_to": None if close["label"] == label else label,
                }
            ),
        )
    if chosen is None and opinion.lost_for_category:
        yield "review", reason.model_copy(update={"threshold": opinion.thresholds["category_margin"]})
    elif chosen is not None and opinion.sure_of_category and label != chosen:
        yield "publish", reason


def _seen(opinion: Opinion, top: Sequence[Mapping[str, Any]]) -> Reason:
    """The best category, and how far it is ahead of which other one."""
    category = opinion.answer["category"]
    return Reason(
        kind="category",
        label=category["label"],
        score=category["score"],
        by=opinion.model,
        margin=category["margin"],
        next_to=top[1]["label"] if len(top) > 1 else None,
    )


def tags(picture: Opinion, chosen: str | None, denied: DenyList = NOTHING) -> list[str]:
    """Words to find the item by, in both languages: the owner's category, and the model's where it is sure."""
    labels = [chosen] if chosen else []
    if picture.sure_of_category and picture.answer["category"]["label"] not in denied:
        labels.append(picture.answer["category"]["label"])
    return list(dict.fromkeys(word for label in labels for word in words_of(label)))


def words_of(label: str) -> tuple[str, ...]:
    """What a category is called; one of a model that learnt other labels is called as its data calls it."""
    names = {known.name: (known.en, known.ja) for known in CATEGORIES}
    return names.get(label) or (label.replace("_", " ").strip(),)
