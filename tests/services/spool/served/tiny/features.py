"""How the tiny model is asked, and what its answer means."""

from tests.services.sources.tiny import TINY

encode, answer = TINY.features.encode, TINY.features.answer
