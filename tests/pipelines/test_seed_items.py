"""The first items of a demo show every object, in both languages, with words that fit."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.labels import CATEGORIES, names
from models.pictures import open_picture
from pipelines.held_out import draw as held_out
from pipelines.parameters import load
from pipelines.scenes.catalogue import CATEGORIES as CONCEPTS
from pipelines.seed_items.words import SAID, article, written

ROOT = Path(__file__).parents[2]
CAT = {"concept": "cat", "ja": "ネコ", "en": "cat", "tags_ja": ["ペット", "猫"], "tags_en": ["kitten", "pet"]}


def made(folder: Path) -> list[dict[str, Any]]:
    if not (folder / "items.jsonl").is_file():
        pytest.skip(f"{folder} is not drawn: dvc repro")
    return [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]


def test_words_name_the_object_in_their_language() -> None:
    for seed in range(30):
        japanese = written(np.random.default_rng(seed), CAT, 1, "ja")
        english = written(np.random.default_rng(seed), CAT, 3, "en")
        assert "猫" in japanese.title
        assert "cat" in english.title
        assert "3 of them" in english.description
        assert "#kitten" in english.description
        assert len(japanese.title) <= 120


def test_articles() -> None:
    assert [article(word) for word in ("owl", "cat", "eagle", "unicorn")] == ["an", "a", "an", "a"]


def test_every_renamed_object_exists() -> None:
    assert set(SAID) <= {concept for some in CONCEPTS.values() for concept in some}


def test_the_items_are_many_and_mixed(trained: Path) -> None:
    items = made(trained / "data/seed_items")
    assert len(items) >= 300
    good = [item for item in items if item["violation"] == "ok"]
    assert {item["category"] for item in good} == set(names(CATEGORIES))
    assert {item["concept"] for item in good} == {concept for some in CONCEPTS.values() for concept in some}
    languages = Counter(item["language"] for item in items)
    assert abs(languages["ja"] - languages["en"]) <= 1
    assert set(Counter(item["owner"] for item in items)) == set(range(1, 7))
    assert {"banner", "text", "blank", "noise", "weapon", "spam"} <= {item["violation"] for item in items}


def test_the_pictures_are_photos_of_the_usual_size(trained: Path) -> None:
    items = made(trained / "data/seed_items")
    for item in items[::20]:
        assert open_picture((trained / "data/seed_items" / item["picture"]).read_bytes()).size == (640, 480)


def test_what_is_held_out_was_never_trained_on() -> None:
    items = made(ROOT / held_out.OUT)
    params = load(held_out.Params, ROOT / "pipelines/held_out/params.yaml", "draw")
    good = [item for item in items if item["violation"] == "ok"]
    assert len(good) == params.good
    assert {item["group"] for item in items if item["concept"]} == {params.group}
    assert len(items) - len(good) == 7 * params.bad_pictures + params.bad_texts
