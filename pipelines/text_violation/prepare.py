"""Compose labelled texts from templates and the names of objects.

    dvc repro pipelines/text_violation/dvc.yaml:prepare

Templates and object names are split before anything is composed: what the test is made of, the
training has never seen. A random split of the composed texts would only test memory.
"""

import json
import random
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.linear_text import Text, write_texts
from pipelines.parameters import load, read_yaml
from pipelines.progress import progress
from pipelines.text_violation.texts import LABELS, VIOLATION

TEMPLATES = Path("data/text_violation/templates.yaml")
NAMES = "requirements/npm/node_modules/emojibase-data/{language}/data.json"
LANGUAGES = ("ja", "en")
OBJECT_GROUPS = {3, 4, 5, 6, 7}
"""Groups of emoji that show things: nature, food, places, activities, objects."""

CODES = 600
SENTENCES = (1, 1, 1, 1, 2, 2, 3)
"""How many sentences a text has: most people write a title and no more."""

ENDINGS = ("", "", "", "", "!", "！", "…", "。", ".", " :)", "笑", " ♪", "!!", "〜")
SLOT = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Params:
    seed: int
    ok: int
    spam: int
    abuse: int
    held_out_every: int
    test_share: float
    hidden: float
    decorated: float
    other_language: float


@dataclass(frozen=True)
class Material:
    """What the texts of one part are composed of."""

    templates: dict[str, dict[str, Sequence[str]]]  # label, language
    slots: dict[str, dict[str, Sequence[str]]]  # language, slot
    decorations: dict[str, Sequence[str]]  # language


def main() -> None:
    params = load(Params, "pipelines/text_violation/params.yaml", "prepare")
    wanted = {label: getattr(params, label) for label in LABELS}
    total = sum(wanted.values())
    rng = random.Random(params.seed)
    train, test = split(read_yaml(TEMPLATES), {**objects(), "code": codes(rng)}, params.held_out_every)
    fewer = {label: round(number * params.test_share) for label, number in wanted.items()}
    texts = [*Composer(train, params, rng).texts(wanted, "train"), *Composer(test, params, rng).texts(fewer, "test")]
    write_texts(VIOLATION.texts, progress(texts, total=len(texts), what="composing texts"))
    print(f"{total} texts to learn from, {len(texts) - total} to test on")


def objects() -> dict[str, dict[str, list[str]]]:
    """Names of things, words about them and their emoji, by slot and language."""
    names, words, signs = {}, {}, {}
    for language in LANGUAGES:
        emoji: list[dict[str, Any]] = json.loads(Path(NAMES.format(language=language)).read_bytes())
        things = [entry for entry in emoji if entry.get("group") in OBJECT_GROUPS]
        names[language] = sorted({re.sub(r"[（(].*", "", entry["label"]).strip() for entry in things})
        words[language] = sorted({word for entry in things for word in entry.get("tags", [])})
        signs[language] = sorted({entry["emoji"] for entry in things})
    return {"thing": names, "word": words, "sign": signs}


def codes(rng: random.Random) -> dict[str, list[str]]:
    """Letters and digits without meaning, as programs name files: good or bad, they say nothing."""

    def code(letters: str) -> str:
        return "".join(rng.choice(letters) for _ in range(rng.randint(5, 14)))

    alphabets = (string.hexdigits.lower()[:16], string.ascii_lowercase + string.digits, string.ascii_uppercase)
    return {language: [code(alphabets[i % len(alphabets)]) for i in range(CODES)] for language in LANGUAGES}


def split(content: dict[str, Any], made: dict[str, dict[str, list[str]]], every: int) -> tuple[Material, Material]:
    """Material to learn from and material held out: every n-th template, and every n-th value of the made slots."""

    def part(held_out: bool) -> Material:
        def mine(values: Sequence[str]) -> list[str]:
            return [value for place, value in enumerate(values, 1) if (place % every == 0) == held_out]

        def slots(language: str) -> dict[str, Sequence[str]]:
            return {**content["slots"][language], **{slot: mine(values[language]) for slot, values in made.items()}}

        return Material(
            {label: {lang: mine(content[label][lang]) for lang in LANGUAGES} for label in LABELS},
            {lang: slots(lang) for lang in LANGUAGES},
            content["decorations"],
        )

    return part(False), part(True)


@dataclass(frozen=True)
class Composer:
    """Makes texts of one material."""

    material: Material
    params: Params
    rng: random.Random

    def texts(self, wanted: dict[str, int], part: str) -> Iterator[Text]:
        """So many different texts of each label, half in each language."""
        seen: set[str] = set()
        for label, number in wanted.items():
            made = 0
            while made < number:
                language = LANGUAGES[made % 2]
                text = self.item(label, language)
                if text in seen:
                    continue
                seen.add(text)
                made += 1
                yield Text(label, language, part, text)

    def item(self, label: str, language: str) -> str:
        """A title, and often a description. Violations often hide beside an innocent sentence."""
        kinds = [label] * self.rng.choice(SENTENCES)
        if label != "ok" and self.rng.random() < self.params.hidden:
            kinds.insert(self.rng.randrange(len(kinds) + 1), "ok")
        sentences = [self.sentence(kind, language) for kind in kinds]
        return "\n".join([sentences[0], " ".join(sentences[1:])]).strip()

    def sentence(self, kind: str, language: str) -> str:
        """One filled template with what people put around anything."""
        if self.rng.random() < self.params.other_language:
            language = self.rng.choice(LANGUAGES)
        text = self.filled(self.rng.choice(self.material.templates[kind][language]), language)
        if self.rng.random() < self.params.decorated:
            around = self.filled(self.rng.choice(self.material.decorations[language]), language)
            text = around.replace("{}", text)
        return text + self.rng.choice(ENDINGS)

    def filled(self, template: str, language: str) -> str:
        """The template with a value in each slot, and in the slots of those values."""
        slots = self.material.slots[language]
        while SLOT.search(template):
            template = SLOT.sub(lambda slot: self.rng.choice(slots[slot[1]]), template)
        return template


if __name__ == "__main__":
    main()
