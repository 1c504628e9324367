"""Learn the heads on the frozen features and write the whole model as one ONNX file.

    dvc repro pipelines/image_screening/dvc.yaml:train

The objects are dealt into five groups. The shipped model never sees `test_group`; each of the other
four is its validation in turn. The same training with every group as the test gives the splits.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pipelines.image_screening import heads
from pipelines.image_screening.backbone import export
from pipelines.image_screening.embedding import load_projection
from pipelines.image_screening.heads import Floats, Linear
from pipelines.image_screening.network import OUTPUTS, Learnt, Screening
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.photo_prior import category_table, violation_table
from pipelines.image_screening.table import Bools, Table, read
from pipelines.image_screening.threads import one_way_of_adding
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.groups import GROUPS

OUT = Path("data/image_screening/trained")
PARITY = 2e-4


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    test_group: int  # of the shipped model
    shrinkage: float  # of the covariance towards a ball: more is smoother
    least_photo_weight: float
    violation_photo_weight: float
    good_share: float  # how common good pictures are taken to be


@dataclass(frozen=True)
class Validated:
    """Scores of every training scene by a head that never saw its group."""

    category: Floats
    violation: Floats
    rows: Bools


@one_way_of_adding
def main() -> None:
    """Validate, learn on all training groups, export, and compare the splits."""
    params, table = load(Params, "pipelines/image_screening/params.yaml", "train"), read()
    validated = cross_fit(table, params)
    factors = calibrated(table, validated, params)
    weight, accuracies = mixture(table, validated, factors[0], params)
    learnt = Learnt(
        fit_category(table, table.outside(params.test_group), params).scaled(factors[0]),
        with_prior(fit_violation(table, table.outside(params.test_group), params).scaled(factors[1]), params),
        load_projection(),
        weight,
        params.violation_photo_weight,
    )
    OUT.mkdir(parents=True, exist_ok=True)
    export(Screening(learnt), OUT / "model.onnx", OUTPUTS)
    prove_parity(learnt)
    write_validation(table, validated, learnt, factors, params)
    facts = {
        "photo_weight": weight,
        "accuracy_by_photo_weight": accuracies,
        "temperature": {"category": 1 / factors[0], "violation": 1 / factors[1]},
        "split_accuracy": splits(table, params, factors[0], weight),
    }
    (OUT / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def fit_category(table: Table, rows: Bools, params: Params) -> Linear:
    """The category head from these scenes."""
    rows = rows & table.good
    return heads.discriminant(table.x[rows], table.labels.category[rows], params.shrinkage)


def fit_violation(table: Table, rows: Bools, params: Params) -> Linear:
    """The violation head from these scenes."""
    return heads.discriminant(table.x[rows], table.labels.violation[rows], params.shrinkage)


def with_prior(head: Linear, params: Params) -> Linear:
    """Good pictures are much more common than each kind of violation."""
    kinds = len(head.bias)
    bad_share = (1 - params.good_share) / (kinds - 1)
    prior = np.array([params.good_share] + [bad_share] * (kinds - 1), np.float32)
    return Linear(head.weights, head.bias + np.log(prior))


def cross_fit(table: Table, params: Params) -> Validated:
    """Each training group scored by heads learnt on the others."""
    groups = [group for group in range(GROUPS) if group != params.test_group]
    category = np.zeros((len(table.x), 10), np.float32)
    violation = np.zeros((len(table.x), 8), np.float32)
    for group in progress(groups, total=len(groups), what="validating"):
        learning, judged = table.outside(params.test_group, group), table.labels.group == group
        category[judged] = fit_category(table, learning, params)(table.x[judged])
        violation[judged] = fit_violation(table, learning, params)(table.x[judged])
    return Validated(category, violation, table.outside(params.test_group))


def calibrated(table: Table, validated: Validated, params: Params) -> tuple[float, float]:
    """Factors for both heads' scores, so that 0.9 is right nine times in ten."""
    rows = validated.rows & table.good
    category = heads.temperature(validated.category[rows], table.labels.category[rows])
    known = table.labels.violation[validated.rows]
    weights = np.where(
        known == 0, params.good_share / (known == 0).mean(), (1 - params.good_share) / (known > 0).mean()
    )
    offset = with_prior(Linear(np.zeros((1, 8), np.float32), np.zeros(8, np.float32)), params).bias
    factors = np.geomspace(0.05, 2.0, 60).astype(np.float32)
    scores = validated.violation[validated.rows]
    losses = [
        heads.log_loss(heads.softmax(scores * factor + offset), known, weights.astype(np.float32)) for factor in factors
    ]
    return category, float(factors[int(np.argmin(losses))])


def mixture(table: Table, validated: Validated, factor: float, params: Params) -> tuple[float, dict[float, float]]:
    """The weight of what the photo classes say."""
    rows = validated.rows & table.good
    head = heads.softmax(validated.category[rows] * np.float32(factor))
    prior = heads.photo_prior(table.photo[rows], category_table())
    return heads.photo_weight(head, prior, table.labels.category[rows], params.least_photo_weight)


def splits(table: Table, params: Params, factor: float, weight: float) -> list[float]:
    """Accuracy on held-out objects when each group in turn is the test."""
    found = []
    for group in progress(range(GROUPS), total=GROUPS, what="comparing splits"):
        head = fit_category(table, table.outside(group), params).scaled(factor)
        rows = (table.labels.group == group) & table.good
        said = mixed(table, rows, head, weight).argmax(1)
        found.append(float((said == table.labels.category[rows]).mean()))
    return found


def mixed(table: Table, rows: Bools, head: Linear, weight: float) -> Floats:
    """Category probabilities of these scenes."""
    prior = heads.photo_prior(table.photo[rows], category_table())
    learnt = heads.softmax(head(table.x[rows]))
    return np.asarray(weight * prior + (1 - weight) * learnt, np.float32)


def violations(photo: Floats, scores: Floats, weight: float) -> Floats:
    """Violation probabilities from the head's scores and the photo classes."""
    known = weight * (photo @ violation_table())
    return np.asarray(known + (1 - known.sum(1, keepdims=True)) * heads.softmax(scores), np.float32)


def write_validation(
    table: Table, validated: Validated, learnt: Learnt, factors: tuple[float, float], params: Params
) -> None:
    """What the evaluation chooses thresholds on: probabilities of scenes whose objects were not learnt from."""
    rows = validated.rows
    head = heads.softmax(validated.category[rows] * np.float32(factors[0]))
    prior = heads.photo_prior(table.photo[rows], category_table())
    offset = with_prior(Linear(learnt.violation.weights, np.zeros(8, np.float32)), params).bias
    scores = validated.violation[rows] * np.float32(factors[1]) + offset
    np.savez_compressed(
        OUT / "validation.npz",
        category=(learnt.photo_weight * prior + (1 - learnt.photo_weight) * head).astype(np.float32),
        violation=violations(table.photo[rows], scores, learnt.violation_photo_weight),
        category_label=table.labels.category[rows],
        violation_label=table.labels.violation[rows],
    )


def prove_parity(learnt: Learnt) -> None:
    """The exported file answers as torch does, on noise, fine and coarse."""
    image = np.random.default_rng(0).integers(0, 256, (8, 160, 160, 3), np.uint8)
    image[:4] = image[:4, ::40, ::40].repeat(40, 1).repeat(40, 2)
    with torch.inference_mode():
        expected = Screening(learnt).eval()(torch.from_numpy(image))
    answered = OnnxFile(OUT / "model.onnx")(image)
    for name, tensor in zip(OUTPUTS, expected, strict=True):
        difference = float(np.abs(tensor.numpy() - answered[name]).max())
        if difference > PARITY:
            raise ValueError(f"ONNX and torch differ by {difference} in {name}")


if __name__ == "__main__":
    main()
