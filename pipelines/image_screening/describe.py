"""The card of image_screening, in words; every number comes from the run."""

from typing import Any

from models.contract import Manifest
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from pipelines.card import card, table
from pipelines.evaluation import Costs

Metrics = dict[str, float]


def described(
    manifest: Manifest, metrics: Metrics, photos: list[dict[str, Any]], facts: dict[str, Any], costs: Costs
) -> str:
    """The card."""
    return card(
        manifest,
        {
            "What it is for": "Every registered picture: which of ten categories it shows, whether it breaks a "
            "rule, and where it lies among similar pictures. One network answers all three.",
            "How good it is": quality(metrics, photos, facts),
            "What the thresholds do": decided(manifest, metrics, costs),
            "Similar pictures": similar(metrics),
            "How it is made": made(metrics, facts),
            "Data": "Scenes composed by this project from seven emoji sets, split by object: no object of the test "
            "occurs in training in any style. Photos behind the objects are split too. Sources and licences: "
            "`data/NOTICE.md`.",
            "Limits": limits(),
        },
    )


def quality(metrics: Metrics, photos: list[dict[str, Any]], facts: dict[str, Any]) -> str:
    """Held-out objects and real photos, never one without the other."""
    rows = [
        (
            "drawn objects never seen, mean of all five splits",
            f"{metrics['splits_accuracy']:.3f} ({metrics['splits_accuracy_low']:.3f} to "
            f"{metrics['splits_accuracy_high']:.3f})",
        ),
        ("the same, of the shipped split", interval(metrics, "held_out_accuracy")),
        ("the same, right label among the first three", f"{metrics['held_out_top3']:.3f}"),
        (
            "photos of real things that packages ship",
            f"{sum(p['label'] == p['said'] for p in photos)} of {len(photos)}",
        ),
    ]
    rows += [
        ("baseline, a small network from scratch: shipped split", f"{metrics['baseline_held_out_accuracy']:.3f}"),
        ("the same, photos", f"{metrics['baseline_photos_right'] * len(photos):.0f} of {len(photos)}"),
    ]
    splits = ", ".join(f"{value:.3f}" for value in facts["split_accuracy"])
    return (
        f"{table(('category accuracy', ''), rows)}\n\nThe five splits: {splits}. Intervals are 95 %.\n\n"
        + table(("photo", "is", "said", "score", "violation score"), [tuple(p.values()) for p in photos])
        + "\n\n"
        + table(("category", "found"), [(name, metrics[f"recall_{name}"]) for name in names(CATEGORIES)])
        + "\n\n![Confusion matrix](confusion.png)\n\n![The surest mistakes](mistakes.png)"
    )


def interval(metrics: Metrics, name: str) -> str:
    """A number with its interval."""
    return f"{metrics[name]:.3f} ({metrics[name + '_low']:.3f} to {metrics[name + '_high']:.3f})"


def decided(manifest: Manifest, metrics: Metrics, costs: Costs) -> str:
    """What happens to held-out scenes."""
    good = 1 - metrics["good_rejected"] - metrics["good_reviewed"]
    rows = [
        ("violations", metrics["bad_published"], metrics["bad_reviewed"]),
        ("good", good, metrics["good_reviewed"]),
    ]
    told = [(kind, f"{p:.1%}", f"{r:.1%}", f"{max(0.0, 1 - p - r):.1%}") for kind, p, r in rows]
    kinds = [
        (name, f"{metrics[f'stopped_{name}']:.1%}", f"{metrics[f'false_{name}']:.1%}")
        for name in names(PICTURE_VIOLATIONS)[1:]
    ]
    good_ones = [(name, f"{metrics[f'good_stopped_{name}']:.1%}") for name in names(CATEGORIES)]
    return (
        f"AUC of the violation score on held-out scenes: {metrics['violation_auc']:.3f}. Thresholds are the cheapest "
        f"on validation scenes when a published violation costs {costs.publish_bad:g}, a rejected good item "
        f"{costs.reject_good:g} and a review {costs.review:g}. On held-out scenes:\n\n"
        + table(("", "published", "to a moderator", "rejected"), told)
        + "\n\n"
        + table(("kind", "not published (recall)", "good pictures taken for it (false positives)"), kinds)
        + "\n\n"
        + table(("good pictures of", "not published (false positives)"), good_ones)
        + f"\n\nBelow a category margin of {manifest.thresholds['category_margin']:g} a moderator looks as well: "
        f"{metrics['good_low_margin']:.1%} of good held-out scenes. From a margin of "
        f"{manifest.thresholds['tag_margin']:g} on an item is tagged with its category: {metrics['good_tagged']:.1%} "
        f"of them, and {metrics['tags_right']:.1%} of those tags are right."
    )


def similar(metrics: Metrics) -> str:
    """What the embedding finds."""
    rows = [
        ("of the same category", metrics["similar_same_category"]),
        ("of the same object, where one object is shown", metrics["similar_same_object"]),
        ("of the same category, the same object left out", metrics["similar_other_object_same_category"]),
    ]
    return "Of the nearest five among held-out scenes, by the embedding's cosine:\n\n" + table(("part", ""), rows)


def made(metrics: Metrics, facts: dict[str, Any]) -> str:
    """How the parts work together."""
    temperature = facts["temperature"]
    return (
        "A frozen EfficientNet-Lite0 with ImageNet weights gives features of several depths. Linear discriminants on "
        "them are learnt from the scenes. Its own 1,000 photo classes, sorted into the ten categories, are mixed in "
        f"with weight {metrics['photo_weight']:g}: the largest within one standard error of the best on validation, "
        "which holds no photos. Scores are divided by a temperature fitted on validation "
        f"({temperature['category']:.3g} for categories, {temperature['violation']:.3g} for violations)."
    )


def limits() -> str:
    """What it cannot do."""
    return (
        "It knows ten categories and always names one of them: of anything else its answer is a guess, mostly with a "
        "small margin. It was taught with drawings; that it knows photos comes from ImageNet, whose view of the world "
        "it shares (breeds of dogs in detail, hardly any flowers). Weapons and alcohol are the weakest kinds of "
        "violation. It does not look for people, nudity, violence or brands, and reads no text in pictures."
    )
