"""A stage's parameters: one frozen dataclass, filled from its section of params.yaml."""

from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from ruamel.yaml import YAML

Params = TypeVar("Params")


class UnknownParameter(ValueError):
    """params.yaml sets something that the stage does not read, usually a spelling mistake."""


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML 1.2 file (DVC's and ours) as plain dictionaries."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8")) or {}
    return content


def load(wanted: type[Params], path: Path | str, section: str) -> Params:
    """The section as `wanted`, types checked; a missing or an unknown name is an error that names it."""
    values = read_yaml(Path(path)).get(section)
    if not isinstance(values, dict):
        raise UnknownParameter(f"{path} has no section {section}")
    known = {field.name for field in fields(wanted)}  # type: ignore[arg-type]
    if unknown := values.keys() - known:
        raise UnknownParameter(f"{path}: {section} does not read {', '.join(sorted(unknown))}")
    return TypeAdapter(wanted).validate_python(values)
