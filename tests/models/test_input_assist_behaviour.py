"""What a user would notice of the trained model: how a text is typed changes nothing, more of a word makes it surer."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from models.contract import Manifest
from models.input_assist.features import LABELS, encode
from models.labels import CATEGORIES
from models.text_violation import features as text_violation
from services.texts import phrases

TYPED = {
    "cat": ["うちの猫が寝ている", "my cat asleep"], "dog": ["犬と散歩", "walking the dog"],
    "bird": ["白い鳥の写真", "a small bird singing"], "fish": ["水槽の魚", "fish in the tank"],
    "insect": ["虫を見つけた", "an insect on a leaf"], "flower": ["庭の花が咲いた", "flowers in bloom"],
    "fruit": ["甘い果物", "ripe fruit"], "food": ["今日のランチ、おいしい", "homemade dinner"],
    "car": ["新しい車でドライブ", "my new car on the road"], "house": ["新築の家", "our new house"],
}  # fmt: skip
NOTHING = ["今日", "my", "夕方", "hello", "公園で", "a picture of", "テスト 3", "untitled 12"]


@pytest.fixture(scope="module")
def made(trained: Path) -> Path:
    folder = trained / "data" / "input_assist" / "model"
    if not folder.is_dir():
        pytest.skip("no run has made input_assist here: scripts/train")
    return folder


@pytest.fixture(scope="module")
def sure(made: Path) -> float:
    return Manifest.read(made).thresholds["category_sure"]


Ask = Callable[[list[str]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def ask(made: Path) -> Ask:
    session = ort.InferenceSession(made / "model.onnx", providers=["CPUExecutionProvider"])

    def asked(texts: list[str]) -> NDArray[np.float32]:
        rows = np.concatenate([encode(text.encode())["features"] for text in texts])
        return np.asarray(session.run(["category"], {"features": rows})[0], np.float32)

    return asked


def test_plain_texts_get_their_category(ask: Ask) -> None:
    texts = [(label, text) for label, some in TYPED.items() for text in some]
    said = [LABELS[int(i)] for i in ask([text for _, text in texts]).argmax(axis=1)]
    wrong = [(text, name) for (label, text), name in zip(texts, said, strict=True) if name != label]
    assert len(wrong) <= 1, wrong


def test_what_says_nothing_suggests_nothing(ask: Ask, sure: float) -> None:
    chances = ask(NOTHING)
    shown = [text for text, row in zip(NOTHING, chances, strict=True) if row.argmax() > 0 and row.max() >= sure]
    assert shown == []


def wide(text: str) -> str:
    """ASCII as full width."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def katakana(text: str) -> str:
    """Hiragana as katakana."""
    return re.sub("[\u3041-\u3096]", lambda kana: chr(ord(kana[0]) + 0x60), text)


@pytest.mark.parametrize("typed", [str.upper, wide, katakana, lambda text: f" {text} !"])
def test_how_a_text_is_typed_changes_nothing(ask: Ask, typed: Callable[[str], str]) -> None:
    texts = [text for some in TYPED.values() for text in some]
    np.testing.assert_array_equal(ask([typed(text) for text in texts]), ask(texts))


@pytest.mark.parametrize(
    ("word", "label"), [("sunflower", "flower"), ("butterfly", "insect"), ("ハンバーガー", "food"), ("penguin", "bird")]
)
def test_more_of_a_word_makes_it_surer(ask: Ask, word: str, label: str) -> None:
    chance = ask([word[:1], word])[:, LABELS.index(label)]
    assert chance[1] > 0.5 > chance[0]


@pytest.mark.parametrize(("more", "label"), [("にゃーと鳴く", "cat"), ("しっぽを振る", "dog"), ("満開", "flower")])
def test_a_sentence_about_it_makes_it_likelier(ask: Ask, more: str, label: str) -> None:
    chance = ask(["今日の写真", f"今日の写真\n{more}"])[:, LABELS.index(label)]
    assert chance[1] > chance[0]


def test_no_title_that_is_suggested_would_wait_for_a_moderator(trained: Path) -> None:
    folder = trained / "data" / "text_violation" / "model"
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    titles = sorted(set(every_title()))
    rows = np.concatenate([text_violation.encode(title.encode())["features"] for title in titles])
    chances = np.asarray(session.run(["violation"], {"features": rows})[0])
    review = Manifest.read(folder).thresholds["violation_review"]
    assert len(titles) > 200
    assert [title for title, row in zip(titles, chances, strict=True) if 1 - row[0] >= review] == []


def every_title() -> list[str]:
    """Every title that can be suggested, alone and with the tags that may be added to the description."""
    found = []
    for label in CATEGORIES:
        for language in ("ja", "en"):
            name = str(getattr(label, language))
            found += [*phrases.plain(label.name, language), f"{phrases.plain(label.name, language)[0]}\n#{name}"]
            for count in range(10):
                for light in ("dark", "medium", "bright"):
                    for place in (None, "indoors", "outdoors"):
                        found += phrases.detailed(label.name, language, count=count, brightness=light, place=place)
    return found
