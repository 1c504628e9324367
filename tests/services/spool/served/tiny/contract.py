"""What the tiny model promises."""

from tests.services.sources.tiny import contract

__all__ = ["contract"]
