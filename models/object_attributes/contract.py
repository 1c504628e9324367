"""What object_attributes promises."""

from models.contract import Manifest, TensorSpec
from models.image_screening.contract import contract as screening
from models.image_screening.contract import distribution

MOST = 16
"""Most objects in one answer."""
PLACES = ("unclear", "indoors", "outdoors")


def contract() -> Manifest:
    """The contract without what only a pipeline knows. Its input is image_screening's: a host encodes once."""
    return Manifest(
        name="object_attributes",
        title="How many things a picture shows, where, how bright and in what place",
        inputs=screening().inputs,
        outputs=(
            TensorSpec(
                name="boxes",
                datatype="FP32",
                shape=(-1, MOST, 5),
                meaning="left, top, right, bottom in parts of the square, and the score; the best first",
                minimum=0.0,
                maximum=1.0,
            ),
            distribution("place", "probability of each place", list(PLACES)),
            TensorSpec(
                name="brightness",
                datatype="FP32",
                shape=(-1, 1),
                meaning="mean luma of the picture, 0 black to 1 white",
                minimum=0.0,
                maximum=1.0,
            ),
        ),
        default={"boxes": [[0.0] * 5] * MOST, "place": [1.0, 0.0, 0.0], "brightness": [0.5]},
        requires={},
        files={},
    )
