"""What a visitor opens and stays on is told, and home shows what is chosen for them, in a real browser."""

import re
from uuid import UUID

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import DESKTOP, MakeContext, sign_in
from tests.platform import Platform


def test_opening_a_result_tells_a_click_and_staying_a_long_view(page: Page, platform: Platform) -> None:
    sign_in(page, platform.account())
    page.goto("/search?category=cat")
    link = page.locator(".card a").first
    address = link.get_attribute("href") or ""
    item, search, position = re.fullmatch(r"/items/([0-9a-f-]+)\?from=([0-9a-f-]+)\.(\d+)", address).groups()  # type: ignore[union-attr]
    assert (UUID(search).version, position) == (7, "1")
    page.clock.install()
    link.click()
    expect(page).to_have_url(re.compile(f"/items/{item}$"))  # the address that is passed on says nothing of it
    with page.expect_request(lambda request: request.url.endswith(f"/items/{item}/seen")) as told:
        page.clock.run_for(10_500)
    stayed: Request = told.value
    assert stayed.post_data == f"from={search}.{position}&seconds=10"
    answer = stayed.response()
    assert answer
    assert answer.status == 204
    act = {"search_id": search, "item_id": item, "action": "long_view", "position": 1, "seconds": 12}
    again = platform.user().http.post("/api/search/events", json=act)
    assert again.status_code == 204, again.text  # the page was this user's, and the place is right


def test_without_scripts_opening_a_result_still_shows_it(context: MakeContext) -> None:
    page = context(**DESKTOP, locale="en-US", java_script_enabled=False).new_page()
    page.goto("/search?category=cat")
    title = page.locator(".card .card-title").first.inner_text()
    page.locator(".card a").first.click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_home_shows_what_is_chosen_in_both_languages(context: MakeContext, platform: Platform) -> None:
    for locale, popular, own in (
        ("en-US", "Popular these days", "For you"),
        ("ja-JP", "いま人気", "あなたへのおすすめ"),
    ):
        page = context(**DESKTOP, locale=locale).new_page()
        page.goto("/")
        expect(page.get_by_role("heading", name=popular)).to_be_visible()
        sign_in(page, platform.account())
        expect(page.get_by_role("heading", name=own)).to_be_visible()
        expect(page.locator(".shelf .card").first).to_be_visible()
