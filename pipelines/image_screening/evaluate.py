"""Judge the ONNX file that will be served, choose its thresholds, write its artefact and its card.

    dvc repro pipelines/image_screening/dvc.yaml:evaluate

Two numbers, always together: objects that were never seen in any style, and photos of real things.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Manifest
from models.image_screening.contract import contract
from models.image_screening.features import encode
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from pipelines import artefact
from pipelines.evaluation import (
    Costs,
    Thresholds,
    accuracy,
    auc,
    bootstrap,
    choose_thresholds,
    confusion,
    confusion_picture,
    decisions,
    over_splits,
    recall,
)
from pipelines.image_screening import embedding, train
from pipelines.image_screening.describe import described
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.mistakes import mistakes_picture
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.examples import NONE, SCENES, Labels
from pipelines.scenes.pack import Pack
from pipelines.scenes.parts import real_photos
from pipelines.scenes.similar import precision_at

DATA = Path("data/image_screening")
CARD = Path("models/image_screening")
CATEGORY, VIOLATION = names(CATEGORIES), names(PICTURE_VIOLATIONS)
BATCH = 32

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Params:
    """The section `evaluate` of params.yaml."""

    cost_publish_bad: float
    cost_reject_good: float
    cost_review: float
    review_share: float  # of good scenes, for the category alone: the least certain ones
    tag_precision: float  # of tags, on validation scenes

    @property
    def costs(self) -> Costs:
        """As the thresholds need them."""
        return Costs(self.cost_publish_bad, self.cost_reject_good, self.cost_review)


@dataclass(frozen=True)
class Judged:
    """Scenes with what the model says of them."""

    labels: Labels
    category: Floats
    violation: Floats
    embedding: Floats

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """Scenes with a category."""
        return np.asarray(self.labels.category != NONE)

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """The probability of any violation."""
        return 1 - self.violation[:, 0].astype(np.float64)

    @property
    def truth(self) -> Ints:
        """Categories of the good scenes."""
        return self.labels.category[self.good]

    @property
    def said(self) -> Ints:
        """What the model says those are."""
        return np.asarray(self.category[self.good].argmax(1))


def main() -> None:
    """The story: judge, choose, measure, write."""
    params = load(Params, "pipelines/image_screening/params.yaml", "evaluate")
    group = load(train.Params, "pipelines/image_screening/params.yaml", "train").test_group
    network = OnnxFile(train.OUT / "model.onnx", threads=len(os.sched_getaffinity(0)))
    held_out, photos = judge(network, group), judge_photos(network)
    chosen, margins = thresholds(params), category_margins(params)
    facts = json.loads((train.OUT / "facts.json").read_text())
    metrics = measured(held_out, photos, chosen, margins, params, facts)
    manifest = contract().model_copy(
        update={
            "thresholds": {
                "violation_reject": chosen.reject,
                "violation_review": chosen.review,
                **margins,
            }
        }
    )
    matrix = confusion(held_out.truth, held_out.said, 10)
    confusion_picture(matrix, CATEGORY, CARD / "confusion.png", "objects never seen")
    show_mistakes(held_out, group)
    write(manifest, metrics, reference(held_out), described(manifest, metrics, photos, facts, params.costs))


def show_mistakes(held_out: Judged, group: int) -> None:
    """The scenes with a category that it was surest and wrong about."""
    pack = Pack(SCENES, "scenes")
    good = np.array(held_out_rows(pack, group))[held_out.good]
    scores = held_out.category[held_out.good].max(1)
    mistakes_picture(
        held_out.truth, held_out.said, scores, CATEGORY, lambda at: pack.blob(int(good[at])), CARD / "mistakes.png"
    )


def held_out_rows(pack: Pack, group: int) -> list[int]:
    """Which scenes show objects of the group."""
    return [index for index, row in enumerate(pack.rows) if row["group"] == group]


def judge(network: OnnxFile, group: int) -> Judged:
    """What the ONNX file says of the held-out scenes."""
    pack = Pack(SCENES, "scenes")
    rows = held_out_rows(pack, group)
    starts = range(0, len(rows), BATCH)
    answers = [
        network(np.concatenate([encode(pack.blob(index))["image"] for index in rows[start : start + BATCH]]))
        for start in progress(starts, total=len(starts), what="judging held-out objects")
    ]
    columns = {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
    return Judged(Labels([pack.rows[index] for index in rows]), **columns)


def judge_photos(network: OnnxFile) -> list[dict[str, Any]]:
    """What it says of the photos that packages ship."""
    rows = []
    for label, path in real_photos().items():
        answer = network(encode(path.read_bytes())["image"])
        category, violation = answer["category"][0], answer["violation"][0]
        said = CATEGORY[int(category.argmax())]
        rows.append({"photo": path.name, "label": label, "said": said, "score": float(category.max())})
        rows[-1]["violation"] = float(1 - violation[0])
    return rows


def thresholds(params: Params) -> Thresholds:
    """The cheapest thresholds on validation scenes."""
    with np.load(train.OUT / "validation.npz") as known:
        violation, kind = known["violation"], known["violation_label"]
    costs = params.costs
    score = 1 - violation[:, 0].astype(np.float64)
    best = choose_thresholds(score, kind > 0, costs.publish_bad, costs.reject_good, costs.review)
    return Thresholds(reject=round(best.reject, 4), review=round(best.review, 4))


def category_margins(params: Params) -> dict[str, float]:
    """The margin below which a moderator looks, and the one from which on an item is tagged."""
    with np.load(train.OUT / "validation.npz") as known:
        good = known["category_label"] != NONE
        category, label = known["category"][good], known["category_label"][good]
    ahead = margin(category)
    return {
        "category_margin": round(float(np.quantile(ahead, params.review_share)), 4),
        "tag_margin": round(smallest_margin(ahead, category.argmax(1) == label, params.tag_precision), 4),
    }


def smallest_margin(ahead: Floats, right: NDArray[np.bool_], precision: float) -> float:
    """The smallest margin above which at least that part is right; the largest one when there is none."""
    order = np.argsort(-ahead)
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= precision
    last = np.flatnonzero(reached)[-1] if reached.any() else 0
    return float(ahead[order][last])


def margin(category: Floats) -> Floats:
    """How far the best category is ahead of the next."""
    ordered = np.sort(category, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def measured(
    held_out: Judged,
    photos: list[dict[str, Any]],
    chosen: Thresholds,
    least: dict[str, float],
    params: Params,
    facts: dict[str, Any],
) -> dict[str, float]:
    """Every number of the card."""
    bad = ~held_out.good
    top3 = np.argsort(-held_out.category[held_out.good], axis=1)[:, :3]
    ahead, right = margin(held_out.category[held_out.good]), held_out.truth == held_out.said
    tagged = ahead >= least["tag_margin"]
    numbers = {
        **over_splits(facts["split_accuracy"]).named("splits_accuracy"),
        **bootstrap(right.astype(float)).named("held_out_accuracy"),
        "held_out_top3": float((top3 == held_out.truth[:, None]).any(1).mean()),
        **{f"recall_{name}": value for name, value in recall(held_out.truth, held_out.said, CATEGORY).items()},
        "photos_right": accuracy(np.array([p["label"] == p["said"] for p in photos]), np.ones(len(photos), bool)),
        "violation_auc": auc(bad, held_out.score),
        **kinds(held_out, chosen),
        **false_alarms(held_out, chosen),
        **decisions(held_out.score, bad, chosen, params.costs),
        "good_low_margin": float((ahead < least["category_margin"]).mean()),
        "good_tagged": float(tagged.mean()),
        "tags_right": float(right[tagged].mean()),
        **precision_at(held_out.embedding[held_out.good], held_out.truth, concepts(held_out)),
        "photo_weight": facts["photo_weight"],
        **baseline(),
    }
    return {key: round(float(value), 4) for key, value in numbers.items()}


def kinds(held_out: Judged, chosen: Thresholds) -> dict[str, float]:
    """For each kind of violation: how many are not published."""
    stopped = held_out.score >= chosen.review
    return {
        f"stopped_{name}": float(stopped[held_out.labels.violation == number].mean())
        for number, name in enumerate(VIOLATION)
        if number
    }


def false_alarms(held_out: Judged, chosen: Thresholds) -> dict[str, float]:
    """Good scenes that are not published: by the kind they are taken for, and by their category."""
    stopped, taken_for = held_out.score >= chosen.review, 1 + held_out.violation[:, 1:].argmax(1)
    good = held_out.good
    by_kind = {
        f"false_{name}": float((stopped & (taken_for == number))[good].mean())
        for number, name in enumerate(VIOLATION)
        if number
    }
    by_category = {
        f"good_stopped_{name}": float(stopped[held_out.labels.category == number].mean())
        for number, name in enumerate(CATEGORY)
    }
    return by_kind | by_category


def concepts(held_out: Judged) -> list[str]:
    """The object of each good scene."""
    return [name for name, good in zip(held_out.labels.concept, held_out.good, strict=True) if good]


def baseline() -> dict[str, float]:
    """The small network from scratch, as it was last measured; its pipeline is not part of `dvc repro`."""
    found = json.loads((CARD / "baseline.json").read_text())
    return {f"baseline_{key}": value for key, value in found.items()}


def reference(held_out: Judged) -> dict[str, Any]:
    """What answers look like on held-out scenes, to compare live ones with; and the name of the space."""
    deciles = np.quantile(held_out.score, np.linspace(0, 1, 11))
    shares = np.bincount(held_out.said, minlength=10) / len(held_out.said)
    projection = (embedding.OUT / "projection.npz").read_bytes()
    return {
        "violation_score": {"deciles": [round(float(value), 4) for value in deciles]},
        "category": {name: round(float(part), 4) for name, part in zip(CATEGORY, shares, strict=True)},
        "embedding_version": hashlib.sha256(projection).hexdigest()[:16],
    }


def write(manifest: Manifest, metrics: dict[str, float], known: dict[str, Any], card_text: str) -> None:
    """The artefact, and what is committed of it: the metrics and the card."""
    artefact.write(
        DATA / "model",
        manifest,
        train.OUT / "model.onnx",
        samples(),
        metrics,
        known,
        card_text,
        {name: CARD / name for name in ("confusion.png", "mistakes.png")},
        libraries=["pillow"],
    )
    (DATA / "metrics.json").write_text(artefact.canonical(metrics), "utf-8")
    (CARD / "card.md").write_text(card_text, "utf-8")


def samples() -> list[bytes]:
    """A scene of the first category, and a banner."""
    pack = Pack(SCENES, "scenes")
    wanted = {kind: index for index, row in reversed(list(enumerate(pack.rows))) for kind in [row["violation"]]}
    return [pack.blob(wanted[kind]) for kind in ("ok", "banner", "blank")]


if __name__ == "__main__":
    main()
