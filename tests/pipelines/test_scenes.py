"""Scenes are what they are said to be, the same every time, and share nothing between groups."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.labels import CATEGORIES, names
from pipelines.scenes import draw, forbidden
from pipelines.scenes.catalogue import KINDS
from pipelines.scenes.compose import Sprite, Stock, compose
from pipelines.scenes.groups import GROUPS, deal
from pipelines.scenes.pack import Pack, write_pack
from pipelines.scenes.parts import BACKGROUND_PHOTOS, REAL_PHOTOS, background_paths, real_photos

SIZE = (160, 160)


@pytest.fixture(scope="module")
def stock() -> Stock:
    """One disc of each kind on see-through ground, and one photo."""
    sprites = {}
    for number, kind in enumerate(KINDS):
        cut = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
        ImageDraw.Draw(cut).ellipse((8, 8, 72, 72), fill=(10 * number, 200, 90, 255))
        sprites[kind] = [Sprite(kind, f"a {kind}", "test", cut, number)]
    return Stock(sprites, [Image.open(background_paths()[0]).convert("RGB")])


def test_an_object_is_in_one_group_and_every_category_in_all() -> None:
    dealt = deal(KINDS, GROUPS, seed=20)
    for kind, concepts in KINDS.items():
        assert len(set(concepts)) == len(concepts)
        sizes = np.bincount([dealt[concept] for concept in concepts], minlength=GROUPS)
        assert sizes.min() >= 1, kind
        assert sizes.max() - sizes.min() <= 1, kind


def test_no_object_is_of_two_kinds() -> None:
    for (first, some), (second, others) in itertools.combinations(KINDS.items(), 2):
        assert not set(some) & set(others), (first, second)


def test_photos_that_are_tests_are_never_backgrounds() -> None:
    assert not set(BACKGROUND_PHOTOS) & {Path(path).name for path in REAL_PHOTOS.values()}
    assert not any(name.startswith(("chelsea", "coffee", "flower", "china")) for name in BACKGROUND_PHOTOS)
    assert all(path.is_file() for path in (*background_paths(), *real_photos().values()))


def test_a_scene_shows_its_objects_inside_their_boxes(stock: Stock) -> None:
    counts = set()
    for seed in range(40):
        scene = compose(np.random.default_rng(seed), stock, "cat", SIZE)
        assert scene.picture.size == SIZE
        assert {sprite.kind for sprite, _ in scene.objects} == {"cat"}
        for _, (left, top, right, bottom) in scene.objects:
            assert 0 <= left < right <= 160
            assert 0 <= top < bottom <= 160
        counts.add(len(scene.objects))
    assert counts == {1, 2, 3, 4}


def test_the_same_number_draws_the_same_scene(stock: Stock) -> None:
    first, again, other = (
        np.asarray(compose(np.random.default_rng([7, number]), stock, "dog", SIZE).picture) for number in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("kind", forbidden.KINDS)
def test_every_kind_of_violation_can_be_drawn_at_any_size(stock: Stock, kind: str) -> None:
    for size in (SIZE, (320, 240)):
        scene = forbidden.draw_forbidden(np.random.default_rng(3), stock, kind, size, names(CATEGORIES))
        assert scene.picture.size == size


def test_blank_pictures_are_blank_and_noise_is_not(stock: Stock) -> None:
    def spread(kind: str) -> list[float]:
        scenes = [forbidden.draw_forbidden(np.random.default_rng(n), stock, kind, SIZE, []) for n in range(10)]
        return [float(np.asarray(scene.picture).std((0, 1)).mean()) for scene in scenes]

    assert max(spread("blank")) < 25
    assert min(spread("noise")) > 25


def test_orders_mix_categories_kinds_and_groups_evenly() -> None:
    orders = draw.orders(draw.Params(size=160, seed=7, good=500, violations=350))
    good = [(order.category, order.group) for order in orders if order.violation == "ok"]
    bad = [(order.violation, order.group) for order in orders if order.violation != "ok"]
    assert {good.count(each) for each in itertools.product(names(CATEGORIES), range(GROUPS))} == {10}
    assert {bad.count(each) for each in itertools.product(forbidden.KINDS, range(GROUPS))} == {10}
    assert [order.number for order in orders] == list(range(850))


def test_a_pack_gives_back_what_was_put_in(tmp_path: Path) -> None:
    put = [({"name": "猫"}, b"first"), ({"name": "b"}, b""), ({"name": "c"}, bytes(300))]
    assert write_pack(tmp_path, "things", put) == 3
    pack = Pack(tmp_path, "things")
    assert [(row["name"], pack.blob(i)) for i, row in enumerate(pack.rows)] == [
        ("猫", b"first"),
        ("b", b""),
        ("c", bytes(300)),
    ]


def test_scenes_are_pictures_that_serving_reads(stock: Stock) -> None:
    from models.image_screening.features import encode
    from pipelines.scenes.compose import jpeg

    rng = np.random.default_rng(5)
    raw = jpeg(rng, compose(rng, stock, "food", SIZE).picture)
    assert (encode(raw)["image"][0] == np.asarray(Image.open(io.BytesIO(raw)))).all()
