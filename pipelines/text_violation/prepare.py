"""Compose labelled texts from templates and the names of objects.

    dvc repro pipelines/text_violation/dvc.yaml:prepare

Templates and object names are split before anything is composed: what the test is made of, the
training has never seen. A random split of the composed texts would only test memory.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.parameters import load, read_yaml
from pipelines.progress import progress
from pipelines.text_violation.texts import LABELS, PREPARED, Text, write

TEMPLATES = Path("data/text_violation/templates.yaml")
NAMES = "requirements/npm/node_modules/emojibase-data/{language}/data.json"
LANGUAGES = ("ja", "en")
OBJECT_GROUPS = {3, 4, 5, 6, 7}
"""Groups of emoji that show things: nature, food, places, activities, objects."""

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


@dataclass(frozen=True)
class Material:
    """What the texts of one part are composed of."""

    templates: dict[str, dict[str, Sequence[str]]]  # label, language
    slots: dict[str, dict[str, Sequence[str]]]  # language, slot


def main() -> None:
    params = load(Params, "pipelines/text_violation/params.yaml", "prepare")
    wanted = {label: getattr(params, label) for label in LABELS}
    total = sum(wanted.values())
    rng = random.Random(params.seed)
    train, test = split(read_yaml(TEMPLATES), object_names(), params.held_out_every)
    texts = list(compose(train, wanted, "train", rng))
    texts += compose(test, {k: round(n * params.test_share) for k, n in wanted.items()}, "test", rng)
    write(PREPARED / "texts.csv", progress(texts, total=len(texts), what="composing texts"))
    print(f"{total} texts to learn from, {len(texts) - total} to test on")


def object_names() -> dict[str, list[str]]:
    """Names of things by language, in the order of the emoji they belong to."""
    found = {}
    for language in LANGUAGES:
        emoji: list[dict[str, Any]] = json.loads(Path(NAMES.format(language=language)).read_bytes())
        things = [entry for entry in emoji if entry.get("group") in OBJECT_GROUPS]
        found[language] = sorted({re.sub(r"[（(].*", "", entry["label"]).strip() for entry in things})
    return found


def split(content: dict[str, Any], things: dict[str, list[str]], every: int) -> tuple[Material, Material]:
    """Material to learn from and material held out: every n-th template and every n-th object name."""

    def part(held_out: bool) -> Material:
        def mine(values: Sequence[str]) -> list[str]:
            return [value for place, value in enumerate(values, 1) if (place % every == 0) == held_out]

        return Material(
            {label: {lang: mine(content[label][lang]) for lang in LANGUAGES} for label in LABELS},
            {lang: {**content["slots"][lang], "thing": mine(things[lang])} for lang in LANGUAGES},
        )

    return part(False), part(True)


def compose(material: Material, wanted: dict[str, int], part: str, rng: random.Random) -> Iterator[Text]:
    """So many different texts of each label, half in each language."""
    seen: set[str] = set()
    for label, number in wanted.items():
        made = 0
        while made < number:
            language = LANGUAGES[made % 2]
            text = item_text(material, label, language, rng)
            if text in seen:
                continue
            seen.add(text)
            made += 1
            yield Text(label, language, part, text)


def item_text(material: Material, label: str, language: str, rng: random.Random) -> str:
    """A title, and mostly a description. Violations often hide beside an innocent sentence."""
    kinds = [label] * rng.choice((1, 1, 2, 2, 3))
    if label != "ok" and rng.random() < 0.4:
        kinds.insert(rng.randrange(len(kinds) + 1), "ok")
    sentences = [sentence(material, kind, language, rng) for kind in kinds]
    return "\n".join([sentences[0], " ".join(sentences[1:])]).strip()


def sentence(material: Material, kind: str, language: str, rng: random.Random) -> str:
    """One filled template with one of the endings that people put everywhere."""
    template = rng.choice(material.templates[kind][language])
    slots = material.slots[language]
    filled = SLOT.sub(lambda slot: rng.choice(slots[slot[1]]), template)
    return filled + rng.choice(ENDINGS)


if __name__ == "__main__":
    main()
