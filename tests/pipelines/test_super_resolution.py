"""The network before it has learnt, what it learns from, how it is judged, and the gate."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.parameters import load
from pipelines.scenes.parts import background_paths, real_photos
from pipelines.super_resolution import evaluate, prepare, train
from pipelines.super_resolution.judging import BICUBIC, FORMULAS, LANCZOS, NotBetter, hold_to, judged, named
from pipelines.super_resolution.network import Network
from pipelines.super_resolution.pairs import compressed, even, halved, plainly, png, read
from pipelines.super_resolution.train import Pairs, Params, batches, learnt

SMALL = Params(
    steps=6, batch=4, patch=8, photo_share=0.5, jpeg_share=0.5, jpeg_worst=75, jpeg_best=95, rate=0.003, seed=1
)


def smooth(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture that a formula can follow."""
    coarse = np.random.default_rng(seed).integers(40, 216, (5, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def untrained() -> Network:
    torch.manual_seed(0)
    network = Network().eval()
    torch.nn.init.zeros_(network.corrects.weight)
    return network


def run(network: Network, picture: Image.Image) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(np.asarray(picture)[None].copy()))[0].numpy())


def test_without_corrections_it_is_bicubic() -> None:
    picture = smooth(40, 30)
    expected = plainly(np.asarray(picture), Image.Resampling.BICUBIC).astype(int)
    away = np.abs(run(untrained(), picture) - expected)
    assert away[6:-6, 6:-6].max() <= 1
    assert away.max() <= 8, "only at the edges, where Pillow weighs anew"


def test_whatever_it_has_learnt_one_colour_stays_and_contrast_scales() -> None:
    torch.manual_seed(3)
    network = Network()
    flat = torch.full((1, 3, 9, 11), 0.4)
    assert torch.allclose(network.enlarged(flat), torch.full((1, 3, 18, 22), 0.4), atol=1e-5)
    x = torch.rand(1, 3, 12, 10)
    half, whole = network.enlarged(0.5 * x), network.enlarged(x)
    assert torch.allclose(half, 0.5 * whole, atol=1e-5)
    assert torch.allclose(network.enlarged(x + 0.1), whole + 0.1, atol=1e-5)


def pairs(seed: int) -> Pairs:
    whole = np.stack([np.asarray(smooth(32, 32, seed + number)) for number in range(3)])
    return Pairs(whole, np.stack([np.asarray(halved(Image.fromarray(one))) for one in whole]))


def test_the_same_data_teaches_the_same_and_is_cut_alike() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(SMALL.seed)
        weights.append(learnt(pairs(0), pairs(9), SMALL).corrects.weight.detach().numpy())
    assert np.array_equal(weights[0], weights[1])
    small, large = next(batches(pairs(0), pairs(9), SMALL))
    assert small.shape == (4, 3, 8, 8)
    assert large.shape == (4, 3, 16, 16)
    mean = np.abs(small.mean((2, 3)) - large.mean((2, 3)))
    assert mean.max() < 0.05, "a patch and what it is the half of"


def test_the_file_answers_as_torch_does_for_any_size(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    network = Network().eval()
    train.export(network, path)
    train.prove_parity(network, path)


def test_nothing_it_is_judged_by_is_learnt_from() -> None:
    drawn = load(prepare.Params, prepare.PARAMS, "prepare")
    orders = prepare.orders(drawn)
    assert {order.group for order in orders if order.part != "held_out"} == set(drawn.learnt)
    assert {order.group for order in orders if order.part == "held_out"} == {drawn.test_group}
    judged_by = set(evaluate.held_out_photos(drawn.test_group))
    learnt_from = {path.stem for group in drawn.learnt for path in background_paths()[group::5]}
    assert set(real_photos()) <= judged_by
    assert not judged_by & learnt_from


def test_a_perfect_enlarger_wins_and_a_formula_wins_nothing() -> None:
    wholes = [smooth(64, 48, seed) for seed in range(3)]
    known = {np.asarray(halved(whole)).tobytes(): np.asarray(whole) for whole in wholes}
    noise = np.random.default_rng(0)

    def nearly(small: np.ndarray) -> np.ndarray:
        truth = known[small.tobytes()]
        return truth ^ (noise.random(truth.shape) < 0.05).astype(np.uint8)

    best = named(judged(wholes, nearly), "scenes")
    assert best["scenes_gain_over_bicubic"] > 3
    assert best["scenes_gain_over_bicubic_low"] <= best["scenes_gain_over_bicubic"]
    same = named(judged(wholes, FORMULAS[BICUBIC]), "scenes")
    assert same["scenes_gain_over_bicubic"] == same["scenes_ssim_gain"] == 0
    assert same[f"scenes_psnr_{LANCZOS}"] != same[f"scenes_psnr_{BICUBIC}"]


@pytest.mark.parametrize("worse", ["scenes", "photos"])
def test_the_gate_wants_a_gain_on_scenes_and_on_photos(worse: str) -> None:
    metrics = {"scenes_gain_over_bicubic": 2.0, "photos_gain_over_bicubic": 1.5}
    hold_to(metrics, 1.0)
    with pytest.raises(NotBetter, match=worse):
        hold_to(metrics | {f"{worse}_gain_over_bicubic": 1.0}, 1.0)


def test_files_lose_nothing_and_jpeg_does() -> None:
    picture = even(smooth(33, 21))
    pixels = np.asarray(picture)
    assert picture.size == (32, 20)
    assert np.array_equal(read(png(picture)), pixels)
    assert 0 < np.abs(compressed(pixels, 75).astype(int) - pixels).mean() < 12
