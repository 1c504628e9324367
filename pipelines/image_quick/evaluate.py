"""Judge the ONNX file that will be served, choose its thresholds, write its artefact and its card.

dvc repro pipelines/image_quick/dvc.yaml:evaluate
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Manifest
from models.image_quick.contract import contract
from models.image_quick.features import encode
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from pipelines import artefact
from pipelines.card import card, table
from pipelines.evaluation import (
    Costs,
    Thresholds,
    auc,
    bootstrap,
    choose_thresholds,
    confusion,
    confusion_picture,
    decisions,
    over_splits,
    recall,
)
from pipelines.image_quick import train
from pipelines.image_quick.features import OUT as FEATURES
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.mistakes import mistakes_picture
from pipelines.parameters import load
from pipelines.scenes.examples import SCENES, labels
from pipelines.scenes.pack import Pack
from pipelines.scenes.parts import real_photos

DATA = Path("data/image_quick")
CARD = Path("models/image_quick")
CATEGORY, VIOLATION = names(CATEGORIES), names(PICTURE_VIOLATIONS)
Metrics = dict[str, float]


@dataclass(frozen=True)
class Params:
    """The section `evaluate` of params.yaml."""

    cost_publish_bad: float
    cost_reject_good: float
    cost_review: float

    @property
    def costs(self) -> Costs:
        """As the thresholds need them."""
        return Costs(self.cost_publish_bad, self.cost_reject_good, self.cost_review)


@dataclass(frozen=True)
class Judged:
    """Held-out scenes with what the model says of them."""

    examples: train.Examples
    category: NDArray[np.float32]
    violation: NDArray[np.float32]

    @property
    def truth(self) -> NDArray[np.int64]:
        """Categories of the good scenes."""
        return self.examples.labels.category[self.examples.good]

    @property
    def said(self) -> NDArray[np.int64]:
        """What the model says those are."""
        return np.asarray(self.category[self.examples.good].argmax(1))

    @property
    def score(self) -> NDArray[np.float64]:
        """The probability of any violation."""
        return 1 - self.violation[:, 0].astype(np.float64)


def main() -> None:
    """The story: judge, choose, measure, write."""
    params = load(Params, "pipelines/image_quick/params.yaml", "evaluate")
    network = OnnxFile(train.OUT / "model.onnx")
    held_out, chosen = judge(network), thresholds(params)
    photos = {label: quick_look(network, path) for label, path in real_photos().items()}
    metrics = measured(held_out, photos, chosen, params)
    manifest = contract().model_copy(
        update={"thresholds": {"violation_reject": chosen.reject, "violation_review": chosen.review}}
    )
    matrix = confusion(held_out.truth, held_out.said, 10)
    confusion_picture(matrix, CATEGORY, CARD / "confusion.png", "objects never seen")
    show_mistakes(held_out)
    write(manifest, metrics, reference(held_out), described(manifest, metrics, photos, params.costs))


def judge(network: OnnxFile) -> Judged:
    """What the ONNX file says of the held-out scenes."""
    group = load(train.Params, "pipelines/image_quick/params.yaml", "train").test_group
    known, x = labels(), np.load(FEATURES / "features.npy")
    rows = np.flatnonzero(known.group == group)
    some = train.Examples(x[rows], type(known)([known.rows[row] for row in rows]))
    return Judged(some, **network(some.x))


def show_mistakes(held_out: Judged) -> None:
    """The scenes with a category that it was surest and wrong about."""
    group = load(train.Params, "pipelines/image_quick/params.yaml", "train").test_group
    pack, good = Pack(SCENES, "scenes"), np.flatnonzero(labels().group == group)[held_out.examples.good]
    scores = held_out.category[held_out.examples.good].max(1)
    mistakes_picture(
        held_out.truth, held_out.said, scores, CATEGORY, lambda at: pack.blob(int(good[at])), CARD / "mistakes.png"
    )


def quick_look(network: OnnxFile, path: Path) -> str:
    """The category of a photo."""
    return CATEGORY[int(network(encode(path.read_bytes())["features"])["category"][0].argmax())]


def thresholds(params: Params) -> Thresholds:
    """The cheapest thresholds on validation scenes."""
    with np.load(train.OUT / "validation.npz") as known:
        violation, kind = known["violation"], known["violation_label"]
    costs, score = params.costs, 1 - violation[:, 0].astype(np.float64)
    best = choose_thresholds(score, kind > 0, costs.publish_bad, costs.reject_good, costs.review)
    return Thresholds(reject=round(best.reject, 4), review=round(best.review, 4))


def measured(held_out: Judged, photos: dict[str, str], chosen: Thresholds, params: Params) -> Metrics:
    """Every number of the card."""
    facts = json.loads((train.OUT / "facts.json").read_text())
    kind, known = held_out.examples.kind, held_out.examples.labels
    good = held_out.examples.good
    stopped = held_out.score >= chosen.review
    fair = good | (kind > 0)
    numbers = {
        **over_splits(facts["split_accuracy"]).named("splits_accuracy"),
        **bootstrap((held_out.truth == held_out.said).astype(float)).named("held_out_accuracy"),
        **{f"recall_{name}": value for name, value in recall(held_out.truth, held_out.said, CATEGORY).items()},
        "photos_right": float(np.mean([label == said for label, said in photos.items()])),
        "violation_auc": auc(kind[fair] > 0, held_out.score[fair]),
        **decisions(held_out.score[fair], kind[fair] > 0, chosen, params.costs),
        **{
            f"stopped_{name}": float(stopped[known.violation == number].mean())
            for number, name in enumerate(VIOLATION)
            if number
        },
    }
    return {key: round(float(value), 4) for key, value in numbers.items()}


def reference(held_out: Judged) -> dict[str, Any]:
    """What answers look like on held-out scenes, to compare live ones with."""
    deciles = np.quantile(held_out.score, np.linspace(0, 1, 11))
    shares = np.bincount(held_out.said, minlength=10) / len(held_out.said)
    return {
        "violation_score": {"deciles": [round(float(value), 4) for value in deciles]},
        "category": {name: round(float(part), 4) for name, part in zip(CATEGORY, shares, strict=True)},
    }


def described(manifest: Manifest, metrics: Metrics, photos: dict[str, str], costs: Costs) -> str:
    """The card."""
    spread = f"{metrics['splits_accuracy_low']:.3f} to {metrics['splits_accuracy_high']:.3f}"
    accuracy = [
        ("drawn objects never seen, mean of all five splits", f"{metrics['splits_accuracy']:.3f} ({spread})"),
        ("the same, of the shipped split", f"{metrics['held_out_accuracy']:.3f}"),
        ("photos of real things that packages ship", f"{sum(k == v for k, v in photos.items())} of {len(photos)}"),
    ]
    kinds = [(name, f"{metrics[f'stopped_{name}']:.1%}") for name in VIOLATION[1:]]
    published = 1 - metrics["good_rejected"] - metrics["good_reviewed"]
    return card(
        manifest,
        {
            "What it is for": "An answer within a millisecond or two, before the deep model has looked: a rough "
            "category to suggest, and a gate for pictures that show nothing. It never decides a category alone.",
            "How good it is": table(("category accuracy", ""), accuracy)
            + "\n\n"
            + table(("category", "found"), [(name, metrics[f"recall_{name}"]) for name in CATEGORY])
            + "\n\n![Confusion matrix](confusion.png)\n\n![The surest mistakes](mistakes.png)",
            "What the thresholds do": f"AUC of the violation score on held-out scenes, of the kinds it can see: "
            f"{metrics['violation_auc']:.3f}. Thresholds are the cheapest on validation scenes when a violation let "
            f"through costs {costs.publish_bad:g}, a rejected good item {costs.reject_good:g} and a review "
            f"{costs.review:g}. Of good held-out scenes {published:.1%} pass, {metrics['good_reviewed']:.1%} are "
            f"doubted and {metrics['good_rejected']:.1%} rejected.\n\n" + table(("kind", "stopped"), kinds),
            "How it is made": "Colour counts and layout, edge directions and statistics of a small copy of the "
            "picture; a linear discriminant for the category, a logistic regression for the gate.",
            "Data": "The scenes of image_screening, the same objects held out. Sources and licences: `data/NOTICE.md`.",
            "Limits": "On photos its category is hardly better than a guess: colours and outlines of drawings are all "
            "it knows. Weapons and alcohol it cannot see at all.",
        },
    )


def write(manifest: Manifest, metrics: Metrics, known: dict[str, Any], card_text: str) -> None:
    """The artefact, and what is committed of it: the metrics and the card."""
    pack = Pack(SCENES, "scenes")
    first = {row["violation"]: index for index, row in reversed(list(enumerate(pack.rows)))}
    artefact.write(
        DATA / "model",
        manifest,
        train.OUT / "model.onnx",
        [pack.blob(first[kind]) for kind in ("ok", "noise", "text")],
        metrics,
        known,
        card_text,
        {name: CARD / name for name in ("confusion.png", "mistakes.png")},
        libraries=["pillow"],
    )
    (DATA / "metrics.json").write_text(artefact.canonical(metrics), "utf-8")
    (CARD / "card.md").write_text(card_text, "utf-8")


if __name__ == "__main__":
    main()
