"""What weekly_demand promises."""

from models.contract import Manifest, TensorSpec
from models.weekly_demand.features import BAND, SIZE


def contract() -> Manifest:
    """The contract without what only a pipeline knows: samples, files, lineage."""
    return Manifest(
        name="weekly_demand",
        title="Uploads and searches that next week will bring",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, SIZE),
                meaning="the weeks before and the calendar, as models.weekly_demand.features makes them",
                minimum=-100.0,
                maximum=100.0,
            ),
        ),
        outputs=(
            TensorSpec(
                name="demand",
                datatype="FP32",
                shape=(-1, len(BAND)),
                meaning="a count: what is expected, and between what it lies eight times in ten",
                minimum=0.0,
                labels=BAND,
            ),
        ),
        default={"demand": [0.0] * len(BAND)},
        requires={},
        files={},
    )
