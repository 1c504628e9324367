"""A host serves the models that its setting names."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.service import Service
from services.chassis.settings import Unusable
from services.predictors import Declared, PredictorSettings, served, wanted
from tests.conftest import MakeBackends
from tests.services.sources.tiny import TINY


def named(name: str) -> Declared:
    """The tiny model by another name."""
    return replace(TINY, manifest=TINY.manifest.model_copy(update={"name": name}))


MODELS = [named("one"), named("two"), named("three")]


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        ("", ["one", "two", "three"]),
        ("three, one", ["one", "three"]),
        ("-two", ["one", "three"]),
        ("-one,-two", ["three"]),
    ],
)
def test_the_models_that_are_named_are_served(names: str, kept: list[str]) -> None:
    assert [model.manifest.name for model in wanted(MODELS, names)] == kept


@pytest.mark.parametrize("names", ["four", "one,four", "-four", "one,-two"])
def test_what_cannot_be_meant_is_refused(names: str) -> None:
    with pytest.raises(Unusable, match="Allowed: some of one, three, two"):
        wanted(MODELS, names)


def test_a_host_holds_no_other_models(backends: MakeBackends, tmp_path: Path) -> None:
    service = Service("inference-sync", backends())
    settings = PredictorSettings(models="-two", model_cache=tmp_path)
    assert list(served(service, settings, patience_seconds=1.0, declared=MODELS)) == ["one", "three"]
