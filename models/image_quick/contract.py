"""What image_quick promises."""

from models.contract import Manifest, TensorSpec
from models.image_quick.features import LENGTH
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, thresholds, files, lineage."""
    categories, violations = names(CATEGORIES), names(PICTURE_VIOLATIONS)
    return Manifest(
        name="image_quick",
        title="A fast first look at a picture",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, LENGTH),
                meaning="colours, edges and statistics of the picture, as models.image_quick.features makes them",
                minimum=0.0,
                maximum=32.0,
                colour_space="RGB",
            ),
        ),
        outputs=(
            distribution("category", "probability of each category", categories),
            distribution(
                "violation",
                "probability of each kind of violation; the first is none; weapon and alcohol are always 0, "
                "they cannot be seen at a glance",
                violations,
            ),
        ),
        default={
            "category": [1 / len(categories)] * len(categories),
            "violation": [1.0] + [0.0] * (len(violations) - 1),
        },
        requires={},
        files={},
    )


def distribution(name: str, meaning: str, labels: list[str]) -> TensorSpec:
    """An output of probabilities that sum to 1."""
    return TensorSpec(
        name=name,
        datatype="FP32",
        shape=(-1, len(labels)),
        meaning=meaning,
        minimum=0.0,
        maximum=1.0,
        labels=tuple(labels),
    )
