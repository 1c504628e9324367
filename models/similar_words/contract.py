"""What similar_words promises."""

from models.contract import Manifest, TensorSpec
from models.labels import CATEGORIES, names
from models.similar_words.features import LONGEST_ANSWER, MOST_PIECES, MOST_SIMILAR, MOST_SPELLINGS, NOTHING


def contract() -> Manifest:
    """The contract without what only a pipeline knows. What is not like enough is left out by the model itself."""
    categories = tuple(names(CATEGORIES))
    return Manifest(
        name="similar_words",
        title="Similar words of Japanese and English",
        inputs=(
            TensorSpec(
                name="words",
                datatype="INT64",
                shape=(-1, MOST_SPELLINGS),
                meaning=f"hashes of the spellings of one thing, as models.similar_words.features makes them; "
                f"{NOTHING} where there are fewer",
                minimum=0,
                maximum=2**32 - 1,
                language=("ja", "en"),
            ),
            TensorSpec(
                name="pieces",
                datatype="INT64",
                shape=(-1, MOST_PIECES),
                meaning="hashes of parts of them, looked at where none of them is known as a whole",
                minimum=0,
                maximum=2**32 - 1,
            ),
        ),
        outputs=(
            TensorSpec(
                name="similar",
                datatype="UINT8",
                shape=(-1, MOST_SIMILAR, LONGEST_ANSWER),
                meaning="the words most like the asked ones, best first, in UTF-8 with zeros behind each",
            ),
            TensorSpec(
                name="score",
                datatype="FP32",
                shape=(-1, MOST_SIMILAR),
                meaning="how like each of them is (cosine); 0 where there is none",
                minimum=0.0,
                maximum=1.0001,
            ),
            TensorSpec(
                name="category",
                datatype="FP32",
                shape=(-1, len(categories)),
                meaning="how like the words of each category (cosine); 0 where it is not like enough",
                minimum=0.0,
                maximum=1.0001,
                labels=categories,
            ),
        ),
        default={
            "similar": [[0] * LONGEST_ANSWER] * MOST_SIMILAR,
            "score": [0.0] * MOST_SIMILAR,
            "category": [0.0] * len(categories),
        },
        requires={},
        files={},
    )
