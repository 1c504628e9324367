"""texts: the words of Japanese and English, so that ねこ, ネコ, 猫, cat and cats find the same items."""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.deny_list import DenySettings
from services.texts import assisting
from services.texts.assisting import TextModel
from services.texts.routes import MAX_TEXT, MAX_TEXTS, add_routes
from services.texts.suggesting import Suggesting
from services.texts.terms import Terms

LONGEST_CHARACTER = 12
"""Bytes of one character in JSON, written as two escapes."""


class TextsSettings(DenySettings):
    """Who hosts the model of what is being typed."""

    inference_sync_url: str = Field(
        "http://inference-sync:8200", description="Hosts of models, comma-separated; the next is asked when one fails."
    )
    suggest_seconds: float = Field(0.4, gt=0, description="A later answer of the model is no suggestion any more.")


def build(backends: Backends) -> Service:
    """Load the dictionary once."""
    settings = TextsSettings()
    largest = MAX_TEXT * MAX_TEXTS * LONGEST_CHARACTER
    service = Service("texts", backends, summary="Words of Japanese and English.", max_body_bytes=largest)
    terms = Terms()
    add_routes(service.app, terms)
    model = TextModel.at(backends.http, settings.inference_sync_url, settings.suggest_seconds)
    service.app.include_router(assisting.routes(Suggesting(terms, settings.deny_list), model))
    return service
