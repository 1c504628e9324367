"""Moderators' decisions become labels: what the warehouse counts of them, and how pipelines use them."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from pipelines import evaluate_reviews
from pipelines.evaluate_reviews import Held, Label, held, report
from services.chassis.service import Service
from services.contracts import CloudEvent, ItemReviewed, ModelUsed, PredictionsLogged, Reason
from services.warehouse.main import build
from tests.conftest import MakeBackends, MakeClient
from tests.services.warehouse.conftest import Stage
from tests.services.warehouse.events import BEGAN, event
from tests.services.warehouse.test_warehouse_asking import fetched

SPAN = {"since": BEGAN.isoformat(), "until": (BEGAN + timedelta(days=1)).isoformat()}
MODELS = ("image_screening", "text_violation")


@pytest.fixture
def http(
    stage: Stage, backends: MakeBackends, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> httpx.AsyncClient:
    monkeypatch.setenv("WAREHOUSE_DIR", str(stage.shelf.folder))
    service: Service = build(backends(database=stage.database))
    return client(service)


def reviewed(
    decision: str, label: str | None = None, suspected: str | None = None, minutes: float = 0.0, **more: Any
) -> CloudEvent:
    """A decision about an item that `suspected` made a moderator look at."""
    about = {"image_screening": "picture", "text_violation": "text"}
    found = [Reason(kind=about[suspected], label="x", score=0.5, by=suspected)] if suspected else []
    used = {name: ModelUsed(version="7", served_by="model", prediction_id=uuid4()) for name in MODELS}
    fields: dict[str, Any] = {
        "item_id": uuid4(), "revision": 1, "sequence": 3, "decision": decision, "decision_id": uuid4(), "reason": "",
        "label": label, "moderator_id": uuid4(), "image_id": "a" * 64, "title": "三毛猫", "description": "",
        "category": None, "reasons": found, "models": used, "reviewed_at": BEGAN + timedelta(minutes=minutes),
    }  # fmt: skip
    return event(ItemReviewed(**fields | more), minutes, source="/items")


def undone(made: CloudEvent, minutes: float) -> CloudEvent:
    """It is taken back."""
    data = ItemReviewed.model_validate(made.data)
    return event(data.model_copy(update={"decision": "undo"}), minutes, source="/items")


def logged(made: CloudEvent, model: str, score: float) -> CloudEvent:
    """The answer that the decision is about, as its host logged it."""
    record = {
        "id": made.data["models"][model]["prediction_id"],
        "at": int(BEGAN.timestamp() * 1e9),
        "model": model,
        "version": "7",
        "served_by": "model",
        "ms": 1.0,
        "outputs": {"violation": {"datatype": "FP32", "shape": [1, 3], "data": [1 - score, score, 0.0]}},
    }
    return event(PredictionsLogged(segment_id=uuid4(), host="inference-async", records=[record]))


async def test_what_was_suspected_wrongly_and_what_was_missed(stage: Stage, http: httpx.AsyncClient) -> None:
    taken_back = reviewed("reject", "spam", "text_violation", 1)
    item = uuid4()
    first = reviewed("publish", None, "text_violation", 2, item_id=item)
    second = reviewed("reject", "abuse", "text_violation", 3, item_id=item)
    events = [
        reviewed("publish", None, "image_screening"),
        reviewed("reject", "weapon", "image_screening"),
        reviewed("reject", "weapon", "text_violation"),
        reviewed("reject", "other", "text_violation"),
        taken_back,
        undone(taken_back, 4),
        first,
        second,
    ]
    await stage.store(*events)
    await stage.store(events[0])
    told = {one["model"]: one for one in (await http.get("/api/warehouse/figures", params=SPAN)).json()["reviewed"]}
    counts = {"found": 1, "false_positives": 1, "false_negatives": 1, "let_pass": 0}
    assert told["image_screening"] == {"model": "image_screening", "version": "7", "labels": 3} | counts
    assert {name: told["text_violation"][name] for name in ("labels", *counts)} == {
        "labels": 2, "found": 1, "false_positives": 0, "false_negatives": 0, "let_pass": 1,
    }  # fmt: skip
    assert await stage.rows("item_reviewed", "SELECT count(*) AS n FROM {}") == [{"n": 8}], "told twice, kept once"


async def test_an_answer_of_a_default_gets_no_label(stage: Stage, http: httpx.AsyncClient) -> None:
    used = {"text_violation": ModelUsed(version="default", served_by="default", prediction_id=uuid4())}
    await stage.store(reviewed("publish", models=used))
    assert (await http.get("/api/warehouse/figures", params=SPAN)).json()["reviewed"] == []


async def test_a_pipeline_joins_labels_and_scores(stage: Stage, http: httpx.AsyncClient, tmp_path: Path) -> None:
    fine = [reviewed("publish", None, "text_violation") for _ in range(3)]
    bad = [reviewed("reject", "spam", "text_violation"), reviewed("reject", "spam", "image_screening")]
    wrong = reviewed("reject", "spam", minutes=1)
    scores = [logged(one, "text_violation", 0.5 + at / 100) for at, one in enumerate(fine)]
    await stage.store(*fine, *bad, *scores, logged(bad[0], "text_violation", 0.75), wrong, undone(wrong, 2))
    await fetched(http, ["reviews", "predictions"], tmp_path, 60)
    found = held(tmp_path)
    text = found["text_violation", "7"]
    assert (len(text.labels), text.wrong) == (5, (3, 1))
    values, is_bad = text.scored
    assert sorted(values.round(4)) == [0.5, 0.51, 0.52, 0.75]
    assert values[is_bad] == pytest.approx([0.75])
    assert found["image_screening", "7"].wrong == (0, 0), "spam says nothing of a picture"
    printed = report(found)
    assert "| text_violation | 7 | 5 | 2 | 3 | 1 |" in printed
    assert "fewer than 20 of a kind" in printed


def test_thresholds_are_chosen_for_the_stated_costs() -> None:
    scores = {str(n): n / 100 for n in range(100)}
    found = [Label("text_violation", "7", name, value >= 0.6, True) for name, value in scores.items()]
    text = report({("text_violation", "7"): Held(found, scores)})
    assert "1.000" in text
    assert "reject 0.5950, review 0.5950" in text
    costs = evaluate_reviews.costs("text_violation")
    assert (costs.publish_bad, costs.reject_good, costs.review) == (10.0, 8.0, 1.0)
    assert report({}) == "No decision says anything of a model yet."


async def test_a_weapon_says_nothing_of_the_quick_look(stage: Stage, http: httpx.AsyncClient, tmp_path: Path) -> None:
    names = ("image_quick", "image_screening")
    used = {name: ModelUsed(version="7", served_by="model", prediction_id=uuid4()) for name in names}
    await stage.store(*(reviewed("reject", label, "image_screening", models=used) for label in ("weapon", "noise")))
    told = {one["model"]: one for one in (await http.get("/api/warehouse/figures", params=SPAN)).json()["reviewed"]}
    assert (told["image_screening"]["labels"], told["image_quick"]["labels"]) == (2, 1)
    await fetched(http, ["reviews", "predictions"], tmp_path, 60)
    found = held(tmp_path)
    assert (len(found["image_screening", "7"].labels), len(found["image_quick", "7"].labels)) == (2, 1)
