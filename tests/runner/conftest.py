"""Toy platforms that are gone when the test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.toys import Toys, free_port


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Toys]:
    made = Toys(tmp_path, free_port())
    yield made
    made.run("down")
