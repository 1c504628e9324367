"""Hears in a query what a picture should show besides its words: how many, where, how bright, indoors or outdoors.

Only phrases that mean the picture are taken: 屋根の上 and "on top of the roof" are about a roof, 外国 is no 外, and
"dark blue" is a colour. What is taken need not stand in a text.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.texts.spelling import JAPANESE, KANJI

Where = Literal["top", "bottom", "left", "right", "centre"]
Brightness = Literal["dark", "medium", "bright"]
Place = Literal["indoors", "outdoors"]

MOST: Final = 20
"""A larger number beside a word is a year, a price or a model's name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The attributes a query asks for; nothing where it does not say."""

    count: int | None = None
    at_least: bool = False
    where: tuple[Where, ...] = ()
    brightness: Brightness | None = None
    place: Place | None = None

    def __bool__(self) -> bool:
        return self.count is not None or bool(self.where) or self.brightness is not None or self.place is not None


def heard(folded: str) -> tuple[Wanted, str]:
    """What the folded query asks for, and the rest of it."""
    wanted, rest = Wanted(), folded
    for listen in (_how_many, _where, _how_bright, _place):
        wanted, rest = listen(wanted, rest)
    return wanted, rest


def heard_alone(wanted: Wanted, rest: str) -> tuple[Wanted, str]:
    """Also a number without a counter: 猫 3, "cats 3". For queries that name a thing to be counted."""
    found = _ALONE.search(rest)
    if wanted.count is not None or found is None or not (number := _number(found[1])):
        return wanted, rest
    return replace(wanted, count=number), _without(rest, found)


def spellings(number: int) -> list[str]:
    """A number of 1 to 20 as texts have it."""
    tens, ones = divmod(number, 10)
    kanji = ["" if tens == 0 else "十" if tens == 1 else f"{_KANJI[tens]}十", _KANJI[ones] if ones else ""]
    return [str(number), "".join(kanji), _ENGLISH[number - 1]]


# ---- how many ------------------------------------------------------------------------------------------

_KANJI = "〇一二三四五六七八九"
_ENGLISH: Final = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_NAMES: dict[str, int] = {name: number for number, name in enumerate(_ENGLISH, 1)}
_NAMES |= {"single": 1, "lone": 1, "pair": 2, "couple": 2, "trio": 3, "dozen": 12}
_NAMES |= {"ひとつ": 1, "ふたつ": 2, "みっつ": 3, "よっつ": 4, "いつつ": 5, "むっつ": 6, "ななつ": 7, "やっつ": 8}
_NAMES |= {"いっぴき": 1, "にひき": 2, "さんびき": 3, "よんひき": 4, "ごひき": 5, "ろっぴき": 6, "ここのつ": 9}

_KANJI_NUMBER = "[一二三四五六七八九十]{1,3}"
_PLAIN_NUMBER = r"(?<![a-z\d.,/-])\d{1,2}"
_SURE = "匹|ひき|びき|ぴき|頭|羽|台"
_DOUBTFUL = "本|ほん|ぼん|ぽん|個|こ|コ|ヶ|つ|軒|枚|輪|皿|株|粒|房|切れ|ぱ|わ|だい"
_ABOUT_PICTURES = "暗明外室屋左右上下中真以"
"""Kanji that may follow a counter at once; 一軒家 and 三輪車 are words."""

_ORDINAL = r"(?!目|番|ずつ目)"
_MORE = "以上"
_ONLY = "だけ|のみ|くらい|ぐらい|ほど|以下"
_COUNTED_JA = re.compile(
    rf"(?<!第)(?:(?P<digits>{_PLAIN_NUMBER})(?:{_SURE}|{_DOUBTFUL}){_ORDINAL}"
    rf"|(?P<kanji>{_KANJI_NUMBER})(?:(?:{_SURE}){_ORDINAL}|(?:{_DOUBTFUL})(?![{KANJI}])"
    rf"|(?:{_DOUBTFUL})(?=[{_ABOUT_PICTURES}]))"
    rf"|(?P<name>{'|'.join(name for name in _NAMES if not name.isascii())}))(?P<more>{_MORE})?(?:{_ONLY})?の?"
)
_MANY_JA = re.compile(
    "(?P<some>複数|何匹も|何羽も|何個も|何本も|何台も)|(?:たくさん|沢山|いっぱい|大勢|多数)(?:の|いる|ある)?"
)

_UNITS = (
    "am|pm|mm|cm|m|km|kg|g|mg|ml|l|k|d|x|mp|gb|tb|bit|inch|inches|percent|years?|months?|weeks?|days?|hours?"
    "|minutes?|seconds?|yen|dollars?|euros?|stars?|th|st|nd|rd"
)
_NAME_EN = "|".join(name for name in _NAMES if name.isascii())
_COUNTED_EN = re.compile(
    rf"(?<!no )(?:\b(?P<least>at least|more than|over) )?(?:\b(?:only|just|exactly|a|an|the) )?"
    rf"(?:(?P<digits>{_PLAIN_NUMBER})(?P<plus>\+)?|\b(?P<name>{_NAME_EN})\b(?! of (?:my|our|the|these|those|them)\b))"
    rf"(?P<more> or more)?(?: of)?(?=\s+(?!(?:{_UNITS}|{_NAME_EN}|o'clock)\b)[a-z])"
)
_MANY_EN = re.compile(
    r"\b(?P<some>several|multiple|(?:a )?few|various)\b"
    r"|\b(?:(?:a )?lots? of|many|plenty of|(?:a )?(?:group|herd|flock) of)\b"
)
_ALONE = re.compile(
    rf"(?<!no )(?<![a-z\d.,/#-])(\d{{1,2}}|(?<![{KANJI}]){_KANJI_NUMBER}|\b(?:{_NAME_EN}))"
    rf"(?=\s*(?:$|[、。!?,])|\s+[{JAPANESE}])"
)


def _how_many(wanted: Wanted, text: str) -> tuple[Wanted, str]:
    for pattern in (_COUNTED_JA, _COUNTED_EN):
        for found in pattern.finditer(text):
            counted, rest = _counted(wanted, found.groupdict()), _without(text, found)
            if counted and (rest.strip() or not found.groupdict().get("kanji")):  # 五輪 alone is a word
                return counted, rest
    for pattern in (_MANY_JA, _MANY_EN):
        if many := pattern.search(text):
            return replace(wanted, count=2 if many["some"] else 3, at_least=True), _without(text, many)
    return wanted, text


def _counted(wanted: Wanted, parts: dict[str, str | None]) -> Wanted | None:
    number = _number(parts["digits"] or parts.get("kanji") or parts.get("name") or "")
    if not number:
        return None
    above = parts.get("least") in ("more than", "over")
    more = parts.get("more") or parts.get("least") or parts.get("plus")
    return replace(wanted, count=number + above, at_least=bool(more))


def _number(word: str) -> int | None:
    """1 to 20, however it is written."""
    number = int(word) if word.isdecimal() and word.isascii() else _NAMES.get(word) or _kanji_number(word)
    return number if 0 < number <= MOST else None


def _kanji_number(word: str) -> int:
    tens, ten, ones = word.partition("十")
    if ten:
        return 10 * (max(0, _KANJI.find(tens)) if tens else 1) + (max(0, _KANJI.find(ones)) if ones else 0)
    return max(0, _KANJI.find(word))


# ---- where in the picture ------------------------------------------------------------------------------

_CORNERS: dict[str, tuple[Where, ...]] = {"左上": ("top", "left"), "右上": ("top", "right")}
_CORNERS |= {"左下": ("bottom", "left"), "右下": ("bottom", "right")}
_SIDES: dict[str, Where] = {"左": "left", "ひだり": "left", "右": "right", "みぎ": "right", "上": "top", "下": "bottom"}
_SIDES |= {"真ん中": "centre", "まん中": "centre", "まんなか": "centre", "真中": "centre", "中央": "centre"}
_SIDES |= {"中心": "centre", "うえ": "top"}
_SIDES |= {"left": "left", "right": "right", "top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom"}
_SIDES |= {"center": "centre", "centre": "centre", "middle": "centre"}

_PICTURE_JA = "(?:画面|写真|画像|絵|フレーム)の"
_PART_JA = "(?:側|端|隅|寄り|の方|のほう|方|ほう|部分|部)?"
_BEHIND = rf"(?={_PART_JA}(?:[にのへでをはが、。,\s]|$)|[暗明外室屋])"
_TAIL_JA = rf"{_PART_JA}(?:に(?:いる|ある|写る|写っている)?|の|へ|で|を)?"
_CORNER_JA = re.compile(rf"(?:{_PICTURE_JA})?(?<![{KANJI}])(?P<corner>[左右][上下]){_BEHIND}{_TAIL_JA}")
_MIDDLE_JA = re.compile(
    rf"(?:{_PICTURE_JA})?(?<![{KANJI}])(?<!の)(?P<side>真ん中|まん中|まんなか|真中|中央|中心){_BEHIND}{_TAIL_JA}"
)
_SIDE_JA = re.compile(
    rf"(?:{_PICTURE_JA}|(?<![{KANJI}])(?<!の))(?P<side>左|右|上|下|ひだり|みぎ|(?<![^\s])うえ(?=\s|$|に|の)){_BEHIND}{_TAIL_JA}"
)
_OF_PICTURE = r"(?: of the (?:picture|photo|image|frame))?"
_NOT_OF = r"(?! of\b)"
_CORNER_EN = re.compile(
    rf"\b(?:(?:on|in|at|to) (?:the )?)?(?P<first>top|upper|bottom|lower)[ -](?P<second>left|right)"
    rf"(?: corner| side)?{_OF_PICTURE}\b"
)
_SIDE_EN = re.compile(
    rf"\b(?:on|at|to|in|near) (?:the )?(?P<one>left|right|top|bottom|middle|center|centre|upper|lower)"
    rf"(?:[ -](?:hand )?(?:side|half|part|edge))?{_OF_PICTURE}\b{_NOT_OF}"
    rf"|\b(?P<two>left|right|top|bottom|upper|lower)[ -](?:hand )?(?:side|half|part)\b{_OF_PICTURE}{_NOT_OF}"
    rf"|(?:^|(?<=, )|(?<=,))(?P<three>left|right|top|bottom|middle|center|centre)(?=\s*(?:,|$))"
    rf"|(?<=[a-z{JAPANESE}] )(?P<four>left|right|top|bottom)(?=\s*(?:,|$))(?<!crop top)(?<!tank top)(?<!all right)"
)


def _where(wanted: Wanted, text: str) -> tuple[Wanted, str]:
    if found := _CORNER_JA.search(text):
        return replace(wanted, where=_CORNERS[found["corner"]]), _without(text, found)
    if found := _CORNER_EN.search(text):
        return replace(wanted, where=(_SIDES[found["first"]], _SIDES[found["second"]])), _without(text, found)
    for pattern in (_MIDDLE_JA, _SIDE_JA, _SIDE_EN):
        if found := pattern.search(text):
            side = next(part for part in found.groups() if part)
            return replace(wanted, where=(_SIDES[side],)), _without(text, found)
    return wanted, text


# ---- how bright ----------------------------------------------------------------------------------------

_COLOURS_JA = "青|赤|緑|紺|茶|灰|紫|黄|橙|ピンク|色|ブルー|レッド|グリーン|ブラウン|グレー|チョコ|モード"
_COLOURS_EN = (
    "blue|red|green|brown|grey|gray|purple|yellow|orange|pink|violet|gold|hair|skin|eyed?|eyes|chocolate|beer|roast|ale"
    "|horse|matter|souls|mode|side|meat"
)
_DARK = re.compile(
    rf"(?:薄暗い|真っ暗な?|暗い|暗め|暗く|暗がり|ダーク(?![ァ-ヶー])な?)(?:場所|ところ|所|感じ|写真)?(?:で|の|に)?(?!{_COLOURS_JA})"
    rf"|(?<![^\s、,])くらい(?=$|[\s、])"
    rf"|(?:\bin (?:the )?)?\b(?:dark|dim|dimly lit|poorly lit|gloomy|low[- ]light)\b(?! (?:{_COLOURS_EN})\b)"
)
_BRIGHT = re.compile(
    rf"(?:明るい|明るめ|明るく|あかるい|明るい所|明るい場所)(?:で|の|に)?(?!{_COLOURS_JA})"
    rf"|(?:\bin )?\b(?:bright|brightly lit|well[- ]lit|sunlit)\b(?! (?:{_COLOURS_EN})\b)"
)
_MEDIUM = re.compile(r"普通の明るさ|ほどよい明るさ|\bmedium (?:brightness|light)\b")


def _how_bright(wanted: Wanted, text: str) -> tuple[Wanted, str]:
    kinds: tuple[tuple[Brightness, re.Pattern[str]], ...] = (("medium", _MEDIUM), ("dark", _DARK), ("bright", _BRIGHT))
    for brightness, pattern in kinds:
        if found := pattern.search(text):
            return replace(wanted, brightness=brightness), _without(text, found)
    return wanted, text


# ---- indoors or outdoors -------------------------------------------------------------------------------

_OUT_OF_DOORS = re.compile(
    rf"(?:屋外|野外|戸外|室外|アウトドア|(?<![{KANJI}])外(?![{KANJI}])(?!(?:れ|す|さ|し|せ))|(?<![^\s、,])そと)"
    r"(?:側)?(?:に(?:いる|ある)?|で|の)?"
    r"|\b(?:in the )?(?:outdoors?|outside|open air)\b(?! of\b)"
)
_IN_DOORS = re.compile(
    r"(?:屋内|室内|インドア|部屋の中|家の中|うちの中|建物の中|(?<![^\s、,])なか(?=$|[\s、]))(?:に(?:いる|ある)?|で|の)?"
    r"|\b(?:indoors?|inside(?! out\b)(?: (?:the|a) (?:house|room|building))?|in (?:the|a) room)\b(?! of\b)"
)


def _place(wanted: Wanted, text: str) -> tuple[Wanted, str]:
    kinds: tuple[tuple[Place, re.Pattern[str]], ...] = (("outdoors", _OUT_OF_DOORS), ("indoors", _IN_DOORS))
    for place, pattern in kinds:
        if found := pattern.search(text):
            return replace(wanted, place=place), _without(text, found)
    return wanted, text


def _without(text: str, found: re.Match[str]) -> str:
    """The text with a space where the phrase was: what stood beside it is no one word now."""
    return f"{text[: found.start()]} {text[found.end() :]}"
