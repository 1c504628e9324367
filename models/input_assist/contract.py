"""What input_assist promises."""

from models.contract import Manifest, TensorSpec
from models.input_assist.features import LABELS, SIZE


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, thresholds, files, lineage."""
    return Manifest(
        name="input_assist",
        title="The category of what is being typed",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, SIZE),
                meaning="hashed character sequences of a text, as models.input_assist.features makes them",
                minimum=0.0,
                maximum=1.0001,
                language=("ja", "en"),
            ),
        ),
        outputs=(
            TensorSpec(
                name="category",
                datatype="FP32",
                shape=(-1, len(LABELS)),
                meaning="probability of each category, and that the text names none (yet)",
                minimum=0.0,
                maximum=1.0,
                labels=LABELS,
            ),
        ),
        default={"category": [1.0] + [0.0] * (len(LABELS) - 1)},
        requires={},
        files={},
    )
