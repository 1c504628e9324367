"""What the image models are fed keeps their contracts, for any picture."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.contract import Manifest, check
from models.image_quick import features as quick
from models.image_quick.contract import contract as quick_contract
from models.image_screening import features as screening
from models.image_screening.contract import contract as screening_contract
from models.pictures import UnreadablePicture


def picture(pixels: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31), st.sampled_from([1, 2, 255]))
def test_any_picture_keeps_both_contracts(width: int, height: int, seed: int, contrast: int) -> None:
    raw = picture(np.random.default_rng(seed).integers(0, 256, (height, width, 3)) // contrast * contrast)
    check(screening_contract(), screening.encode(raw))
    check(quick_contract(), quick.encode(raw))


@pytest.mark.parametrize("encode", [screening.encode, quick.encode])
def test_what_is_no_picture_is_refused(encode: Any) -> None:
    with pytest.raises(UnreadablePicture):
        encode(b"not a picture")


def test_edges_know_their_direction() -> None:
    x = np.arange(64)
    standing = quick.vector((np.broadcast_to((x // 4 % 2) * 255, (64, 64))[..., None] * np.ones(3)).astype(np.uint8))
    lying = quick.vector(
        (np.broadcast_to((x // 4 % 2)[:, None] * 255, (64, 64))[..., None] * np.ones(3)).astype(np.uint8)
    )
    start = 64 + 48
    cells = [vector[start : start + 576].reshape(64, 9).sum(0) for vector in (standing, lying)]
    assert cells[0].argmax() == 0
    assert cells[1].argmax() == 4


def test_features_of_a_brighter_picture_have_the_same_edges() -> None:
    pixels = np.random.default_rng(0).integers(40, 90, (64, 64, 3)).astype(np.uint8)
    dark, bright = quick.vector(pixels), quick.vector(pixels + 60)
    assert np.abs(dark[112 : 112 + 576] - bright[112 : 112 + 576]).max() < 1e-5
    assert np.abs(dark[:64] - bright[:64]).max() > 0.1


def answers(manifest: Manifest, **rows: list[float]) -> dict[str, Any]:
    return {name: np.array([row], np.float32) for name, row in rows.items()}


def test_the_answer_of_screening_says_how_sure_it_is() -> None:
    manifest = screening_contract()
    outputs = answers(
        manifest,
        category=[0.1, 0.6, 0.3] + [0.0] * 7,
        violation=[0.25, 0, 0, 0, 0.75, 0, 0, 0],
        embedding=[1.0] + [0.0] * 127,
    )
    answer = screening.answer(manifest, outputs)
    assert answer["category"]["label"] == "dog"
    assert answer["category"]["margin"] == pytest.approx(0.3)
    assert [one["label"] for one in answer["category"]["top"]] == ["dog", "bird", "cat"]
    assert (answer["violation"]["label"], answer["violation"]["score"]) == ("banner", 0.75)
    assert len(answer["embedding"]) == 128


def test_the_default_answers_are_answers() -> None:
    manifest = screening_contract()
    answer = screening.answer(manifest, answers(manifest, **manifest.default))
    assert answer["violation"] == {"label": "ok", "score": 0.0, "top": answer["violation"]["top"]}
    assert np.linalg.norm(answer["embedding"]) == pytest.approx(1)
    quick_manifest = quick_contract()
    quick_answer = quick.answer(quick_manifest, answers(quick_manifest, **quick_manifest.default))
    assert quick_answer["category"]["margin"] == 0
