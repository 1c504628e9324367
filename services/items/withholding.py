"""Labels of the deny list: what a model said of an item, and nobody reads until a moderator lets it be shown.

An item's row keeps which they are (`withheld`). What is shown of a screening, and what search is told of it, comes
through here.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.contracts import ItemScreened, Judgement, Reason
from services.deny_list import DenyList

JUDGEMENTS = ("category", "violation", "text_violation")


def denied(screening: ItemScreened, deny_list: DenyList) -> list[str]:
    """Every label of the screening that is on the list, each once."""
    return list(dict.fromkeys(label for label in _labels(screening) if label in deny_list))


def finding(screening: ItemScreened, deny_list: DenyList) -> Reason | None:
    """Why a moderator has to look, whatever the verdict says: what everybody would read is on the list, or nearly."""
    category = screening.category
    top = [entry.model_dump() for entry in category.top] or [category.model_dump()]
    close = deny_list.nearly(top)
    tagged = next((tag for tag in screening.tags if tag in deny_list), None)
    label = close["label"] if close else tagged or (category.label if category.label in deny_list else None)
    if label is None:
        return None
    behind = top[0]["score"] - close["score"] if close else None
    score = close["score"] if close else None
    return Reason(kind="denied", label=label, score=score, by="deny_list", threshold=deny_list.near, margin=behind)


def shown(screening: Mapping[str, Any], withheld: Collection[str]) -> dict[str, Any]:
    """The screening without these labels: an answer that was one of them is none."""
    left = {name: _judgement(screening[name], withheld) for name in JUDGEMENTS}
    return {**screening, **left, "tags": [tag for tag in screening["tags"] if tag not in withheld]}


def told(screening: ItemScreened, withheld: Collection[str]) -> ItemScreened:
    """The same, of the event."""
    return ItemScreened.model_validate(shown(screening.model_dump(), withheld)) if withheld else screening


def reasons(found: list[Reason], withheld: Collection[str]) -> list[Reason]:
    """Reasons without these labels: a finding stays, its word goes."""
    return [_reason(reason, withheld) for reason in found]


def _labels(screening: ItemScreened) -> Iterator[str]:
    for judgement in (screening.category, screening.violation, screening.text_violation):
        yield judgement.label
        yield from (entry.label for entry in judgement.top)
    yield from screening.tags
    for reason in screening.reasons:
        yield reason.label
        yield reason.next_to or ""


def _judgement(judgement: Mapping[str, Any], withheld: Collection[str]) -> dict[str, Any]:
    top = [entry for entry in judgement.get("top", []) if entry["label"] not in withheld]
    if judgement["label"] not in withheld:
        return {**judgement, "top": top}
    return Judgement(label="", score=0.0, margin=0.0, sure=False, top=[]).model_dump()


def _reason(reason: Reason, withheld: Collection[str]) -> Reason:
    if reason.by == "moderator":
        return reason
    word = "" if reason.label in withheld else reason.label
    other = None if reason.next_to in withheld else reason.next_to
    return reason.model_copy(update={"label": word, "next_to": other})
