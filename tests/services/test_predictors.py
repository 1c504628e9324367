"""A predictor makes the tensors of raw bytes where that holds nobody up."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.contract import Manifest
from models.image_quick.contract import contract as of_pictures
from models.text_violation.contract import contract as of_texts
from services.prediction import OVERLOADED, Overloaded
from services.predictors import SHORT_TEXT_BYTES, Predictor

TENSORS = {"features": np.zeros((1, 2), np.float32)}


class Busy:
    """Threads that have no room."""

    async def run(self, *_: Any) -> Any:
        raise Overloaded("full")


def predictor(manifest: Manifest) -> Predictor:
    source, nothing = SimpleNamespace(contract=lambda: manifest), cast(Any, None)
    features = SimpleNamespace(encode=lambda raw: TENSORS)
    return Predictor(manifest.name, cast(Any, source), nothing, cast(Any, features), cast(Any, Busy()), nothing)


async def test_a_short_text_needs_no_thread() -> None:
    assert await predictor(of_texts()).encoded(b"a" * SHORT_TEXT_BYTES) == (TENSORS, {})


@pytest.mark.parametrize(("manifest", "size"), [(of_texts(), SHORT_TEXT_BYTES + 1), (of_pictures(), 10)])
async def test_a_long_text_or_a_picture_does(manifest: Manifest, size: int) -> None:
    assert await predictor(manifest).encoded(b"a" * size) == ({}, {OVERLOADED: True})
