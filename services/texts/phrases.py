"""Titles for what a picture shows: a few plain phrases in each language, with how many, where and in what light."""

from collections.abc import Iterator
from typing import Final, Literal

Tongue = Literal["ja", "en"]

PLAIN: Final[dict[str, dict[Tongue, tuple[str, ...]]]] = {
    "cat": {"ja": ("うちの猫", "今日の猫"), "en": ("My cat", "Cat of the day")},
    "dog": {"ja": ("うちの犬", "今日の犬"), "en": ("My dog", "Dog of the day")},
    "bird": {"ja": ("今日出会った鳥", "鳥の写真"), "en": ("A bird I met today", "Bird of the day")},
    "fish": {"ja": ("今日出会った魚", "魚の写真"), "en": ("A fish I saw today", "Fish of the day")},
    "insect": {"ja": ("見つけた虫", "今日の虫"), "en": ("A tiny visitor", "Insect of the day")},
    "flower": {"ja": ("きれいに咲いた花", "今日の花"), "en": ("In bloom", "Flower of the day")},
    "fruit": {"ja": ("旬の果物", "今日の果物"), "en": ("Fresh fruit", "Fruit of the day")},
    "food": {"ja": ("今日のごはん", "おいしい一皿"), "en": ("What I ate today", "Dish of the day")},
    "car": {"ja": ("街で見かけた車", "今日の一台"), "en": ("A car I spotted", "Car of the day")},
    "house": {"ja": ("街角の家", "すてきな家"), "en": ("A house I passed", "House of the day")},
}
"""What fits every picture of the category."""

COUNTED: Final[dict[str, str]] = {
    "cat": "匹", "dog": "匹", "bird": "羽", "fish": "匹", "insect": "匹", "flower": "輪", "fruit": "個", "food": "品",
    "car": "台", "house": "軒",
}  # fmt: skip
NAMED: Final[dict[str, tuple[str, str, str]]] = {
    "cat": ("猫", "cat", "cats"), "dog": ("犬", "dog", "dogs"), "bird": ("鳥", "bird", "birds"),
    "fish": ("魚", "fish", "fish"), "insect": ("虫", "insect", "insects"), "flower": ("花", "flower", "flowers"),
    "fruit": ("果物", "fruit", "fruit"), "food": ("料理", "dish", "dishes"), "car": ("車", "car", "cars"),
    "house": ("家", "house", "houses"),
}  # fmt: skip
"""In Japanese, and in English one and several."""

NUMBERS: Final = ("", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
MOST_COUNTED: Final = len(NUMBERS) - 1
PIECES: Final = {"fruit": "fruit", "food": "dishes"}
"""What nobody counts in an English title."""

BEING: Final = {"cat": "いる", "dog": "いる", "bird": "いる", "fish": "いる", "insect": "いる", "flower": "咲く"}
"""What they do where they are; other things lie about, and their titles leave the place out."""


def plain(category: str, language: Tongue) -> tuple[str, ...]:
    """Titles for any picture of the category."""
    return PLAIN[category][language]


def detailed(
    category: str,
    language: Tongue,
    *,
    count: int,
    brightness: Literal["dark", "medium", "bright"],
    place: Literal["indoors", "outdoors"] | None,
) -> Iterator[str]:
    """Titles that say more, where there is more to say: the fullest first."""
    say = _japanese if language == "ja" else _english
    several = count if 1 < count <= MOST_COUNTED else 0
    light = brightness if brightness != "medium" else None
    where = place if category in BEING else None
    if light or where:
        yield say(category, several, light, where)
    if several:
        yield say(category, several, None, None)


def _japanese(category: str, several: int, light: str | None, place: str | None) -> str:
    thing = NAMED[category][0]
    many = f"{several}{COUNTED[category]}の" if several else ""
    being = BEING.get(category)
    scene = {
        ("dark", "indoors"): f"薄暗い部屋に{being}",
        ("bright", "indoors"): f"明るい部屋に{being}",
        (None, "indoors"): f"部屋に{being}",
        ("dark", "outdoors"): f"暗がりに{being}",
        ("bright", "outdoors"): f"日なたに{being}",
        (None, "outdoors"): f"外に{being}",
        ("dark", None): "暗がりの中の",
        ("bright", None): "明るい光の中の",
    }.get((light, place), "")
    return f"{scene}{many}{thing}"


def _english(category: str, several: int, light: str | None, place: str | None) -> str:
    _, one, more = NAMED[category]
    counted = several if category not in PIECES else 0
    thing = f"{NUMBERS[counted]} {more}" if counted else _with_article(category, one, several)
    scene = {
        ("dark", "indoors"): " in a dim room",
        ("bright", "indoors"): " in a bright room",
        (None, "indoors"): " at home",
        ("dark", "outdoors"): " outside in the dark",
        ("bright", "outdoors"): " in bright daylight",
        (None, "outdoors"): " outdoors",
        ("dark", None): " in the dark",
        ("bright", None): " in bright light",
    }.get((light, place), "")
    return f"{thing}{scene}"


def _with_article(category: str, one: str, several: int) -> str:
    if category in PIECES and several:
        return f"Some {PIECES[category]}"
    if category == "fruit":
        return "Fruit"
    return f"{'An' if one[0] in 'aeiou' else 'A'} {one}"
