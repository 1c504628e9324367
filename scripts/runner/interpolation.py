"""`${VAR:-default}` as Compose understands it, in every value of the file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.runner.keys import BadCompose

VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<operator>:?[-+?])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\})"
)


def interpolate(node: Any, variables: Mapping[str, str]) -> Any:
    """The tree with the variables of its texts filled in; keys stay as they are."""
    if isinstance(node, dict):
        return {key: interpolate(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolate(value, variables) for value in node]
    return text(node, variables) if isinstance(node, str) else node


def text(value: str, variables: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: _value(found, variables), value)


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    name = found["named"] or found["braced"]
    operator, word = found["operator"] or "", found["word"] or ""
    value = variables.get(name)
    missing = value is None or (value == "" and operator.startswith(":"))
    if operator.endswith("?") and missing:
        raise BadCompose(f"${{{name}}} is needed: {word}")
    if operator.endswith("+"):
        return "" if missing else text(word, variables)
    if operator.endswith("-") and missing:
        return text(word, variables)
    return value or ""


def dotenv(path: Path) -> dict[str, str]:
    """The file `.env` beside compose.yaml, which Compose reads too."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip().removeprefix("export "): value.strip().strip("'\"") for name, _, value in pairs}
