"""The card of super_resolution, in words; every number comes from the run."""

from collections.abc import Mapping

from models.contract import Manifest
from models.super_resolution.contract import MOST
from pipelines.card import card, table
from pipelines.super_resolution.judging import BICUBIC, LANCZOS, OURS, Scores

Metrics = Mapping[str, float]
NAMES = {OURS: "this model", BICUBIC: "bicubic", LANCZOS: "Lanczos"}


def described(
    manifest: Manifest, metrics: Metrics, photos: Mapping[str, Scores], least_gain: float, quality: int
) -> str:
    """The card."""
    return card(
        manifest,
        {
            "What it is for": f"Pictures of at most {MOST} x {MOST} pixels are shown twice as wide and as high, to "
            "whoever asks for it. The upload stays as it is; search and judgement never see the enlarged one.",
            "How good it is": "Each picture is made half as large (bicubic) and enlarged again. How near does that "
            "come to the picture?\n\n"
            + quality_of(metrics, "scenes", "scenes of objects never seen")
            + "\n\n"
            + quality_of(metrics, "photos", "photos never seen")
            + "\n\n"
            f"A model that does not win more than {least_gain:g} dB over bicubic on both does not become a version.",
            "Photos": table(
                ("photo", "bicubic, dB", "Lanczos, dB", "this model, dB", "won over bicubic", "SSIM won"),
                [photo(name, scores) for name, scores in photos.items()],
            )
            + "\n\nFrom left to right: what was uploaded, bicubic, this model, the truth.\n\n![Pieces](examples.png)",
            "After JPEG": f"The same photos when the small picture was saved as JPEG of quality {quality}: it wins "
            f"{won(metrics, 'jpeg', BICUBIC)} dB over bicubic of the same JPEG. Some of what it learnt from had been "
            "a JPEG too, so that it does not take JPEG's marks for edges.",
            "How it works": "Four layers of convolutions look at the small picture; their four answers for each pixel "
            "are added to what bicubic says (ESPCN). There is no bias and the first layer sees only differences: an "
            "area of one colour keeps it exactly, and a brighter picture is enlarged like the darker one.",
            "Data": "Clean scenes composed by this project from seven emoji sets, and pieces of photos that packages "
            "ship. Objects and photos of the test are in none of them. Sources and licences: `data/NOTICE.md`.",
            "Limits": "It sharpens edges; it invents nothing. What the small picture does not show (a face, letters, "
            "a number plate) is not in the large one either. It learnt from halves made by one formula: of pictures "
            "that were made small in another way, or that are blurred or grainy, it wins less.",
        },
    )


def quality_of(metrics: Metrics, of: str, what: str) -> str:
    """A row for everybody who enlarges."""
    rows = [
        (NAMES[name], f"{metrics[f'{of}_psnr_{name}']:.2f}", f"{metrics[f'{of}_ssim_{name}']:.4f}") for name in NAMES
    ]
    return (
        table((what, "PSNR, dB", "SSIM"), rows)
        + f"\n\nIt wins {won(metrics, of, BICUBIC)} dB over bicubic, {won(metrics, of, LANCZOS)} dB over Lanczos."
    )


def won(metrics: Metrics, of: str, other: str) -> str:
    """With its interval."""
    name = f"{of}_gain_over_{other}"
    return f"{metrics[name]:+.2f} ({metrics[f'{name}_low']:+.2f} to {metrics[f'{name}_high']:+.2f})"


def photo(name: str, scores: Scores) -> tuple[str, ...]:
    """One row."""
    ssim = float((scores.ssim[OURS] - scores.ssim[BICUBIC]).mean())
    psnr = [f"{float(scores.psnr[who].mean()):.2f}" for who in (BICUBIC, LANCZOS, OURS)]
    return name, *psnr, f"{float(scores.gain().mean()):+.2f}", f"{ssim:+.4f}"
