"""The learnt heads on the frozen features: linear discriminants, a temperature, the photo mixture, the embedding.

A linear discriminant (Fisher's, with a shrunk covariance) has one answer and needs no iterations. On
objects never seen it was better than logistic regression on the same features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """scores = x @ weights + bias."""

    weights: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        return x @ self.weights + self.bias

    def scaled(self, factor: float) -> "Linear":
        """The same answers, more or less sure of them."""
        return Linear((self.weights * factor).astype(np.float32), (self.bias * factor).astype(np.float32))


@dataclass(frozen=True)
class Scale:
    """Features with mean 0 and spread 1 over the training data."""

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, x: Floats) -> "Scale":
        """Learn it."""
        return cls(x.mean(0), x.std(0) + np.float32(1e-4))

    def __call__(self, x: Floats) -> Floats:
        return ((x - self.mean) / self.spread).astype(np.float32)

    def folded(self, head: Linear) -> Linear:
        """The head for features that are not scaled."""
        weights = head.weights / self.spread[:, None]
        return Linear(weights.astype(np.float32), (head.bias - self.mean @ weights).astype(np.float32))


def balanced(labels: Ints) -> Floats:
    """Weights that make all classes count alike."""
    weights = 1.0 / np.bincount(labels)[labels]
    return np.asarray(weights / weights.sum(), np.float32)


def class_means(x: Floats, labels: Ints) -> Floats:
    """The mean of each class."""
    return np.stack([x[labels == label].mean(0) for label in range(labels.max() + 1)])


def within(x: Floats, labels: Ints, means: Floats, shrinkage: float) -> Floats:
    """The covariance inside the classes, all classes alike, shrunk towards a ball."""
    rest = (x - means[labels]) * np.sqrt(balanced(labels))[:, None]
    covariance = rest.T @ rest
    ball = np.eye(len(covariance), dtype=np.float32) * (np.trace(covariance) / len(covariance))
    return np.asarray((1 - shrinkage) * covariance + shrinkage * ball, np.float32)


def discriminant(x: Floats, labels: Ints, shrinkage: float) -> Linear:
    """Scores whose softmax is the probability of each class, were the classes normal and equally common."""
    scale = Scale.of(x)
    x = scale(x)
    means = class_means(x, labels)
    weights = np.linalg.solve(within(x, labels, means, shrinkage), means.T)
    return scale.folded(Linear(weights, -0.5 * (means.T * weights).sum(0)))


def softmax(scores: Floats) -> Floats:
    """Probabilities."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


def log_loss(probabilities: Floats, labels: Ints, weights: Floats | None = None) -> float:
    """How surprising the labels are."""
    surprise = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-9)
    return float(np.average(surprise, weights=weights))


def temperature(scores: Floats, labels: Ints, weights: Floats | None = None) -> float:
    """The factor for scores that makes their softmax least surprised by validation data."""
    factors = np.geomspace(0.05, 2.0, 60)
    losses = [log_loss(softmax(scores * np.float32(factor)), labels, weights) for factor in factors]
    return float(factors[int(np.argmin(losses))])


def photo_prior(photo: Floats, table: Floats) -> Floats:
    """Probabilities of the categories by the photo classes; what belongs to none is spread evenly."""
    known = photo @ table
    return np.asarray(known + (1 - known.sum(1, keepdims=True)) / known.shape[1])


def photo_weight(head: Floats, prior: Floats, labels: Ints, least: float) -> tuple[float, dict[float, float]]:
    """The largest photo weight within one standard error of the best; also the accuracy at each weight.

    The validation scenes hold no photos, so of weights that are equally good the photos decide.
    """
    candidates = [round(float(weight), 2) for weight in np.arange(0.0, 0.96, 0.05)]
    correct = {w: (w * prior + (1 - w) * head).argmax(1) == labels for w in candidates}
    found = {w: float(hits.mean()) for w, hits in correct.items()}
    best = max(found.values())
    error = (best * (1 - best) / len(labels)) ** 0.5
    good_enough = [w for w in candidates if found[w] >= best - error]
    return max(least, max(good_enough)), found


def projection(x: Floats, labels: Ints, size: int, shrinkage: float) -> Linear:
    """Directions that tell objects apart and ignore how they were drawn: the embedding before its length is 1.

    The within-object covariance is made round, then the principal directions of the objects are kept.
    """
    scale = Scale.of(x)
    x = scale(x)
    means = class_means(x, labels)
    values, vectors = np.linalg.eigh(within(x, labels, means, shrinkage))
    white = vectors / np.sqrt(np.maximum(values, 1e-6))
    middle = means.mean(0)
    _, _, directions = np.linalg.svd((means - middle) @ white, full_matrices=False)
    weights = (white @ directions[:size].T).astype(np.float32)
    largest = np.abs(weights).argmax(0)
    weights *= np.sign(weights[largest, np.arange(weights.shape[1])])
    return scale.folded(Linear(weights, (-middle @ weights).astype(np.float32)))
