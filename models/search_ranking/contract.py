"""What search_ranking promises."""

from models.contract import Manifest, TensorSpec
from models.search_ranking.features import NAMES, SIZE, WIDEST


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, files, lineage."""
    return Manifest(
        name="search_ranking",
        title="Results in the order in which this user will like them",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, SIZE),
                meaning="one candidate a row, as models.search_ranking.features makes them: " + ", ".join(NAMES),
                minimum=-WIDEST,
                maximum=WIDEST,
            ),
        ),
        outputs=(
            TensorSpec(
                name="score",
                datatype="FP32",
                shape=(-1, 1),
                meaning="what showing it is worth: chances of a click, a long view and a like, weighed",
                minimum=0.0,
            ),
        ),
        default={"score": [0.0]},
        requires={},
        files={},
    )
