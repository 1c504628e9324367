"""The texts are split before they are composed, the same clone gives the same model, and the gold file is whole."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from models.contract import Manifest
from models.input_assist.features import LABELS, NONE, normalise
from pipelines import artefact
from pipelines.input_assist import evaluate, prepare, train
from pipelines.input_assist.lookup import Lookup, folded
from pipelines.input_assist.prepare import Composer, Material, emoji, split
from pipelines.input_assist.texts import CATEGORY
from pipelines.parameters import read_yaml
from tests.platform import ROOT

PARAMS = prepare.Params(7, 1, 1, 6, 0.25, cut=0.5, enough=0.5, described=0.3)
needs_names = pytest.mark.skipif(
    not (ROOT / "requirements/npm/node_modules/emojibase-data").is_dir(), reason="run scripts/setup"
)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return read_yaml(ROOT / "data/input_assist/templates.yaml")


@pytest.fixture(scope="module")
def lookup() -> Lookup:
    return Lookup.read(ROOT / "models/words.toml")


@pytest.fixture(scope="module")
def parts(content: dict[str, Any], lookup: Lookup) -> tuple[Material, Material]:
    others = {
        "ja": ["傘", "机", "椅子", "窓", "鍵", "扉"],
        "en": ["umbrella", "desk", "chair", "window", "key", "door"],
    }
    nothing: dict[str, list[str]] = {"ja": [], "en": []}
    drawn = {label: others if label == NONE else nothing for label in LABELS}
    return split(content, lookup, drawn, 6)


def test_what_is_held_out_never_occurs_in_training(parts: tuple[Material, Material]) -> None:
    learnt, held_out = parts
    for label in LABELS:
        for language in ("ja", "en"):
            assert held_out.said[label][language]
            assert not set(learnt.said[label][language]) & set(held_out.said[label][language])
            assert not set(learnt.names[label][language]) & set(held_out.names[label][language])
            assert held_out.names[label][language]
    assert not set(learnt.frames["ja"][3:]) & set(held_out.frames["ja"][3:])


def test_the_vocabulary_is_learnt_whole(parts: tuple[Material, Material], lookup: Lookup) -> None:
    learnt, held_out = parts
    for label, words in lookup.words.items():
        assert set(words) <= {*learnt.names[label]["ja"], *learnt.names[label]["en"]}
        kept_back = {folded(word) for language in ("ja", "en") for word in held_out.names[label][language]}
        assert not kept_back & {folded(word) for word in words}


def test_a_text_names_nothing_before_enough_of_a_name_is_typed(parts: tuple[Material, Material]) -> None:
    composer = Composer(parts[0], PARAMS, random.Random(3))
    typed = {composer.typed("my ", "kangaroo", " again", "cat")[::-1] for _ in range(300)}
    assert {label for text, label in typed if len(text) < len("my kang")} == {NONE}
    assert {label for text, label in typed if len(text) >= len("my kanga")} == {"cat"}


def test_every_slot_is_filled(parts: tuple[Material, Material]) -> None:
    for part in parts:
        for text in Composer(part, PARAMS, random.Random(2)).texts(dict.fromkeys(LABELS, 100), "train"):
            assert not set("{}") & set(text.text)


@needs_names
def test_a_keyword_of_several_categories_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    drawn = emoji()
    everything = [word for label in LABELS if label != NONE for word in drawn[label]["en"]]
    assert "animal" not in everything
    assert "kitten" in drawn["cat"]["en"]
    assert "プードル" in drawn["dog"]["ja"]


@pytest.mark.parametrize(
    ("text", "category"),
    [("うちのネコ", "cat"), ("two Poodles", "dog"), ("concatenate", NONE), ("my sunfl", "flower"), ("", NONE)],
)
def test_the_baseline_looks_words_up(lookup: Lookup, text: str, category: str) -> None:
    assert lookup.category(text) == category


def test_the_gold_file_is_whole(content: dict[str, Any]) -> None:
    gold = CATEGORY.read(ROOT / CATEGORY.gold)
    assert len({text.text for text in gold}) == len(gold) >= 80
    count = Counter((text.label, text.language) for text in gold)
    assert all(count[label, language] >= 5 for label in LABELS for language in ("ja", "en"))
    assert Counter(text.part for text in gold)["typing"] >= 40
    said = [line for label in LABELS[1:] for language in ("ja", "en") for line in content["said"][label][language]]
    assert not {normalise(text.text) for text in gold if text.label != NONE} & {normalise(line) for line in said}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the pipeline reads, with fewer texts."""
    (tmp_path / "models/input_assist").mkdir(parents=True)
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    for path in (
        "pipelines/input_assist/params.yaml",
        "data/input_assist/templates.yaml",
        "data/gold/input_assist.csv",
        "models/words.toml",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    yaml, parameters = YAML(), tmp_path / "pipelines/input_assist/params.yaml"
    smaller = yaml.load(parameters)
    smaller["prepare"] |= {"each": 150, "none": 200}
    smaller["train"]["iterations"] = 60
    smaller["evaluate"]["precision"] = 0.6
    yaml.dump(smaller, parameters)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made() -> Iterator[Manifest]:
    """The whole pipeline, again and again, each time from nothing."""
    while True:
        shutil.rmtree(CATEGORY.prepared, ignore_errors=True)
        shutil.rmtree(CATEGORY.trained, ignore_errors=True)
        for stage in (prepare, train, evaluate):
            stage.main()
        yield artefact.verify(Path("data/input_assist/model"))


@needs_names
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_the_same_sources_give_the_same_model_and_even_a_small_one_beats_the_lookup(workspace: Path) -> None:
    makings = made()
    first, second = next(makings), next(makings)
    assert artefact.model_hash(first) == artefact.model_hash(second)
    assert 0.3 <= first.thresholds["category_sure"] < 1
    metrics = read_yaml(Path("data/input_assist/metrics.json"))
    assert metrics["gold_recall_together"] > metrics["gold_recall_baseline"]
    path = workspace / "pipelines/input_assist/params.yaml"
    path.write_text(path.read_text().replace("seed: 7", "seed: 8"))
    assert artefact.model_hash(next(makings)) != artefact.model_hash(first)
