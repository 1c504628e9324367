"""Draw items of objects that no model was trained on: good ones, forbidden pictures, forbidden texts.

    dvc repro pipelines/held_out/dvc.yaml

`python -m pipelines.evaluate_platform` registers them on a running platform and counts what goes wrong.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.linear_text import Text
from pipelines.parameters import load
from pipelines.scenes.forbidden import KINDS
from pipelines.seed_items import draw
from pipelines.text_violation.texts import VIOLATION

OUT = Path("data/held_out/prepared")
OWNERS = 6


@dataclass(frozen=True)
class Params:
    """The section `draw` of params.yaml."""

    group: int
    seed: int
    good: int
    bad_pictures: int
    bad_texts: int
    width: int
    height: int
    sprite: int

    def drawing(self) -> draw.Params:
        """As the pictures of the demo are drawn, from this group alone."""
        return draw.Params(self.seed, self.good, self.width, self.height, self.sprite, OWNERS, self.group)


def main() -> None:
    """Write the pictures and items.jsonl."""
    params = load(Params, "pipelines/held_out/params.yaml", "draw")
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "items.jsonl").open("w", encoding="utf-8") as lines:
        for line, content in items(params):
            (OUT / line["picture"]).write_bytes(content)
            lines.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")


def items(params: Params) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each item and its picture; those ordered as spam get a text of the gold file."""
    texts = iter(bad_texts(params))
    for line, content in draw.draw_all(orders(params), params.drawing()):
        if line["violation"] == "spam":
            text = next(texts)
            line |= {"title": text.text[:120], "description": "", "violation": text.label, "language": text.language}
        yield line, content


def orders(params: Params) -> list[draw.Order]:
    """Good objects in turn, every kind of forbidden picture, and good pictures for the forbidden texts."""
    rows = list(draw.by_concept(params.drawing()).values())
    turns = [rows[n % len(rows)][(n // len(rows)) % len(rows[n % len(rows)])] for n in range(params.good)]
    wanted: list[tuple[int | None, str]] = [(row, "ok") for row in turns]
    wanted += [(None, kind) for kind in KINDS for _ in range(params.bad_pictures)]
    wanted += [(rows[n % len(rows)][0], "spam") for n in range(params.bad_texts)]
    return [draw.Order(number, *what, "ja" if number % 2 else "en") for number, what in enumerate(wanted)]


def bad_texts(params: Params) -> list[Text]:
    """Violations from the reporting half of the gold file, both languages."""
    bad = [text for text in VIOLATION.read(VIOLATION.gold, "report") if text.label != "ok"]
    picked = np.random.default_rng(params.seed).permutation(len(bad))[: params.bad_texts]
    return [bad[int(place)] for place in picked]


if __name__ == "__main__":
    main()
