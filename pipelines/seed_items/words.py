"""Titles and descriptions as people write them, around the names of the objects, in Japanese and English."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.scenes.pack import Row

Rng = np.random.Generator

SAID: dict[str, tuple[str, str]] = {
    "cat face": ("猫", "cat"),
    "cat": ("猫", "cat"),
    "grinning cat": ("にっこり笑う猫", "grinning cat"),
    "grinning cat with smiling eyes": ("にやっと笑う猫", "smiling cat"),
    "cat with tears of joy": ("笑い泣きの猫", "laughing cat"),
    "smiling cat with heart-eyes": ("目がハートの猫", "cat in love"),
    "cat with wry smile": ("すまし顔の猫", "smug cat"),
    "kissing cat": ("甘えん坊の猫", "kissing cat"),
    "weary cat": ("お疲れの猫", "tired cat"),
    "pouting cat": ("ごきげんななめの猫", "grumpy cat"),
    "dog face": ("犬", "dog"),
    "dog": ("犬", "dog"),
    "chicken": ("ニワトリ", "chicken"),
    "hatching chick": ("生まれたてのひよこ", "hatching chick"),
    "front-facing baby chick": ("ひよこ", "baby chick"),
    "bird": ("小鳥", "little bird"),
    "black bird": ("黒い鳥", "blackbird"),
    "spouting whale": ("潮を吹くクジラ", "spouting whale"),
    "bug": ("いもむし", "caterpillar"),
    "lady beetle": ("テントウムシ", "ladybird"),
    "cricket": ("バッタ", "cricket"),
    "white flower": ("白い花", "white flower"),
    "blossom": ("黄色い花", "yellow blossom"),
    "cherry blossom": ("桜", "cherry blossom"),
    "red apple": ("赤いリンゴ", "red apple"),
    "kiwi fruit": ("キウイ", "kiwi"),
    "grapes": ("ぶどう", "bunch of grapes"),
    "cherries": ("さくらんぼ", "pair of cherries"),
    "blueberries": ("ブルーベリー", "handful of blueberries"),
    "baguette bread": ("バゲット", "baguette"),
    "bread": ("食パン", "loaf of bread"),
    "cut of meat": ("ステーキ", "steak"),
    "meat on bone": ("骨付き肉", "meat on the bone"),
    "bacon": ("ベーコン", "plate of bacon"),
    "poultry leg": ("フライドチキン", "chicken leg"),
    "stuffed flatbread": ("ケバブサンド", "kebab"),
    "cooking": ("目玉焼き", "fried egg"),
    "shallow pan of food": ("パエリア", "paella"),
    "pot of food": ("鍋料理", "hot pot"),
    "canned food": ("缶詰", "tin of food"),
    "steaming bowl": ("ラーメン", "bowl of ramen"),
    "curry rice": ("カレーライス", "plate of curry"),
    "cooked rice": ("ごはん", "bowl of rice"),
    "french fries": ("フライドポテト", "portion of fries"),
    "fish cake with swirl": ("なると", "fish cake"),
    "takeout box": ("テイクアウトの中華", "takeaway box"),
    "soft ice cream": ("ソフトクリーム", "soft ice cream"),
    "cheese wedge": ("チーズ", "piece of cheese"),
    "oncoming bus": ("バス", "bus"),
    "oncoming police car": ("パトカー", "police car"),
    "oncoming taxi": ("タクシー", "taxi"),
    "automobile": ("車", "car"),
    "oncoming automobile": ("車", "car"),
    "sport utility vehicle": ("RV車", "camper van"),
    "articulated lorry": ("トレーラー", "lorry"),
    "auto rickshaw": ("三輪タクシー", "auto rickshaw"),
    "houses": ("住宅街", "row of houses"),
    "derelict house": ("古い空き家", "abandoned house"),
    "love hotel": ("ホテル", "hotel"),
    "Japanese post office": ("郵便局", "post office"),
    "post office": ("古い郵便局", "old post office"),
    "Japanese castle": ("お城", "Japanese castle"),
    "castle": ("西洋のお城", "castle"),
    "wedding": ("結婚式の教会", "wedding chapel"),
    "classical building": ("歴史的な建物", "classical building"),
}
"""What people say for an object, where its label in the emoji list is not it."""

UNCOUNTED = {"meat on bone", "paella", "sushi", "oden", "bacon", "popcorn", "cheese"}

WHERE = {
    "ja": ("公園で", "駅前で", "旅先で", "家の近くで", "海辺で", "散歩の途中で", "友達の家で", "朝市で"),
    "en": ("in the park", "near the station", "on holiday", "around the corner", "by the sea", "on my walk",
           "at a friend's place", "at the market"),
}  # fmt: skip
TITLES = {
    "ja": ("{thing}", "{where}見つけた{thing}", "今日の{thing}", "{thing}の写真",
           "お気に入りの{thing}", "{thing}です"),
    "en": ("{A} {thing}", "{A} {thing} {where}", "Today's {thing}", "My favourite {thing}", "Look, {a} {thing}!",
           "Just {a} {thing}"),
}  # fmt: skip
ONE = {
    "ja": ("{where}撮りました。", "{where}偶然出会えました。", "とても気に入っています。", "何度見ても飽きません。"),
    "en": ("I took this {where}.", "Found {where}, quite by chance.", "I like this one a lot.", "I never tire of it."),
}
MORE = {
    "ja": ("光がきれいな日でした。", "感想をもらえると嬉しいです。", "また見に行きたいです。", "スマホで撮影。", ""),
    "en": ("The light was lovely.", "Comments are welcome.", "I want to go back soon.", "Taken with my phone.", ""),
}
COUNTED = {"ja": "写真には{thing}が{count}つ写っています。", "en": "There are {count} of them in the picture."}

SPAM: dict[str, Sequence[tuple[str, str]]] = {
    "ja": (
        (
            "【緊急】今だけ無料で10万円プレゼント",
            "LINE登録するだけで誰でも毎月100万円稼げます。今すぐ下のURLへ http://deal.example/a1",
        ),
        (
            "ブランド財布が90%OFF",
            "偽物バッグ、コピー品の時計が激安。在庫わずか、今すぐDMください。http://t.example/join",
        ),
    ),
    "en": (
        ("FREE iPhone, click now!!!", "You won a gift card! Claim your cash prize today: http://deal.example/a1"),
        ("Make $9,000 a week from home", "Guaranteed profit with crypto, no risk. Message me on Telegram now."),
    ),
}


@dataclass(frozen=True)
class Words:
    """What is written to a picture."""

    title: str
    description: str


def thing(row: Row, language: str) -> str:
    """What people call the object."""
    labels: tuple[str, str] = (row["ja"], row["en"].lower())
    japanese, english = SAID.get(row["concept"], labels)
    return japanese if language == "ja" else english


def article(word: str) -> str:
    """`a` or `an`."""
    return "an" if word[0].lower() in "aeio" else "a"


def pick(rng: Rng, some: Sequence[str]) -> str:
    """One of them."""
    return some[int(rng.integers(len(some)))]


def written(rng: Rng, row: Row, count: int, language: str) -> Words:
    """A title and a description for a picture of that object."""
    name = thing(row, language)
    a = article(name)
    slots = {"thing": name, "where": pick(rng, WHERE[language]), "a": a, "A": a.capitalize(), "count": str(count)}
    if name in UNCOUNTED:
        slots |= {"a": "some", "A": "Some"}
    title = pick(rng, TITLES[language]).format(**slots)
    sentences = [pick(rng, ONE[language]).format(**slots), pick(rng, MORE[language])]
    if count > 1:
        sentences.append(COUNTED[language].format(**slots))
    text = ("" if language == "ja" else " ").join(sentence for sentence in sentences if sentence)
    return Words(title, f"{text}\n{tags(row, language)}".strip())


def tags(row: Row, language: str) -> str:
    """Two of the object's tags, as people write them; words that others search for."""
    known: list[str] = row[f"tags_{language}"]
    return " ".join([f"#{tag}" for tag in known if len(tag) > 1 and tag.isalpha()][:3])
