"""Free dimensions: bounded where a large one would take too much memory, and never in the way of a model's hash."""

import numpy as np
import pytest

from models.contract import Manifest, TensorSpec, check, fits_default
from models.refusal import ContractBroken

PICTURE = TensorSpec(name="image", datatype="UINT8", shape=(-1, -1, -1, 3), meaning="pixels", most=8)
MANIFEST = Manifest(name="m", title="M", inputs=(PICTURE,), outputs=(), default={}, requires={}, files={})


@pytest.mark.parametrize("shape", [(1, 8, 1, 3), (20, 3, 8, 3)])
def test_sizes_up_to_the_bound_are_taken_and_rows_are_not_meant(shape: tuple[int, ...]) -> None:
    check(MANIFEST, {"image": np.zeros(shape, np.uint8)})


@pytest.mark.parametrize("shape", [(1, 9, 8, 3), (1, 8, 0, 3), (0, 8, 8, 3), (1, 8, 8, 4)])
def test_others_are_refused_and_told_the_bound(shape: tuple[int, ...]) -> None:
    with pytest.raises(ContractBroken, match="at most 8"):
        check(MANIFEST, {"image": np.zeros(shape, np.uint8)})


def test_a_bound_is_written_where_there_is_one_and_nowhere_else() -> None:
    assert PICTURE.model_dump(mode="json")["most"] == 8
    assert "most" not in PICTURE.model_copy(update={"most": None}).model_dump(mode="json")
    assert Manifest.model_validate_json(MANIFEST.model_dump_json()).inputs == (PICTURE,)


@pytest.mark.parametrize(
    ("row", "fits"), [([[[0, 0, 0]]], True), ([[[0, 0]]], False), ([0, 0, 0], False), ([[[0] * 3] * 2] * 5, True)]
)
def test_a_default_is_one_row_of_its_output(row: object, fits: bool) -> None:
    assert fits_default(PICTURE, row) is fits
