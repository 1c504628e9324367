"""Turns what a service refused into words next to the field, in the visitor's language."""

from collections.abc import Iterable

from services.web.language import Words
from services.web.remote import Refused


def by_field(refused: Refused, fields: Iterable[str], words: Words, otherwise: str = "") -> dict[str, str]:
    """Field -> what is wrong with it; what belongs to no field is under `otherwise`, or under ""."""
    known = set(fields)
    found: dict[str, str] = {}
    for fault in refused.faults:
        field = next((part for part in reversed(fault.where.split(".")) if part in known), otherwise)
        found.setdefault(field, _worded(words, field, refused.status, fault.what))
    return found or {otherwise: _worded(words, otherwise, refused.status, refused.detail)}


def _worded(words: Words, field: str, status: int, raw: str) -> str:
    return words.either(f"fault.{field}.{status}", f"fault.{field}.any", otherwise=raw or words("fault.unknown"))
