"""What for_you promises."""

from models.contract import Datatype, Manifest, TensorSpec
from models.for_you.features import BITS, CANDIDATES, HISTORY, OTHER

LAST = float(2**BITS - 1)


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, files, lineage."""
    return Manifest(
        name="for_you",
        title="What somebody will probably like, from what others with like tastes chose",
        inputs=(
            _row("history", "INT64", HISTORY, "numbers of the items somebody chose last; 0 is none", LAST),
            _row("history_categories", "INT32", HISTORY, "their categories, the last number is any other", OTHER),
            _row("weights", "FP32", HISTORY, "how much each was chosen: 1 a click, 2 a long view, 3 a like", 10.0),
            _row("candidates", "INT64", CANDIDATES, "numbers of the items that may be shown; 0 is none", LAST),
            _row("candidate_categories", "INT32", CANDIDATES, "their categories", OTHER),
        ),
        outputs=(
            TensorSpec(
                name="score",
                datatype="FP32",
                shape=(-1, CANDIDATES),
                meaning="how well each candidate suits the user, comparable within one row; 0 is the average item",
            ),
        ),
        default={"score": [0.0] * CANDIDATES},
        requires={},
        files={},
    )


def _row(name: str, datatype: Datatype, size: int, meaning: str, most: float) -> TensorSpec:
    return TensorSpec(name=name, datatype=datatype, shape=(-1, size), meaning=meaning, minimum=0.0, maximum=float(most))
