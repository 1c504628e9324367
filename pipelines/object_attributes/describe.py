"""The card of object_attributes, in words; every number comes from the run."""

from collections.abc import Sequence
from typing import Any

from models.contract import Manifest
from models.object_attributes.finding import Rules
from pipelines.card import card, table

Metrics = dict[str, float]


def described(manifest: Manifest, metrics: Metrics, photos: Sequence[tuple[str, Any]], rules: Rules) -> str:
    """The card."""
    return card(
        manifest,
        {
            "What it is for": "The picture of every registered item: how many things it shows, where they are, how "
            "bright it is, and whether it was taken indoors or outdoors. It does not say what the things are: that is "
            "`image_screening`'s affair. Its answer never decides whether an item is published.",
            "How good it is": quality(metrics),
            "Right and wrong": "Green boxes were drawn, blue ones are found and right, red ones are found and wrong. "
            "The first two rows have the right count, the others a wrong one, the surest mistakes first.\n\n"
            "![Scenes with boxes](examples.png)\n\n![Which count is taken for which](confusion.png)",
            "Photos": "What it says of the photos that packages ship. Nobody drew what would be right.\n\n"
            + table(("photo of", "count", "where", "brightness", "place"), [photo(*one) for one in photos])
            + "\n\n![Photos with boxes](photos.png)",
            "How it decides": decides(rules),
            "Data": "Scenes composed by this project from seven emoji sets: no to seven objects of any size, anywhere. "
            "They are split by object: none of the test occurs in training or validation in any style; photos behind "
            "the objects are split too. Thresholds are chosen on validation scenes. Sources and licences: "
            "`data/NOTICE.md`.",
            "Limits": "It was taught with drawings of things on backgrounds. In photos it finds what stands out from "
            "what is behind it; crowds, things that hide each other and what fills the whole picture are counted "
            "badly. Rooms and landscapes are drawn, and a few photos: that a place is said of a photo is rarer, and "
            "less often right than the figure above. Of a wide or tall picture it does not see the ends.",
        },
    )


def quality(metrics: Metrics) -> str:
    """Each number beside the baseline's."""
    rows = [
        ("AP50 of the boxes", metrics["ap50"], metrics["baseline_ap50"]),
        ("precision of the boxes that are said", metrics["precision"], metrics["baseline_precision"]),
        ("recall of the objects", metrics["recall"], metrics["baseline_recall"]),
        ("count exact", interval(metrics), metrics["baseline_count_exact"]),
        ("count at most one off", metrics["count_within_one"], metrics["baseline_count_within_one"]),
        ("how far off on average", metrics["count_error"], metrics["baseline_count_error"]),
        ("where: all words right", metrics["where_exact"], metrics["baseline_where_exact"]),
        ("where: words in common", metrics["where_words"], metrics["baseline_where_words"]),
        ("brightness", metrics["brightness_right"], metrics["baseline_brightness_right"]),
        ("place, where one is said", metrics["place_right"], metrics["baseline_place_right"]),
        ("place said, of scenes that have one", metrics["place_said"], ""),
    ]
    return (
        table(("objects never seen", "this model", "always one object in the middle"), rows)
        + "\n\nOn the scenes that `image_screening` is tested on, with one to four objects and small things that lie "
        f"about, the count is exact in {metrics['other_scenes_count_exact']:.1%} (always one: "
        f"{metrics['baseline_other_scenes_count_exact']:.1%}) and at most one off in "
        f"{metrics['other_scenes_count_within_one']:.1%}. Brightness is arithmetic, and only its JPEG differs."
    )


def interval(metrics: Metrics) -> str:
    """The share of exact counts with its interval."""
    low, high = metrics["count_exact_low"], metrics["count_exact_high"]
    return f"{metrics['count_exact']:.3f} ({low:.3f} to {high:.3f})"


def photo(label: str, said: Any) -> tuple[Any, ...]:
    """One row."""
    return label, said["count"], ", ".join(said["where"]), said["brightness"], said["place"] or "not said"


def decides(rules: Rules) -> str:
    """The rules in words."""
    return (
        "A small head looks at two depths of the frozen EfficientNet-Lite0, whose later half is cut off. Each cell "
        "of a grid of 20 by 20 says how likely an object's middle lies in it and how far its sides are away. "
        f"Boxes from a score of {rules.object_score:g} on are kept, of those that show the same the best one; what is "
        f"less than {rules.prominence:g} times as wide as the largest is something that lies about, and does not "
        f"count. An object is left, right, at the top or at the bottom when its middle is more than "
        f"{rules.off_centre:g} of the side away from the picture's. A mean luma below {rules.dark:g} is dark, above "
        f"{rules.bright:g} bright. A place is said from a probability of {rules.place_score:g} on. Evaluation and "
        "hosts call the same functions (`models/object_attributes/finding.py`)."
    )
