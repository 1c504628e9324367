"""Compose texts as people type them, labelled with the category they are about.

    dvc repro pipelines/input_assist/dvc.yaml:prepare

Names, sentences and frames are split before anything is composed: what the test is made of, the training has never
seen. The words of the vocabulary are all learnt, for the app looks them up anyway; what is held out is what the
vocabulary lacks.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.input_assist.features import NONE
from models.labels import CATEGORIES, names
from pipelines.input_assist.lookup import Lookup, folded
from pipelines.input_assist.texts import CATEGORY
from pipelines.linear_text import Text, write_texts
from pipelines.parameters import load, read_yaml
from pipelines.progress import progress
from pipelines.scenes import catalogue

TEMPLATES = Path("data/input_assist/templates.yaml")
EMOJI = "requirements/npm/node_modules/emojibase-data/{language}/data.json"
LANGUAGES = ("ja", "en")
SLOT = re.compile(r"{(\w+)}")
SAID = 0.35
"""So many texts tell the category without a name of it."""

IN_THE_NAME = 0.6
"""So many of the texts that end in the middle end in the middle of the name."""

MOST_OF_A_NAME = {"en": 5, "ja": 3}
"""So many characters of a name tell which it is, however long it is: `apart`, `マンシ`."""

Words = Mapping[str, Mapping[str, Sequence[str]]]
"""Label, language."""


@dataclass(frozen=True)
class Params:
    seed: int
    each: int
    none: int
    held_out_every: int
    test_share: float
    cut: float
    enough: float
    described: float


@dataclass(frozen=True)
class Material:
    """What the texts of one part are composed of."""

    names: Words
    said: Words
    frames: Mapping[str, Sequence[str]]
    slots: Mapping[str, Mapping[str, Sequence[str]]]


def main() -> None:
    params = load(Params, "pipelines/input_assist/params.yaml", "prepare")
    train, test = split(read_yaml(TEMPLATES), Lookup.read(), emoji(), params.held_out_every)
    rng = random.Random(params.seed)
    wanted = dict.fromkeys(names(CATEGORIES), params.each) | {NONE: params.none}
    fewer = {label: round(number * params.test_share) for label, number in wanted.items()}
    texts = [*Composer(train, params, rng).texts(wanted, "train"), *Composer(test, params, rng).texts(fewer, "test")]
    write_texts(CATEGORY.texts, progress(texts, total=len(texts), what="composing texts"))


def emoji() -> dict[str, dict[str, list[str]]]:
    """What objects are called, and keywords that only objects of one category have; by label and language."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    kind_of = {name: kind for kind, objects in catalogue.CATEGORIES.items() for name in objects}
    english: list[dict[str, Any]] = json.loads(Path(EMOJI.format(language="en")).read_bytes())
    kinds = {entry["hexcode"]: kind_of.get(entry["label"], NONE) for entry in english}
    drawn = {entry["hexcode"] for entry in english if entry["label"] in set(catalogue.OTHER)}
    for language in LANGUAGES:
        entries: list[dict[str, Any]] = json.loads(Path(EMOJI.format(language=language)).read_bytes())
        of: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            for keyword in entry.get("tags", []):
                of[keyword].add(kinds.get(entry["hexcode"], NONE))
        for label in (NONE, *names(CATEGORIES)):
            mine = [entry for entry in entries if kinds.get(entry["hexcode"], NONE) == label]
            mine = [entry for entry in mine if label != NONE or entry["hexcode"] in drawn]
            called = {re.sub(r"[（(].*", "", entry["label"]).strip() for entry in mine}
            keywords = {k for entry in mine for k in entry.get("tags", []) if of[k] == {label} and len(k) > 1}
            found[label][language] = sorted(called | (keywords if label != NONE else set()))
    return found


def split(
    content: dict[str, Any], lookup: Lookup, drawn: Mapping[str, Mapping[str, Sequence[str]]], every: int
) -> tuple[Material, Material]:
    """Material to learn from and material held out."""

    def part(held_out: bool) -> Material:
        def mine(values: Sequence[str]) -> list[str]:
            return [value for place, value in enumerate(values, 1) if (place % every == 0) == held_out]

        def called(label: str, language: str) -> list[str]:
            known = [word for word in lookup.words[label] if word.isascii() == (language == "en")]
            alike = {folded(word) for word in known}
            others = [*content["names"][label][language], *drawn[label][language]]
            new = mine([name for name in dict.fromkeys(others) if folded(name) not in alike])
            return new if held_out else [*known, *new]

        words = {label: {lang: called(label, lang) for lang in LANGUAGES} for label in names(CATEGORIES)}
        words[NONE] = {lang: mine(drawn[NONE][lang]) for lang in LANGUAGES}
        said = {label: {lang: mine(content["said"][label][lang]) for lang in LANGUAGES} for label in names(CATEGORIES)}
        said[NONE] = {lang: mine(content["none"][lang]) for lang in LANGUAGES}
        frames = {lang: mine(content["frames"][lang]) for lang in LANGUAGES}
        return Material(words, said, frames, content["slots"])

    return part(False), part(True)


@dataclass(frozen=True)
class Composer:
    """Makes texts of one material."""

    material: Material
    params: Params
    rng: random.Random

    def texts(self, wanted: Mapping[str, int], part: str) -> Iterator[Text]:
        """So many texts of each label, half in each language; the same text may come twice, as with people."""
        for label, number in wanted.items():
            for made in range(number):
                language = LANGUAGES[made % 2]
                yield self.text(label, language, part)

    def text(self, label: str, language: str, part: str) -> Text:
        """A title, whole or cut off, sometimes with a description of the same."""
        if self.rng.random() < SAID:
            sentence = self.rng.choice(self.material.said[label][language])
            return Text(label, language, part, self.with_more(sentence, label, language))
        before, thing, after = self.framed(label, language)
        if self.rng.random() < self.params.cut:
            named, begun = self.typed(before, thing, after, label)
            return Text(named, language, part, begun)
        return Text(label, language, part, self.with_more(before + thing + after, label, language))

    def typed(self, before: str, thing: str, after: str, label: str) -> tuple[str, str]:
        """The text as far as it is typed, and what it names by then."""
        whole, named = before + thing + after, len(before) + len(thing)
        end = (
            self.rng.randint(len(before) + 1, named)
            if self.rng.random() < IN_THE_NAME
            else self.rng.randint(1, len(whole))
        )
        most = MOST_OF_A_NAME["en" if thing.isascii() else "ja"]
        enough = len(before) + min(most, max(2, round(self.params.enough * len(thing))))
        return (label if end >= min(enough, named) else NONE), whole[:end]

    def framed(self, label: str, language: str) -> tuple[str, str, str]:
        """A frame with a name: what is before it, the name, what is behind it."""
        frame = self.rng.choice(self.material.frames[language])
        thing = self.rng.choice(self.material.names[label][language])
        before, after = frame.split("{thing}")
        return self.filled(before, language), thing, self.filled(after, language)

    def with_more(self, title: str, label: str, language: str) -> str:
        """Sometimes a description behind the title."""
        if self.rng.random() >= self.params.described:
            return title
        more = self.rng.choice(self.material.said[label if self.rng.random() < 0.5 else NONE][language])
        return f"{title}\n{more}"

    def filled(self, template: str, language: str) -> str:
        """The template with a value in each slot."""
        return SLOT.sub(lambda slot: self.rng.choice(self.material.slots[language][slot[1]]), template)


if __name__ == "__main__":
    main()
