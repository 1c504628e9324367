"""Fit a linear model on the hashed characters, and the baseline beside it; write it as ONNX.

dvc repro pipelines/text_violation/dvc.yaml:train
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipelines.linear_text import Params, Text
from pipelines.parameters import load
from pipelines.text_violation.texts import VIOLATION


def main() -> None:
    params = load(Params, "pipelines/text_violation/params.yaml", "train")
    texts = VIOLATION.read(VIOLATION.texts, "train")
    VIOLATION.train(texts, params)
    with threadpool_limits(1):
        simple = baseline(texts, params)
    scores = {name: bad_scores(simple, judged) for name, judged in to_judge().items()}
    (VIOLATION.trained / "baseline.json").write_text(json.dumps(scores))


def baseline(texts: list[Text], params: Params) -> Any:
    """What anybody would try first: TF-IDF of words and a linear model."""
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=params.c, max_iter=params.iterations))
    return model.fit([text.text for text in texts], VIOLATION.truth(texts))


def to_judge() -> dict[str, list[Text]]:
    """The sets that the evaluation compares on, by name."""
    return {"held_out": VIOLATION.read(VIOLATION.texts, "test"), "gold": VIOLATION.read(VIOLATION.gold)}


def bad_scores(model: Any, texts: list[Text]) -> list[float]:
    """The chance of being a violation, for each text."""
    chances: NDArray[np.float64] = model.predict_proba([text.text for text in texts])
    return [float(score) for score in (1 - chances[:, 0]).round(6)]


if __name__ == "__main__":
    main()
