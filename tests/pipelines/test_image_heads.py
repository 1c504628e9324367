"""The learnt heads do what their names say, on data where the truth is known."""

import numpy as np
import pytest

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from pipelines.image_screening import heads
from pipelines.image_screening.photo_prior import (
    CATEGORY_CLASSES,
    VIOLATION_CLASSES,
    category_table,
    numbers,
    violation_table,
)
from pipelines.scenes.similar import precision_at


def clouds(seed: int, per_class: int = 60, width: int = 12) -> tuple[heads.Floats, heads.Ints]:
    """Three classes, and one direction that varies much and means nothing."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), per_class)
    x = rng.normal(0, 1, (len(labels), width))
    x[np.arange(len(labels)), labels] += 2.5
    x[:, -1] *= 50
    return x.astype(np.float32), labels


def test_a_discriminant_finds_the_classes_it_has_not_seen_the_examples_of() -> None:
    head = heads.discriminant(*clouds(0), shrinkage=0.1)
    x, labels = clouds(1)
    assert (head(x).argmax(1) == labels).mean() > 0.85


def test_rare_classes_count_as_much_as_common_ones() -> None:
    x, labels = clouds(2, 400)
    rare = (labels != 2) | (np.arange(len(labels)) % 20 == 0)
    head = heads.discriminant(x[rare], labels[rare], 0.1)
    fresh, truth = clouds(3)
    assert (head(fresh).argmax(1) == truth)[truth == 2].mean() > 0.8


def test_temperature_makes_loud_scores_honest() -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(0, 1, (4000, 3)).astype(np.float32)
    labels = (truth + rng.gumbel(size=truth.shape)).argmax(1)  # drawn from their softmax
    assert heads.temperature(truth * 5, labels) == pytest.approx(1 / 5, rel=0.15)


def test_photos_get_the_largest_weight_that_costs_nothing() -> None:
    labels = np.tile(np.arange(4), 250)
    right = np.eye(4, dtype=np.float32)[labels]
    assert heads.photo_weight(right, right, labels, least=0.5)[0] == 0.95
    wrong = np.eye(4, dtype=np.float32)[(labels + 1) % 4]
    assert heads.photo_weight(right, wrong, labels, least=0.5)[0] == 0.5
    unsure = np.full((1000, 4), 0.25, np.float32)
    weight, accuracies = heads.photo_weight(right, unsure, labels, least=0.5)
    assert weight == 0.95
    assert accuracies[0.0] == 1.0


def test_the_embedding_brings_unseen_examples_of_one_object_together() -> None:
    head = heads.projection(*clouds(5), size=2, shrinkage=0.1)
    x, labels = clouds(6)
    seen = head(x)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    concepts = [f"object {label}" for label in labels]
    assert seen.shape[1] == 2
    assert precision_at(seen, labels, concepts)["similar_same_object"] > 0.75
    loud = x * np.array([1] * 3 + [10] * 9, np.float32)  # what means nothing is louder still
    blind = loud / np.linalg.norm(loud, axis=1, keepdims=True)
    assert precision_at(blind, labels, concepts)["similar_same_object"] < 0.6


def test_no_photo_class_is_of_two_categories() -> None:
    members = [number for some in CATEGORY_CLASSES.values() for number in some]
    assert len(members) == len(set(members))
    assert list(CATEGORY_CLASSES) == names(CATEGORIES)
    assert max(members) < 1000


def test_the_photo_tables_sum_the_classes() -> None:
    photo = np.zeros((2, 1000), np.float32)
    photo[0, [281, 285]] = 0.4, 0.5  # tabby, Egyptian cat
    photo[1, 763] = 0.7  # revolver
    assert (photo @ category_table())[0, 0] == pytest.approx(0.9)
    seen = photo @ violation_table()
    assert seen[0, 0] == pytest.approx(0.9)
    assert seen[1, names(PICTURE_VIOLATIONS).index("weapon")] == pytest.approx(0.7)
    assert set(VIOLATION_CLASSES) <= set(names(PICTURE_VIOLATIONS))
    assert violation_table().sum(1).max() == 1
    assert numbers("3-5 9") == [3, 4, 5, 9]


def test_what_the_photo_classes_do_not_know_is_spread_evenly() -> None:
    nothing = np.zeros((1, 1000), np.float32)
    nothing[0, 999] = 1
    assert np.allclose(heads.photo_prior(nothing, category_table()), 0.1)
