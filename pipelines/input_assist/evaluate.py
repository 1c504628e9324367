"""Judge the ONNX file that will be served, choose from when on it suggests, write its artefact and its card.

    dvc repro pipelines/input_assist/dvc.yaml:evaluate

Two sets, always together: texts around names and sentences that the training never saw, and the gold file, written by
hand, with titles that are still being typed. The threshold is chosen on the former; the gold file only reports.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.contract import Manifest
from models.input_assist.contract import contract
from pipelines.card import card, table
from pipelines.evaluation import accuracy, bootstrap, share
from pipelines.input_assist.lookup import Lookup
from pipelines.input_assist.texts import CATEGORY
from pipelines.linear_text import Text
from pipelines.mistakes import mistakes_table
from pipelines.parameters import load


@dataclass(frozen=True)
class Params:
    precision: float


@dataclass(frozen=True)
class Judged:
    """Texts with what the model and the lookup said of them."""

    truth: NDArray[np.int64]
    said: NDArray[np.int64]
    scores: NDArray[np.float64]  # of what it said
    looked_up: NDArray[np.int64]

    @property
    def named(self) -> NDArray[np.bool_]:
        """Which texts are about a category at all."""
        return self.truth > 0

    def where(self, mask: NDArray[np.bool_]) -> "Judged":
        """Some of them."""
        return Judged(self.truth[mask], self.said[mask], self.scores[mask], self.looked_up[mask])

    def shown(self, threshold: float) -> NDArray[np.int64]:
        """What the app shows: the model's category where it is sure, else the one that was looked up."""
        sure = (self.said > 0) & (self.scores >= threshold)
        return np.where(sure, self.said, self.looked_up)


def main() -> None:
    params = load(Params, "pipelines/input_assist/params.yaml", "evaluate")
    gold_texts, lookup = CATEGORY.read(CATEGORY.gold), Lookup.read()
    held_out, gold = judge(CATEGORY.read(CATEGORY.texts, "test"), lookup), judge(gold_texts, lookup)
    sure = threshold(held_out, params.precision)
    typing = np.array([text.part == "typing" for text in gold_texts])
    metrics = measured(held_out, gold, typing, sure)
    manifest = contract().model_copy(update={"thresholds": {"category_sure": sure}})
    CATEGORY.draw(gold.truth, gold.said)
    reference = CATEGORY.reference(held_out.said, held_out.scores)
    mistakes = mistakes_table(gold.truth, gold.said, gold.scores, CATEGORY.labels, [one.text for one in gold_texts])
    card_text = described(manifest, metrics, typing, params, mistakes)
    CATEGORY.write(manifest, gold_texts, metrics, reference, card_text)


def judge(texts: list[Text], lookup: Lookup) -> Judged:
    """What the ONNX file and the lookup say of each text."""
    chances = CATEGORY.chances(CATEGORY.file, [text.text for text in texts])
    looked_up = np.array([CATEGORY.labels.index(lookup.category(text.text)) for text in texts], np.int64)
    scores = chances.max(axis=1).astype(np.float64)
    return Judged(CATEGORY.truth(texts), chances.argmax(axis=1), scores, looked_up)


def threshold(judged: Judged, precision: float) -> float:
    """The lowest score from which on so many suggestions are right, rounded so that it can be quoted."""
    suggests = judged.said > 0
    for score in np.arange(0.3, 1.0, 0.01):
        shown = suggests & (judged.scores >= score)
        if share((judged.said == judged.truth) & shown, shown) >= precision:
            return round(float(score), 2)
    raise ValueError(f"no threshold gives a precision of {precision}")


def measured(held_out: Judged, gold: Judged, typing: NDArray[np.bool_], sure: float) -> dict[str, float]:
    """Every number of the card."""
    sets = {"held_out": held_out, "gold": gold, "gold_whole": gold.where(~typing), "gold_typing": gold.where(typing)}
    numbers: dict[str, float] = bootstrap((gold.truth == gold.said).astype(float)).named("gold_accuracy")
    for name, judged in sets.items():
        numbers |= {
            f"{name}_accuracy": accuracy(judged.truth, judged.said),
            f"{name}_accuracy_baseline": accuracy(judged.truth, judged.looked_up),
            **suggested(name, judged, np.where(judged.scores >= sure, judged.said, 0)),
            **{f"{key}_baseline": value for key, value in suggested(name, judged, judged.looked_up).items()},
            **{f"{key}_together": value for key, value in suggested(name, judged, judged.shown(sure)).items()},
        }
    return {key: round(value, 4) for key, value in numbers.items()}


def suggested(name: str, judged: Judged, said: NDArray[np.int64]) -> dict[str, float]:
    """How many suggestions are right, and how many of the texts about something get the right one."""
    right = (said == judged.truth) & judged.named
    return {f"{name}_precision": share(right, said > 0), f"{name}_recall": share(right, judged.named)}


def described(
    manifest: Manifest, metrics: dict[str, float], typing: NDArray[np.bool_], params: Params, mistakes: str
) -> str:
    """The card."""
    m = metrics
    sets = {"held_out": "names never seen", "gold": "gold file", "gold_whole": "its whole titles",
            "gold_typing": "its titles while typed"}  # fmt: skip
    compared = table(
        ("accuracy", "this model", "words looked up"),
        [(said, m[f"{name}_accuracy"], m[f"{name}_accuracy_baseline"]) for name, said in sets.items()],
    )
    shown = table(
        ("what is suggested", "right: this model", "words", "both together",
         "found: this model", "words", "both together"),
        [
            (said, *(m[f"{name}_{what}{by}"] for what in ("precision", "recall")
                     for by in ("", "_baseline", "_together")))
            for name, said in sets.items()
        ],
    )  # fmt: skip
    return card(
        manifest,
        {
            "What it is for": "While somebody types a title or a description in Japanese or English: which category "
            "is it about? It suggests, and decides nothing. It says `none` for a text that names no category, or not "
            "yet. The baseline looks words of `models/words.toml` up; the app shows the model's category where it is "
            "sure and the one of the words elsewhere (found with a dictionary, which errs less than this baseline).",
            "How good it is": f"{compared}\n\nAccuracy on the gold file {m['gold_accuracy']:.3f} "
            f"({m['gold_accuracy_low']:.3f} to {m['gold_accuracy_high']:.3f}).\n\n"
            f"{shown}\n\n![Confusion matrix](confusion.png)",
            "Where it is wrong": f"Of the gold file:\n\n{mistakes}",
            "What the threshold does": f"From {manifest.thresholds['category_sure']} on a category is suggested: "
            f"there, {params.precision:.0%} are right on names and sentences that the training never saw, half of "
            "them cut off in the middle.",
            "Data": "Texts composed from names (the vocabulary, the emoji list with keywords that only one category "
            "has, a list of our own), frames around them and sentences that tell the category without a name, many "
            "of them cut off as while they are typed; a description behind one in four. Every sixth name, frame and "
            f"sentence is held out. The gold file has {len(typing)} lines, written by hand, {int(typing.sum())} of "
            "them cut off.",
            "Limits": "The author of the templates also wrote the gold file, and saw its results when the share of a "
            "name that is enough was settled: it flatters. Of things that neither the vocabulary nor the training "
            "has, half are not recognised. A text about two things gets one of them. Other languages than Japanese "
            "and English are refused.",
        },
    )


if __name__ == "__main__":
    main()
