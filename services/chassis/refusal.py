"""Why a service does not start, in a line for each variable: which, what it was given, what may be given."""

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from services.chassis.settings import Unusable

ALIKE = 0.9
"""How much a name must look like that of a setting to be taken for a slip: one letter of ten."""


def reasons(error: Exception, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What to tell people instead of a traceback; nothing when the error is not about settings."""
    if isinstance(error, Unusable):
        return str(error).splitlines()
    if not isinstance(error, ValidationError):
        return []
    kind = next((kind for kind in kinds() if kind.__name__ == error.title), None)
    return [reason(kind, told, environment) for told in error.errors()] if kind else []


def reason(kind: type[BaseSettings], told: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """One variable that is wrong, or missing."""
    field = str(told["loc"][0]) if told["loc"] else ""
    about = (kind.model_fields[field].description or "") if field in kind.model_fields else ""
    name, value = variable(field, environment)
    if told["type"] == "missing":
        return f"{name} is missing. {about}".rstrip()
    return f"{name}={value}: {told['msg']}. {about}".rstrip()


def variable(field: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that gives a field, and its value; parameters of patterns have their model in front."""
    name = field.upper()
    found = [given for given in environment if given.upper() == name or given.upper().endswith(f"_{name}")]
    best = min(found, key=len, default=name)
    return best, environment.get(best, "")


def slips(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Variables that nobody reads, and that look very much like one that somebody does."""
    known = {field.upper() for kind in kinds() for field in kind.model_fields}
    for name in sorted(environment.keys() - known):
        for meant in difflib.get_close_matches(name, known, n=1, cutoff=ALIKE):
            yield f"{name} is no setting; is {meant} meant?"


def kinds(of: type[BaseSettings] = BaseSettings) -> Iterator[type[BaseSettings]]:
    """Every settings class that this process has loaded."""
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)
