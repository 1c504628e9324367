"""What image_screening promises."""

from models.contract import Manifest, TensorSpec
from models.image_screening.features import SIZE
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names

EMBEDDING = 128
EMBEDDING_VERSION = "1"
"""Names the space; embeddings of different spaces are never compared. A retrained head keeps it."""


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, thresholds, files, lineage."""
    categories, violations = names(CATEGORIES), names(PICTURE_VIOLATIONS)
    return Manifest(
        name="image_screening",
        title="What a picture shows, and whether it breaks a rule",
        inputs=(
            TensorSpec(
                name="image",
                datatype="UINT8",
                shape=(-1, SIZE, SIZE, 3),
                meaning="the picture, upright, squeezed into a square by models.pictures.decode",
                minimum=0,
                maximum=255,
                colour_space="RGB",
            ),
        ),
        outputs=(
            distribution("category", "probability of each category", categories),
            distribution("violation", "probability of each kind of violation; the first is none", violations),
            TensorSpec(
                name="embedding",
                datatype="FP32",
                shape=(-1, EMBEDDING),
                meaning="where the picture lies among similar ones: of length 1, compared by cosine",
                minimum=-1.0,
                maximum=1.0,
            ),
        ),
        default={
            "category": [1 / len(categories)] * len(categories),
            "violation": [1.0] + [0.0] * (len(violations) - 1),
            "embedding": [EMBEDDING**-0.5] * EMBEDDING,
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
