"""params.yaml fills a frozen dataclass or says what is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.parameters import UnknownParameter, load


@dataclass(frozen=True)
class Params:
    size: int
    rate: float


def given(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


def test_a_section_becomes_the_dataclass(tmp_path: Path) -> None:
    path = given(tmp_path, "train: {size: 3, rate: 1e-3}\nother: {x: no}\n")
    assert load(Params, path, "train") == Params(size=3, rate=0.001)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("train: {size: 3, rate: 1, rte: 2}", UnknownParameter, "rte"),
        ("train: {size: 3}", ValidationError, "rate"),
        ("train: {size: many, rate: 1}", ValidationError, "size"),
        ("prepare: {}", UnknownParameter, "no section train"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        load(Params, given(tmp_path, text), "train")
