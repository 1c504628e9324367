"""What the bench's small tabular model promises: four lengths in, three probabilities out."""

from models.contract import Manifest, TensorSpec

SPECIES = ("setosa", "versicolor", "virginica")


def contract() -> Manifest:
    """The contract without samples, files and library versions."""
    return Manifest(
        name="iris",
        title="Species of an iris",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, 4),
                meaning="sepal length and width, petal length and width, in cm",
                minimum=0.0,
                maximum=30.0,
            ),
        ),
        outputs=(
            TensorSpec(
                name="probabilities",
                datatype="FP32",
                shape=(-1, 3),
                meaning="probability of each species",
                minimum=0.0,
                maximum=1.0,
                labels=SPECIES,
            ),
        ),
        default={"probabilities": [1 / 3, 1 / 3, 1 / 3]},
        requires={},
        files={},
    )
