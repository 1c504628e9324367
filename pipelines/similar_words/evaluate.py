"""Judge the ONNX file that will be served on words of the gold file, write its artefact and its card.

dvc repro pipelines/similar_words/dvc.yaml:evaluate

No probe is in the product's own list of words, which needs no model. Thresholds and dimensions were
chosen on one half of the file; the other half reports.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.contract import Manifest
from models.labels import CATEGORIES, names
from models.similar_words.contract import contract
from models.similar_words.features import category, encode, similar, spelt
from pipelines import artefact
from pipelines.card import card, table
from pipelines.evaluation import bootstrap, confusion, confusion_picture
from pipelines.parameters import load
from pipelines.similar_words import corpus, gold
from pipelines.similar_words.baseline import Said, SpeltAlike
from pipelines.similar_words.gold import Probe
from pipelines.similar_words.train import TRAINED, Params

DATA = Path("data/similar_words")
CARD = Path("models/similar_words")
NONE = "none"
SAMPLES = ("ねこ\n猫\ncat", "Drives", "ﾄﾞﾗｲﾌﾞ", "甘い", "洋菓子", "qwxzjk")
Judge = Callable[[str], Said]


@dataclass(frozen=True)
class Judged:
    """A probe and what was said of it."""

    probe: Probe
    said: Said

    @property
    def found(self) -> bool:
        """Whether one of the words a person would look for is among those said."""
        return bool({spelt(word) for word in self.said.similar} & {spelt(word) for word in self.probe.similar})

    @property
    def category_right(self) -> bool:
        """Whether the category is the right one, or rightly none."""
        return self.said.category == self.probe.category


def main() -> None:
    params = load(Params, "pipelines/similar_words/params.yaml", "train")
    model = served(TRAINED / "model.onnx")
    judged, simple = judge(model), judge(SpeltAlike())
    metrics = measured(judged, simple)
    manifest = contract().model_copy(
        update={"thresholds": {"similar_least": params.similar_least, "category_least": params.category_least}}
    )
    labels = [*names(CATEGORIES), NONE]
    matrix = confusion(
        np.array([labels.index(one.probe.category or NONE) for one in judged]),
        np.array([labels.index(one.said.category or NONE) for one in judged]),
        len(labels),
    )
    confusion_picture(matrix, labels, CARD / "confusion.png", "similar_words on the gold file")
    text = described(manifest, metrics, judged)
    pictures = {"confusion.png": CARD / "confusion.png"}
    raws = [sample.encode() for sample in SAMPLES]
    artefact.write(
        DATA / "model",
        manifest,
        TRAINED / "model.onnx",
        raws,
        metrics,
        reference(judged),
        text,
        pictures,
        suffix=".txt",
    )
    (DATA / "metrics.json").write_text(artefact.canonical(metrics), "utf-8")
    (CARD / "card.md").write_text(text, "utf-8")


def served(path: Path) -> Judge:
    """Asks the ONNX file as hosts do."""
    session = artefact.open_session(path)
    outputs = [output.name for output in session.get_outputs()]

    def said(word: str) -> Said:
        found = dict(zip(outputs, session.run(outputs, encode(word.encode())), strict=True))
        near = category(found)
        return Said([word for word, _ in similar(found)], near[0] if near else None)

    return said


def judge(said: Judge) -> list[Judged]:
    """Every probe, asked."""
    return [Judged(probe, said(probe.word)) for probe in gold.read()]


def measured(judged: Sequence[Judged], simple: Sequence[Judged]) -> dict[str, float]:
    """Every number of the card."""
    numbers: dict[str, float] = {}
    for name, some in (("", judged), ("_baseline", simple)):
        report = [one for one in some if one.probe.part == "report"]
        numbers[f"gold_similar{name}"] = share([one.found for one in some])
        numbers[f"gold_category{name}"] = share([one.category_right for one in some])
        numbers[f"report_similar{name}"] = share([one.found for one in report])
        numbers[f"report_category{name}"] = share([one.category_right for one in report])
        numbers[f"gold_known{name}"] = share([bool(one.said.similar) for one in some])
    for language in corpus.LANGUAGES:
        own = [one for one in judged if one.probe.language == language]
        numbers[f"gold_similar_{language}"] = share([one.found for one in own])
    numbers |= bootstrap(np.array([one.found for one in judged], float)).named("similar_words")
    return {key: round(value, 4) for key, value in numbers.items()}


def share(flags: Sequence[bool]) -> float:
    """The part that is true."""
    return sum(flags) / len(flags)


def reference(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """How often words are known, and near which categories, to compare live ones with."""
    seen = Counter(one.said.category or NONE for one in judged)
    return {"category_label": {label: round(seen[label] / len(judged), 4) for label in [*names(CATEGORIES), NONE]}}


def described(manifest: Manifest, metrics: dict[str, float], judged: Sequence[Judged]) -> str:
    """The card."""
    compared = table(
        ("", "this model", "words of the list that are spelt alike", "the list alone"),
        [
            ("a similar word found", metrics["gold_similar"], metrics["gold_similar_baseline"], 0.0),
            ("the same, reporting half", metrics["report_similar"], metrics["report_similar_baseline"], 0.0),
            ("the category right", metrics["gold_category"], metrics["gold_category_baseline"], ""),
            ("the same, reporting half", metrics["report_category"], metrics["report_category_baseline"], ""),
            ("words it says something about", metrics["gold_known"], metrics["gold_known_baseline"], 0.0),
        ],
    )
    missed = [one for one in judged if not one.found]
    examples = table(
        ("word", "wanted", "said"),
        [
            (one.probe.word, ", ".join(one.probe.similar), ", ".join(one.said.similar[:5]) or "nothing")
            for one in missed
        ],
    )
    found, low, high = (metrics[f"similar_words{end}"] for end in ("", "_low", "_high"))
    documents = Counter(document.source for document in corpus.read())
    told = ", ".join(f"{count} of {source}" for source, count in documents.items())
    return card(
        manifest,
        {
            "What it is for": "A query with a word that no item has: what else to look for, in both languages, and "
            "which category it is near to. Search asks it when it found little, and says what it looked for instead.",
            "How good it is": f"On {len(judged)} words, written by hand, that the product's list of words "
            f"(`models/words.toml`) does not have:\n\n{compared}\n\nA similar word is found for "
            f"{found:.3f} ({low:.3f} to {high:.3f}) of them: Japanese {metrics['gold_similar_ja']:.3f}, "
            f"English {metrics['gold_similar_en']:.3f}."
            "\n\n![Confusion matrix](confusion.png)",
            "Words it fails on": examples,
            "Data": f"Documents of words that stand together: {told}. `emoji` are the Japanese and English keywords "
            "of each emoji (emojibase, Unicode CLDR), `words` the product's own list, `items` titles, descriptions and "
            "tags of published items, where the pipeline can ask a platform's warehouse for them.",
            "How it is made": "idf and a truncated SVD of documents by words (latent semantic analysis), one vector a "
            "word; the middle of the asked spellings is compared with every word that several documents have. Hashes "
            "of spellings go in and words spelt out come back, so nobody else needs the vocabulary.",
            "Limits": "What stands together is not always the same: horse brings race. Words that are in no document "
            "are answered by their parts (菓子 for 洋菓子) or not at all. The author of the probes saw both halves of "
            "the file while the model was made; the numbers of the reporting half chose nothing.",
        },
    )


if __name__ == "__main__":
    main()
