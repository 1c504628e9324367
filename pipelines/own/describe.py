"""The card of a challenger, in words; every number comes from the run."""

from models.contract import Manifest
from pipelines.card import card, table
from pipelines.own.report import Report


def described(
    manifest: Manifest,
    metrics: dict[str, float],
    labels: list[str],
    report: Report,
    data: str,
    learnt_on: str,
    has_picture: bool,
) -> str:
    """The card."""
    picture = "\n\n![Confusion matrix](confusion.png)" if has_picture else ""
    return card(
        manifest,
        {
            "What it is for": f"The labels of {data}: {', '.join(labels)}. It takes what {manifest.name} takes and "
            "answers what it answers; only what the labels are called, and how many there are, is different.",
            "How good it is": quality(metrics) + picture,
            "How it is made": f"Heads learnt on {learnt_on}. Every fifth example to learn from gave temperature and "
            "thresholds before the last fit on all of them. No example of the test was learnt from, nor one that has "
            "the same content or looks the same.",
            "Data": used(report),
            "Limits": "It names one of these labels for whatever it is given. The test is as good as the data: "
            "pictures of one place, series or day are more alike than the same hash or look can show.",
        },
    )


def quality(metrics: dict[str, float]) -> str:
    """The test, beside guessing."""
    low, high = metrics["test_accuracy_low"], metrics["test_accuracy_high"]
    rows = [("right, on the test", f"{metrics['test_accuracy']:.3f} ({low:.3f} to {high:.3f})")]
    for key, words in (("test_top3", "right label among the first three"), ("test_auc", "AUC of the violation score")):
        rows += [(words, f"{metrics[key]:.3f}")] if key in metrics else []
    rows.append(("always the most frequent label", f"{metrics['baseline_most_frequent_accuracy']:.3f}"))
    each = [(key.removeprefix("recall_"), value) for key, value in metrics.items() if key.startswith("recall_")]
    return table(("", ""), rows) + "\n\nIntervals are 95 %.\n\n" + table(("label", "found"), each)


def used(report: Report) -> str:
    """What was used, and how much was not."""
    rows = [(label, parts.get("train", 0), parts.get("test", 0)) for label, parts in report.used.items()]
    left_out = ", ".join(f"{count} {kind}" for kind, count in report.counts.items()) or "nothing"
    return table(("label", "to learn from", "to test with"), rows) + f"\n\nLeft out: {left_out}."
