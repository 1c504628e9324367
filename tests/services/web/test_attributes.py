"""What a model noticed of a picture: words to search by, boxes over it, and what of a search was understood."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.search.attributes import Wanted
from services.texts.terms import Terms
from services.web.figures import read
from services.web.language import LANGUAGES, read_words
from tests.services.web.fakes import FakeServices, item, screening

SEEN = {
    "objects": [
        {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.6, "score": 0.93},
        {"left": 0.6, "top": 0.2, "right": 0.9, "bottom": 0.7, "score": 0.71},
    ],
    "count": 2, "where": ["left", "right"], "brightness": "dark", "place": "outdoors",
}  # fmt: skip
USED = {"version": "4", "served_by": "model", "prediction_id": str(uuid4())}


def noticed(served_by: str = "model", **changes: Any) -> dict[str, Any]:
    """An item with what the detector said."""
    judged = screening()
    judged["attributes"] = SEEN | changes
    judged["models"] |= {"object_attributes": USED | {"served_by": served_by}}
    return item("two cats at night", screening=judged)


class Understanding(FakeServices):
    """Search understands attributes, and images knows how large pictures are."""

    def _search(self) -> None:
        @self.app.get("/api/search")
        async def _find(q: str = "") -> Any:
            wanted = Wanted(count=3, brightness="dark", place="outdoors").model_dump() if "dark" in q else None
            common = {"image_id": "a" * 64, "owner_name": "mike", "likes": 0, "category": "cat"}
            some = [("fits", ["count", "brightness"]), ("does not", [])]
            results = [common | {"item_id": str(uuid4()), "title": title, "has": has} for title, has in some]
            told = {"mode": "text", "attributes": wanted, "results": results, "next": None}
            return told | {"search_id": str(uuid4())}

        super()._search()

    def _images(self) -> None:
        @self.app.get("/api/images/{image_id}")
        async def _about(image_id: str) -> Any:
            return {"id": image_id, "width": 640, "height": 480}

        super()._images()


@pytest.fixture
def fakes() -> FakeServices:
    """The other services."""
    return Understanding()


async def of(browser: httpx.AsyncClient, fakes: FakeServices, shown: dict[str, Any], language: str = "en") -> str:
    """The item's page."""
    fakes.add(shown)
    return (await browser.get(f"/items/{shown['id']}", headers={"accept-language": language})).text


@pytest.mark.parametrize(
    ("language", "links"),
    [("en", ["cat 2", "left", "right", "dark", "outdoors"]), ("ja", ["猫 2", "左", "右", "暗い", "屋外"])],
)
async def test_what_was_noticed_can_be_searched_for(
    browser: httpx.AsyncClient, fakes: FakeServices, language: str, links: list[str]
) -> None:
    page = await of(browser, fakes, noticed(), language)
    line = re.search(r'<p class="facts shows">.*?</p>', page, re.DOTALL)
    assert line
    assert [httpx.URL(link).params["q"] for link in re.findall(r'href="([^"]+)"', line[0])] == links


async def test_boxes_lie_where_the_things_are(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    page = await of(browser, fakes, noticed())
    assert 'viewBox="0 0 640 480"' in page
    assert page.count('class="above" x="64.0" y="96.0" width="128.0" height="192.0"') == 1
    assert page.count('class="above"') == 2
    assert 'aria-label="Where the model sees it: 2 things"' in page
    assert 'id="show-boxes"' in page
    assert "style=" not in page


async def test_nothing_is_said_of_what_no_model_noticed(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    for shown in (item("nobody looked"), noticed(served_by="default"), item("waits", "published", screening=None)):
        page = await of(browser, fakes, shown)
        assert "<svg viewBox" not in page
        assert "facts shows" not in page
        assert "show-boxes" not in page


async def test_a_picture_of_nothing_has_no_boxes(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    page = await of(browser, fakes, noticed(objects=[], count=0, where=[], place=None))
    assert "nothing that stands out" in page
    assert "show-boxes" not in page


async def test_while_images_rests_there_are_words_and_no_boxes(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.dead = {"images"}
    page = await of(browser, fakes, noticed())
    assert "facts shows" in page
    assert "show-boxes" not in page


async def test_a_search_says_what_it_understood_and_which_results_have_it(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/search", params={"q": "three cats, dark, outside"})).text
    understood = re.search(r'<p class="facts understood">.*?</p>', page, re.DOTALL)
    assert understood
    assert re.findall(r'class="chip">([^<]+)<', understood[0]) == ["3 things", "dark", "outdoors"]
    first, second = page.split('<li class="card">')[1:3]
    assert re.findall(r'class="badge good">([^<]+)<', first) == ["3 things", "dark"]
    assert "badge good" not in second


async def test_a_search_without_attributes_says_nothing_of_them(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/search", params={"q": "cat"})).text
    assert "understood" not in page
    assert "badge good" not in page


@pytest.mark.parametrize(("language", "example"), [("en", "three cats, dark, outside"), ("ja", "猫 3匹 暗い 外")])
async def test_all_four_ways_are_shown(browser: httpx.AsyncClient, language: str, example: str) -> None:
    page = (await browser.get("/search", headers={"accept-language": language})).text
    assert page.count('<li class="panel">') == 4
    assert example in page
    assert "/search?category=cat" in page
    assert "/search/similar" in page


def test_how_it_does_in_use_is_read_from_the_warehouse() -> None:
    told = {"screened": 40, "noticed": 30, "searches": 5, "impressions": 50, "clicks": 10, "share": {}, "ctr": {}}
    noticed_of_screened = read({"suggestions": [], "attributes": told}).noticed
    assert noticed_of_screened
    assert (noticed_of_screened.share, noticed_of_screened.ctr) == (0.75, 0.2)
    assert read({"suggestions": []}).noticed is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_shown_is_understood_as_what_it_says(language: str) -> None:
    words, terms = read_words()[language], Terms()

    def wanted(q: str) -> dict[str, Any]:
        asked = terms.of_query(q)
        told = {"where": asked.wanted.where, "brightness": asked.wanted.brightness, "place": asked.wanted.place}
        return {name: value for name, value in told.items() if value}

    for word in ("left", "right", "top", "bottom", "centre"):
        assert wanted(words(f"shows.{word}")) == {"where": (word,)}
    for word in ("dark", "medium", "bright"):
        assert wanted(words(f"shows.{word}")) == {"brightness": word}
    for word in ("indoors", "outdoors"):
        assert wanted(words(f"shows.{word}")) == {"place": word}
    assert terms.of_query(f"{words.label('cat')} 3").wanted.count == 3
    example = terms.of_query(words("search.example")).wanted
    assert (example.count, example.brightness, example.place) == (3, "dark", "outdoors")
