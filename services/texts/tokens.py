"""Cuts a text into words: morphemes of Japanese in their normalised form, stems of English."""

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import snowballstemmer
from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

from services.texts.spelling import JAPANESE, hiragana, only_kana

_RUNS = re.compile(rf"(?P<japanese>[0-9]*[{JAPANESE}][{JAPANESE}0-9]*)|(?P<word>[^\W_{JAPANESE}]+(?:['’][a-z]+)?)")

LONGEST: Final = 64
"""Characters of a word that count; what is longer is no word."""

REMEMBERED: Final = 20_000
"""Words whose forms are kept: stemming in Python takes longer than all the rest."""

GRAMMAR: Final = {"助詞", "助動詞", "補助記号", "記号", "空白"}
LITTLE: Final = GRAMMAR | {"接続詞", "感動詞", "接頭辞", "連体詞", "代名詞"}
_LITTLE_WORDS: Final = """
    居る 有る 為る 成る 呉れる 貰う 遣る 置く 仕舞う 事 物 様 所 為 訳 そう 良う 御 さん ちゃん 君 達 等 氏 的 さ
    匹 頭 羽 個 本 枚 台 軒 人 つ 年 月 日 歳 才 円
"""
LITTLE_WORDS: Final = frozenset(_LITTLE_WORDS.split())
"""Auxiliaries, honorifics and counters: what they say, something beside them says better."""

_STOP_WORDS: Final = """
    a an the and or but if of in on at to for from by with as is are was were be been being am it its it's this that
    these those i me my mine you your yours he him his she her hers we us our ours they them their theirs who whom
    which what there here so than then too very just not no nor do does did doing done have has had having can could
    will would shall should may might must into onto over under again once out up down off about some any
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its normalised form, how it is read if kanji are in it, whether it says anything, where it stands."""

    form: str
    reading: str | None = None
    grammar: bool = False
    little: bool = False
    start: int = 0
    end: int = 0


def runs(folded: str) -> list[tuple[int, int]]:
    """Where a folded text has Japanese without a gap, or a word of letters."""
    return [run.span() for run in _RUNS.finditer(folded)]


class Words:
    """The dictionary and the stemmer. Tokenizers are not thread-safe: each thread has its own."""

    def __init__(self) -> None:
        self._dictionary = Dictionary(dict="small")
        self._own = threading.local()
        self._same_in_hiragana = lru_cache(REMEMBERED)(self._looked_up_in_hiragana)
        self._stem = lru_cache(REMEMBERED)(self._stemmed)

    def tokens(self, folded: str) -> list[Token]:
        """The words of a folded text, in order."""
        found: list[Token] = []
        for run in _RUNS.finditer(folded):
            own = self._japanese if run.lastgroup == "japanese" else self._english
            found += own(run[0], run.start())
        return found

    def _japanese(self, run: str, start: int) -> list[Token]:
        return [self._token(morpheme, start) for morpheme in self._tokenizer().tokenize(run)]

    def _token(self, morpheme: Morpheme, start: int) -> Token:
        part, detail = morpheme.part_of_speech()[:2]
        form = self._form(morpheme.normalized_form())[:LONGEST]
        little = part in LITTLE or form in LITTLE_WORDS
        noun = part == "名詞" and detail != "数詞" and not morpheme.is_oov()
        reading = hiragana(morpheme.reading_form())[:LONGEST] if noun and not only_kana(form) else None
        return Token(form, reading, part in GRAMMAR, little, start + morpheme.begin(), start + morpheme.end())

    def _form(self, normalised: str) -> str:
        """What the dictionary left in kana: イヌ is looked up as いぬ, サーバー is サーバ, kana are hiragana."""
        if not only_kana(normalised):
            return normalised
        if (same := self._same_in_hiragana(normalised)) is not None:
            return same
        short = normalised.removesuffix("ー") if len(normalised) > 3 else normalised
        return hiragana(short)

    def _looked_up_in_hiragana(self, katakana: str) -> str | None:
        kana = hiragana(katakana)
        if kana == katakana:
            return None
        found = list(self._tokenizer().tokenize(kana))
        known = len(found) == 1 and found[0].part_of_speech()[:2] == ("名詞", "普通名詞") and not found[0].is_oov()
        return found[0].normalized_form() if known and not only_kana(found[0].normalized_form()) else None

    def _english(self, run: str, start: int) -> list[Token]:
        word = run.replace("’", "'")
        return [Token(self._stem(word[:LONGEST]), little=word in STOP_WORDS, start=start, end=start + len(run))]

    def _tokenizer(self) -> Tokenizer:
        if not hasattr(self._own, "tokenizer"):
            self._own.tokenizer = self._dictionary.tokenizer(mode=SplitMode.A)
        tokenizer: Tokenizer = self._own.tokenizer
        return tokenizer

    def _stemmed(self, word: str) -> str:
        if not hasattr(self._own, "stemmer"):
            self._own.stemmer = snowballstemmer.stemmer("english")
        return str(self._own.stemmer.stemWord(word))
