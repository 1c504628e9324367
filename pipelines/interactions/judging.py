"""Compares orders of the same later searches: figures with intervals over users, and how far one is ahead."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.card import table
from pipelines.evaluation import Interval
from pipelines.interactions.ordering import Floats, Search, by_user, dcg, first

PLACES = 4
RECALLS = (3, 10)
HEAD = ("", "NDCG@10", *(f"recall@{k}" for k in RECALLS), "NDCG@10, clicks not weighed")
FIGURES = ("ndcg", *(f"recall_{k}" for k in RECALLS), "ndcg_counted")


def measured(
    judged: Sequence[Search], ways: Mapping[str, Sequence[Floats]], steepness: float, repeats: int
) -> dict[str, float]:
    """NDCG and recall of each way's scores, weighed by attention and as counted, and how far the first is ahead."""
    subjects = [one.subject for one in judged]
    numbers: dict[str, float] = {"test_searches": len(judged), "test_users": len(set(subjects))}
    worth, counted = ([one.worth(power) for one in judged] for power in (steepness, 0.0))
    best = {"ndcg": [dcg(one, one) for one in worth], "ndcg_counted": [dcg(one, one) for one in counted]}
    best |= {f"recall_{k}": [float(one.sum()) for one in worth] for k in RECALLS}
    got: dict[str, dict[str, list[float]]] = {}
    for name, scores in ways.items():
        pairs = list(zip(worth, scores, strict=True))
        got[name] = {"ndcg": [dcg(*pair) for pair in pairs]}
        got[name] |= {f"recall_{k}": [first(*pair, k) for pair in pairs] for k in RECALLS}
        got[name] |= {"ndcg_counted": [dcg(*pair) for pair in zip(counted, scores, strict=True)]}
        for figure, values in got[name].items():
            numbers |= by_user(subjects, values, best[figure], repeats).named(f"{figure}_{name}")
    mine, *others = got
    for other in others:
        gain = np.subtract(got[mine]["ndcg"], got[other]["ndcg"]).tolist()
        numbers |= by_user(subjects, gain, best["ndcg"], repeats).named(f"gain_over_{other}")
    return numbers


def rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    """As they are kept."""
    return {key: round(float(value), PLACES) for key, value in metrics.items()}


def interval(metrics: Mapping[str, float], name: str) -> Interval:
    """A figure as it was measured."""
    return Interval(metrics[name], metrics[f"{name}_low"], metrics[f"{name}_high"])


def compared(metrics: Mapping[str, float], ways: Mapping[str, str]) -> str:
    """Each way beside the others, the first one's gains below; `ways` says what each is."""
    rows = [(told, *(str(interval(metrics, f"{figure}_{name}")) for figure in FIGURES)) for name, told in ways.items()]
    gains = [
        f"{interval(metrics, f'gain_over_{name}')} over {told.partition(':')[0]} ({name})"
        for name, told in list(ways.items())[1:]
    ]
    return (
        f"{metrics['test_searches']:.0f} later searches with a click, of {metrics['test_users']:.0f} users, with 95 % "
        "intervals over users. A click is weighed with one over the chance that its place was looked at.\n\n"
        f"{table(HEAD, rows)}\n\nNDCG@10 gained: {'; '.join(gains)}."
    )
