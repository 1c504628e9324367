"""Ordinary titles go through, plain violations do not, and how a text is typed changes nothing.

Judged by the artefact that the pipeline made here. None of these lines is in the gold file, so none chose a
threshold; a few of the shortest can be composed from the templates too.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from models.contract import Manifest
from models.text_violation.features import encode


def table(lines: str) -> list[str]:
    """The texts between bars and line ends."""
    return re.split(r"[|\n]", lines.strip())


OBSERVED = table("""
Morning in Kyoto 2024|猫 12345|first 20479194|うちのねこ、はな、窓辺|庭のねこ、もも
ソファで昼寝するねこ、ちゃちゃ|計測 measured 17|zq18f3a2b9c きれいな花|Hello 20479194 world
""")
"""Titles that an earlier model sent to a moderator or rejected."""

ORDINARY = table("""
海|ひまわり|うちの犬|はじめまして|黒猫のルナ 4歳|ハナとモモ、並んで|今日の空|大阪城 2022|温泉まんじゅう 6個入り
朝顔、三つ咲いた|冬の北海道、吹雪の前|祖父のカメラで撮った犬、ジョン|猫、猫、また猫|カブトムシ♂ 78mm
夜の東京タワー、雨|チーズケーキ 2号|無料開放の植物園にて|セール帰りのたい焼き|プリウスと桜|庭のバラ、咲きはじめ
午後3時のおやつ|これは何という魚ですか？|かわいいでしょう！|第12回 町内写真展|おばあちゃんの梅干し、10年もの
公園で会ったノラ、耳が桜型|福岡→長崎 1日目|かき氷 500円|バカンスの思い出|1/200 で撮った羽ばたき|cat|My garden
Sunset 3|Bella, 2 years old|Lunch, 12 May|Old Volvo|Paris 2018, first morning|Bread no. 27|DSC00931
two robins, one branch|Found a lucky clover|Coffee and rain|Max at the beach!|Free puppy kisses
Strawberry shortcake for Anna|Where is the frog?|30 km by bike, 1 puncture|Barcelona, side street, noon
Shot from the hip, 35 mm|The fish market opens at 4:30|Yard sale teapot, $3|green beetle on green leaf
Winter 1998, scanned slide|Killer tomatoes|untitled 5|House for sparrows|Carrots, onions, thyme
Toyota Corolla 1987|Good night, moon|Autumn walk with Leo
""")

VIOLATIONS = table("""
今だけ無料!!! 誰でも月収100万円 LINE登録で即日入金|スマホで簡単に日給5万円、DMください
フォロワー増やします、1万人3000円|ブランドコピー品が90%オフ|当選おめでとうございます、賞金の受け取りはこちら
アカウント停止のお知らせ http://id-check.example|審査なしで即日融資、電話一本|相互フォロー募集、必ず返します
仮想通貨で資産を倍にする方法を無料公開|死ね|お前キモいんだよ|殺すぞ、住所は知ってる|このクズ、二度と投稿するな
ブスは引っ込んでろ|Make money fast from home, DM me|Win a free iPhone, click the link now
Cheap followers, instant delivery|Replica handbags 90% off|Join my crypto group on Telegram
Your account is locked, verify your password http://login.example|Follow me, I follow back
You are a stupid idiot|Shut up, loser|kill yourself|I will break your legs
""")


@pytest.fixture(scope="module")
def made(trained: Path) -> Path:
    return trained / "data" / "text_violation" / "model"


@pytest.fixture(scope="module")
def manifest(made: Path) -> Manifest:
    return Manifest.read(made)


@pytest.fixture(scope="module")
def session(made: Path) -> ort.InferenceSession:
    return ort.InferenceSession(made / "model.onnx", providers=["CPUExecutionProvider"])


def scores(session: ort.InferenceSession, texts: list[str]) -> NDArray[np.float32]:
    """The chance of being a violation, for each text."""
    rows = np.concatenate([encode(text.encode())["features"] for text in texts])
    chances = np.asarray(session.run(["violation"], {"features": rows})[0], np.float32)
    return np.asarray(1 - chances[:, 0], np.float32)


def from_threshold(texts: list[str], found: NDArray[np.float32], threshold: float) -> list[str]:
    return [f"{text}: {score:.3f}" for text, score in zip(texts, found, strict=True) if score >= threshold]


def test_the_tables_are_long_enough() -> None:
    assert len(set(ORDINARY)) >= 60
    assert len(set(VIOLATIONS)) >= 25


@pytest.mark.parametrize("after", ["", "\nきょう撮りました。", "\nTaken this week."], ids=["title", "ja", "en"])
def test_ordinary_titles_go_through(manifest: Manifest, session: ort.InferenceSession, after: str) -> None:
    found = scores(session, [title + after for title in ORDINARY])
    assert from_threshold(ORDINARY, found, manifest.thresholds["violation_reject"]) == []
    assert len(from_threshold(ORDINARY, found, manifest.thresholds["violation_review"])) <= 3


def test_titles_that_were_once_mistaken_go_through(manifest: Manifest, session: ort.InferenceSession) -> None:
    assert from_threshold(OBSERVED, scores(session, OBSERVED), manifest.thresholds["violation_review"]) == []


def test_plain_violations_are_not_published(manifest: Manifest, session: ort.InferenceSession) -> None:
    found = scores(session, VIOLATIONS)
    review = manifest.thresholds["violation_review"]
    assert len(from_threshold(VIOLATIONS, found, review)) == len(VIOLATIONS), [
        f"{text}: {score:.3f}" for text, score in zip(VIOLATIONS, found, strict=True) if score < review
    ]


def wide(text: str) -> str:
    """ASCII as full width."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def spread(text: str) -> str:
    """White space where it means nothing."""
    return "  " + text.replace(" ", " \t ") + "\n "


@pytest.mark.parametrize("typed", [str.upper, wide, spread], ids=["case", "width", "space"])
def test_how_a_text_is_typed_changes_nothing(session: ort.InferenceSession, typed: Callable[[str], str]) -> None:
    texts = [*ORDINARY, *VIOLATIONS]
    np.testing.assert_array_equal(scores(session, [typed(text) for text in texts]), scores(session, texts))


@pytest.mark.parametrize("number", ["7", "42", "1998", "12345", "20479194", "1,250", "2024-05-03", "19:30"])
def test_a_number_is_a_number(session: ort.InferenceSession, number: str) -> None:
    found = scores(session, [f"猫 {number}", f"Morning in Kyoto {number}"])
    np.testing.assert_array_equal(found, scores(session, ["猫 5", "Morning in Kyoto 5"]))


SAME = [
    (("猫", "ネコ", "ねこ", "子猫", "cat", "kitten"), "公園の{}です"),
    (("写真", "画像", "一枚"), "きょうの{}"),
    (("picture", "photo", "shot"), "a {} of my garden"),
    (("dog", "puppy", "hound"), "my {} at the sea"),
]


@pytest.mark.parametrize(("words", "sentence"), SAME)
def test_another_word_for_the_same_thing_changes_no_decision(
    manifest: Manifest, session: ort.InferenceSession, words: tuple[str, ...], sentence: str
) -> None:
    texts = [sentence.format(word) for word in words]
    assert from_threshold(texts, scores(session, texts), manifest.thresholds["violation_review"]) == []


ADDED = [
    "\n今すぐ登録で現金プレゼント http://bit.ly/x",
    "\nclick here for free money http://bit.ly/x",
    "\nおまえは死ね",
]


@pytest.mark.parametrize("added", ADDED)
def test_a_violation_added_to_an_innocent_text_makes_it_more_suspicious(
    session: ort.InferenceSession, added: str
) -> None:
    before, after = scores(session, ORDINARY), scores(session, [title + added for title in ORDINARY])
    assert (after > before).all()


def test_an_innocent_sentence_makes_a_violation_no_worse(session: ort.InferenceSession) -> None:
    before = scores(session, VIOLATIONS)
    after = scores(session, [f"{text}\nきょう公園で撮った写真です。" for text in VIOLATIONS])
    assert float(np.median(after - before)) <= 0
