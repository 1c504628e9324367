"""Fills the templates: `NAME` in their paths, `@NAME@` and `@TITLE@` in their text."""

import keyword
import re
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
ENDING = ".template"
"""Of every template, so that no tool takes it for what it will be."""
IMPORTS = re.compile(r"(?:^from .+ import .+\n)+", re.MULTILINE)
"""Their order depends on the name."""


class NotPossible(ValueError):
    """A predictor of that name cannot be made here."""


def scaffold(name: str, root: Path) -> list[Path]:
    """Write the files of a new predictor below the root; returns them. Raises NotPossible, and then wrote nothing."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name) or keyword.iskeyword(name):
        raise NotPossible(f"{name!r} is no name: lower case letters, digits and _, like late_delivery")
    files = {Path(str(path.relative_to(TEMPLATES)).replace("NAME", name).removesuffix(ENDING)): path for path in _all()}
    there = [str(path) for path in files if (root / path).exists()]
    if there:
        raise NotPossible(f"there already: {', '.join(sorted(there))}")
    for path, template in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(_filled(template.read_text("utf-8"), name), "utf-8")
    return sorted(files)


def _all() -> list[Path]:
    return sorted(TEMPLATES.rglob(f"*{ENDING}"))


def _filled(text: str, name: str) -> str:
    filled = text.replace("@NAME@", name).replace("@TITLE@", name.replace("_", " ").capitalize())
    return IMPORTS.sub(lambda block: "".join(sorted(block[0].splitlines(True), key=str.split)), filled)
