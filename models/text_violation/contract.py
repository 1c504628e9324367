"""What text_violation promises."""

from models.contract import Manifest, TensorSpec
from models.labels import TEXT_VIOLATIONS, names
from models.text_violation.features import SIZE


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, thresholds, files, lineage."""
    labels = tuple(names(TEXT_VIOLATIONS))
    return Manifest(
        name="text_violation",
        title="Spam and abuse in titles and descriptions",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, SIZE),
                meaning="hashed character sequences of a text, as models.text_violation.features makes them",
                minimum=0.0,
                maximum=1.0001,
                language=("ja", "en"),
            ),
        ),
        outputs=(
            TensorSpec(
                name="violation",
                datatype="FP32",
                shape=(-1, len(labels)),
                meaning="probability of each kind",
                minimum=0.0,
                maximum=1.0,
                labels=labels,
            ),
        ),
        default={"violation": [1.0, 0.0, 0.0]},
        requires={},
        files={},
    )
