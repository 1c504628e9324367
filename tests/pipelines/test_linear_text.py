"""What two models share is asked each for its own: its labels, its output, its folders."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines import artefact
from pipelines.input_assist.texts import CATEGORY
from pipelines.linear_text import LinearText, Params, Text, fit, write_texts
from pipelines.text_violation.texts import VIOLATION
from tests.platform import ROOT

SAID = {"ok": "a bicycle, hardly used", "spam": "win a prize, click here", "abuse": "you idiot"}
TEXTS = [Text(label, "en", part, f"{text} {n}") for label, text in SAID.items() for n, part in enumerate(("a", "b"))]


@pytest.fixture(params=[VIOLATION, replace(CATEGORY, labels=tuple(SAID))], ids=lambda model: model.name)
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LinearText:
    monkeypatch.chdir(tmp_path)
    found: LinearText = request.param
    return found


def test_what_is_written_is_read(model: LinearText) -> None:
    write_texts(model.texts, TEXTS)
    assert model.read(model.texts) == TEXTS
    assert model.read(model.texts, "b") == TEXTS[1::2]


def test_a_label_of_another_model_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"text_violation\.csv: unknown labels abuse, ok, spam"):
        CATEGORY.read(ROOT / VIOLATION.gold)


def test_the_file_says_what_was_fitted(model: LinearText) -> None:
    model.train(TEXTS, Params(c=100.0, iterations=200))
    assert model.file.is_relative_to(Path("data") / model.name)
    chances = model.chances(model.file, [text.text for text in TEXTS])
    assert chances.argmax(axis=1).tolist() == model.truth(TEXTS).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_file_that_says_something_else_is_refused(model: LinearText) -> None:
    words = [text.text for text in TEXTS]
    model.train(TEXTS, Params(c=100.0, iterations=200))
    other = fit(model.matrix(words), model.truth(TEXTS)[::-1], Params(c=100.0, iterations=200))
    with pytest.raises(ValueError, match="differ"):
        model.prove_parity(other, words)


def test_the_reference_names_the_labels_of_the_model(model: LinearText) -> None:
    told = model.reference(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.9]))
    assert told[f"{model.output}_label"] == {"ok": 0.6667, "spam": 0.3333, "abuse": 0.0}
    assert told[f"{model.output}_score"]["deciles"][0] == 0.1


def test_the_output_has_the_name_that_the_contract_gives(model: LinearText) -> None:
    model.train(TEXTS, Params(c=1.0, iterations=200))
    said = artefact.run(model.file, {"features": model.features("a bicycle")})
    assert list(said) == [model.output]
