"""Fixtures for tests of images."""

import pytest

from services.images.main import build
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.images.gallery import Gallery


@pytest.fixture
async def gallery(database: MakeDatabase, backends: MakeBackends, client: MakeClient) -> Gallery:
    """Images on a fresh database and an empty folder."""
    made = backends(database=await database("images"))
    service = build(made)
    return Gallery(service, client(service), made.database, made.files)
