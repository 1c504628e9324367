"""Opening a result tells search of a click, staying of a long view; home shows what is chosen for the visitor."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.services.web.conftest import SignIn, send
from tests.services.web.fakes import FakeServices, item

LINK = re.compile(r'href="(/items/([0-9a-f-]+)\?from=([0-9a-f-]+)\.(\d+))"')


async def test_a_page_of_results_says_where_each_stands(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(*(item(f"cat {number}") for number in range(30)))
    page = (await browser.get("/search?q=cat")).text
    assert [int(position) for *_, position in LINK.findall(page)] == list(range(1, 25))
    after = (await browser.get("/search?q=cat&cursor=24", headers={"hx-request": "true"})).text
    assert [int(position) for *_, position in LINK.findall(after)] == list(range(25, 31))


async def test_opening_a_result_is_a_click_without_any_script(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(*(item(f"cat {number}") for number in range(3)))
    link, item_id, search, position = LINK.findall((await browser.get("/search?q=cat")).text)[1]
    page = (await browser.get(link)).text
    assert fakes.acts == [{"action": "click", "search_id": search, "item_id": item_id, "position": int(position)}]
    assert f'data-found="{search}.{position}"' in page


@pytest.mark.parametrize("told", ["", "x", "x.1", f"{uuid4()}", f"{uuid4()}.", f"{uuid4()}.-1", f"{uuid4()}.１x"])
async def test_what_is_no_place_is_told_to_nobody(browser: httpx.AsyncClient, fakes: FakeServices, told: str) -> None:
    entry = item("cat")
    fakes.add(entry)
    assert (await browser.get(f"/items/{entry['id']}", params={"from": told})).status_code == 200
    assert fakes.acts == []


async def test_an_item_comes_while_search_rests(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    entry = item("cat")
    fakes.add(entry)
    fakes.dead = {"search"}
    assert (await browser.get(f"/items/{entry['id']}?from={uuid4()}.1")).status_code == 200


async def test_staying_is_told_once_a_form_is_the_visitors_own(signed_in_as: SignIn, fakes: FakeServices) -> None:
    entry, search = item("cat"), str(uuid4())
    fakes.add(entry)
    browser = await signed_in_as()
    form = {"from": f"{search}.4", "seconds": "10"}
    assert (await browser.post(f"/items/{entry['id']}/seen", data=form)).status_code == 419
    assert (await send(browser, f"/items/{entry['id']}/seen", form)).status_code == 204
    told = {"action": "long_view", "seconds": 10.0, "search_id": search, "item_id": entry["id"], "position": 4}
    assert fakes.acts == [told]
    for seconds in ("", "nan", "-1", "1e9"):
        assert (await send(browser, f"/items/{entry['id']}/seen", form | {"seconds": seconds})).status_code == 204
    assert fakes.acts == [told]


@pytest.mark.parametrize(
    ("language", "own", "others"), [("en", "For you", "Popular these days"), ("ja", "あなたへのおすすめ", "いま人気")]
)
async def test_home_shows_what_is_chosen(
    browser: httpx.AsyncClient, signed_in_as: SignIn, fakes: FakeServices, language: str, own: str, others: str
) -> None:
    fakes.add(*(item(f"cat {number}") for number in range(30)))
    spoken = {"accept-language": language}
    for visitor, words in ((browser, others), (await signed_in_as(), own)):
        page = (await visitor.get("/", headers=spoken)).text
        assert f'<h2 id="for-you">{words}</h2>' in page
        shelf = page[page.index('class="shelf"') : page.index('class="heading"')]
        assert [int(position) for *_, position in LINK.findall(shelf)] == [1, 2, 3, 4, 5, 6]
    fakes.slow = {"/api/search/for-you"}
    page = (await browser.get("/")).text
    assert 'class="shelf"' not in page
    assert page.partition('class="heading"')[2].count('class="card"') == 24
