"""Horizontal: what has arrived by the deadline is the answer."""

import numpy as np
import pytest

from models.refusal import ContractBroken
from services.patterns.horizontal import PARTIAL, horizontal
from services.prediction import Prediction
from tests.patterns.answering import Model, request
from tests.patterns.virtual_time import in_virtual_time


def asked(*models: Model) -> Prediction:
    async def ask() -> Prediction:
        return await horizontal(models, deadline_seconds=1.0)(request())

    return in_virtual_time(ask())


def test_the_answer_is_the_mean_of_all() -> None:
    prediction = asked(Model("7", 1.0), Model("8", 0.0, seconds=0.9), Model("8", 0.5))
    assert (prediction.version, prediction.reason, prediction.served_by) == ("7+8", None, "model")
    np.testing.assert_allclose(prediction.outputs["violation"], [[0.5, 0.5, 0.5]])
    assert prediction.outputs["violation"].dtype == np.float32


@pytest.mark.parametrize(
    "missing",
    [Model("8", seconds=1.1), Model("8", error=ValueError("broken")), Model("8", served_by_default=True)],
    ids=["late", "broken", "a default"],
)
def test_without_one_it_is_partial(missing: Model) -> None:
    prediction = asked(Model("7", 1.0), missing)
    assert (prediction.version, prediction.reason) == ("7", PARTIAL)
    np.testing.assert_array_equal(prediction.outputs["violation"], [[1, 1, 1]])


def test_with_nothing_it_is_an_error() -> None:
    with pytest.raises(TimeoutError, match="by the deadline"):
        asked(Model(seconds=2), Model(seconds=3))
    with pytest.raises(ValueError, match="broken"):
        asked(Model(seconds=2), Model(error=ValueError("broken")))


def test_what_the_caller_did_wrong_stays_an_error() -> None:
    with pytest.raises(ContractBroken):
        asked(Model(), Model(error=ContractBroken("inputs.x", "missing", "one")))
