"""How near an enlarged picture comes to the one it was the half of: PSNR and SSIM, on whole pictures in colour."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from pipelines.evaluation import bootstrap
from pipelines.super_resolution.pairs import Pixels, compressed, halved, plainly

Enlarge = Callable[[Pixels], Pixels]
OURS, BICUBIC, LANCZOS = "model", "bicubic", "lanczos"
FORMULAS: Mapping[str, Enlarge] = {
    BICUBIC: partial(plainly, how=Image.Resampling.BICUBIC),
    LANCZOS: partial(plainly, how=Image.Resampling.LANCZOS),
}


class NotBetter(ValueError):
    """The model is not so much better than a formula that it would be worth its time."""


@dataclass(frozen=True)
class Scores:
    """PSNR in dB and SSIM of each picture, by who enlarged it."""

    psnr: Mapping[str, NDArray[np.float64]]
    ssim: Mapping[str, NDArray[np.float64]]

    def gain(self, over: str = BICUBIC) -> NDArray[np.float64]:
        """dB that the model is nearer to the truth, for each picture."""
        return self.psnr[OURS] - self.psnr[over]


def judged(wholes: Sequence[Image.Image], enlarge: Enlarge, quality: int | None = None) -> Scores:
    """Everybody enlarges the halves of these pictures, or what JPEG of that quality leaves of them."""
    ways = {OURS: enlarge, **FORMULAS}
    psnr: dict[str, list[float]] = {name: [] for name in ways}
    ssim: dict[str, list[float]] = {name: [] for name in ways}
    for whole in wholes:
        truth, half = np.asarray(whole, np.uint8), np.asarray(halved(whole), np.uint8)
        half = compressed(half, quality) if quality else half
        for name, way in ways.items():
            made = way(half)
            psnr[name].append(float(peak_signal_noise_ratio(truth, made)))
            ssim[name].append(similarity(truth, made))
    return Scores({n: np.array(v) for n, v in psnr.items()}, {n: np.array(v) for n, v in ssim.items()})


def together(parts: Iterable[Scores]) -> Scores:
    """The scores of all of them."""
    psnr, ssim = zip(*((part.psnr, part.ssim) for part in parts), strict=True)
    return Scores(_joined(psnr), _joined(ssim))


def _joined(parts: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def similarity(truth: Pixels, made: Pixels) -> float:
    """SSIM as its authors compute it: a Gaussian window, the colours averaged."""
    return float(
        structural_similarity(
            truth, made, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def named(scores: Scores, of: str) -> dict[str, float]:
    """As metrics: the means of all, and what the model wins, with intervals from resampling the pictures."""
    found = {f"{of}_psnr_{name}": float(values.mean()) for name, values in scores.psnr.items()}
    found |= {f"{of}_ssim_{name}": float(values.mean()) for name, values in scores.ssim.items()}
    for other in FORMULAS:
        found |= bootstrap(scores.gain(other)).named(f"{of}_gain_over_{other}")
    return found | bootstrap(scores.ssim[OURS] - scores.ssim[BICUBIC]).named(f"{of}_ssim_gain")


def hold_to(metrics: Mapping[str, float], least: float) -> None:
    """The gate: on scenes and on photos at least so much better than bicubic; raises NotBetter."""
    for of in ("scenes", "photos"):
        gain = metrics[f"{of}_gain_over_{BICUBIC}"]
        if gain <= least:
            raise NotBetter(f"{gain:.2f} dB over bicubic on {of} never seen; wanted are more than {least} dB")
