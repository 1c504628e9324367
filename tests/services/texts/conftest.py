"""The rules once for all tests: the dictionary takes a moment to load."""

import pytest

from services.texts.terms import Terms


@pytest.fixture(scope="session")
def terms() -> Terms:
    """The rules as they ship."""
    return Terms()
