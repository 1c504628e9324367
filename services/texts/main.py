"""texts: the words of Japanese and English, so that ねこ, ネコ, 猫, cat and cats find the same items."""

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.texts.routes import MAX_TEXT, MAX_TEXTS, add_routes
from services.texts.terms import Terms

LONGEST_CHARACTER = 12
"""Bytes of one character in JSON, written as two escapes."""


def build(backends: Backends) -> Service:
    """Load the dictionary once; nothing else is needed."""
    largest = MAX_TEXT * MAX_TEXTS * LONGEST_CHARACTER
    service = Service("texts", backends, summary="Words of Japanese and English.", max_body_bytes=largest)
    add_routes(service.app, Terms())
    return service
