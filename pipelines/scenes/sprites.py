"""Rasterise the objects from the emoji sets, with their names in both languages and their group.

dvc repro pipelines/scenes/dvc.yaml:sprites
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import resvg_py

from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.catalogue import KINDS, OTHER_SPELLINGS, SETS
from pipelines.scenes.groups import GROUPS, deal
from pipelines.scenes.pack import Row, write_pack
from pipelines.scenes.parts import npm_json

OUT = Path("data/sprites/prepared")


@dataclass(frozen=True)
class Params:
    """The section `sprites` of params.yaml."""

    size: int  # pixels of the longer side
    seed: int  # of the deal into groups


@dataclass(frozen=True)
class IconSet:
    """One drawing style: its icons by plain name (letters and digits only)."""

    name: str
    icons: dict[str, dict[str, Any]]
    plain: dict[str, str]
    width: int
    height: int

    def svg(self, icon: str) -> str:
        """The icon as a stand-alone SVG."""
        drawing = self.icons[icon]
        width, height = drawing.get("width", self.width), drawing.get("height", self.height)
        box = f"{drawing.get('left', 0)} {drawing.get('top', 0)} {width} {height}"
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing["body"]}</svg>'


def plain(name: str) -> str:
    """A name without what the sets disagree on: case, hyphens, apostrophes."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_set(name: str) -> IconSet:
    """Read one style from its npm package."""
    data = npm_json(f"@iconify-json/{name}/icons.json")
    icons = data["icons"]
    aliases = {alias: entry["parent"] for alias, entry in data.get("aliases", {}).items()}
    by_name = {icon: icon for icon in icons} | {a: parent for a, parent in aliases.items() if parent in icons}
    known = {plain(given): icon for given, icon in sorted(by_name.items())}
    return IconSet(name, icons, known, data.get("width", 16), data.get("height", 16))


def spellings(concept: str) -> Iterator[str]:
    """What a set may call this object, likeliest first."""
    name = plain(concept)
    yield from (name, *OTHER_SPELLINGS.get(concept, ()), f"{name}face", name.removesuffix("face"))
    yield re.sub(r"cat(?!face)", "catface", name, count=1)
    yield "smilingcatfacewithopenmouth" if concept == "grinning cat" else f"{name}withclosedeyes"


def find(style: IconSet, concept: str) -> str | None:
    """The icon of this object in that style, if it has one."""
    return next((style.plain[name] for name in spellings(concept) if name in style.plain), None)


def words() -> dict[str, Row]:
    """Label and tags of every emoji in Japanese and English, by plain English label."""
    japanese = {row["hexcode"]: row for row in npm_json("emojibase-data/ja/data.json")}
    found: dict[str, Row] = {}
    for row in npm_json("emojibase-data/en/data.json"):
        other = japanese.get(row["hexcode"], {})
        found[plain(row["label"])] = {
            "en": row["label"],
            "ja": other.get("label", row["label"]),
            "tags_en": row.get("tags", []),
            "tags_ja": other.get("tags", []),
        }
    return found


def draw(params: Params) -> Iterator[tuple[Row, bytes]]:
    """Every object in every style that has it, in a fixed order."""
    styles = [read_set(name) for name in SETS]
    known, group_of = words(), deal(KINDS, GROUPS, params.seed)
    concepts = [(kind, concept) for kind in KINDS for concept in KINDS[kind]]
    for kind, concept in progress(concepts, total=len(concepts), what="scenes/sprites"):
        about = known.get(plain(concept), {"en": concept, "ja": concept, "tags_en": [], "tags_ja": []})
        for style, icon in ((style, find(style, concept)) for style in styles):
            if icon is None:
                continue
            row = {"kind": kind, "concept": concept, "style": style.name, "group": group_of[concept], **about}
            yield row, rasterise(style.svg(icon), params.size)


def rasterise(svg: str, size: int) -> bytes:
    """An SVG as PNG bytes."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True))


def main() -> None:
    """Write the sprites."""
    params = load(Params, Path("pipelines/scenes/params.yaml"), "sprites")
    write_pack(OUT, "sprites", draw(params))


if __name__ == "__main__":
    main()
