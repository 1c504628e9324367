"""Suggestions while somebody registers: they come with the photo, are taken by a click, and change nothing typed."""

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import DESKTOP, PHONE, MakeContext, sign_in
from tests.platform import Platform, photo

CATEGORY, TITLE, TAG = (f'[data-suggestions="{name}"]' for name in ("category", "title", "tag"))
REGISTERED = re.compile(r"/items/[0-9a-f-]+$")


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """A photo of a real cat that is in no platform yet."""
    file = tmp_path / "cat.jpg"
    file.write_bytes(photo("cat", time.time_ns() % 2**32))
    return file


def choose(page: Page, picture: Path) -> None:
    """Choose the photo and wait until it was looked at closely."""
    page.goto("/register")
    page.locator("#file").set_input_files(picture)
    expect(page.locator(f"{CATEGORY} button").first).to_be_visible(timeout=20_000)
    expect(page.locator(f'{CATEGORY} [data-model="image_screening"]').first).to_be_visible(timeout=20_000)


def test_suggestions_are_taken_by_click_and_the_photo_is_uploaded_once(
    page: Page, platform: Platform, cat: Path
) -> None:
    sign_in(page, platform.account())
    posts: dict[str, list[str]] = {}
    page.on("request", lambda asked: _note(posts, asked))
    choose(page, cat)
    page.locator(f'{CATEGORY} button[data-value="cat"]').click()
    expect(page.locator("#category")).to_have_value("cat")
    expect(page.locator(f'{CATEGORY} button[data-value="cat"]')).to_have_attribute("aria-pressed", "true")
    first = page.locator(f"{TITLE} button").first
    title = first.get_attribute("data-value") or ""
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_value(title)
    page.locator(f'{TAG} button[data-value="cat"]').click()
    expect(page.locator("#description")).to_have_value("#cat")
    page.locator("main form button.strong").click()
    page.wait_for_url(REGISTERED)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert len(posts["/register/picture"]) == 1
    (sent,) = posts["/register"]
    assert "cat.jpg" not in sent
    assert '"field":"category","value":"cat","model":"image_screening"' in sent


def test_what_was_typed_stays_and_is_finished_on_request(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#title").press_sequentially("Our kitt")
    page.locator(f'{TITLE} button[data-value="Our kitten"]').click()
    expect(page.locator("#title")).to_have_value("Our kitten")
    page.locator("#file").set_input_files(cat)
    expect(page.locator(f'{CATEGORY} button[data-value="cat"]')).to_be_visible(timeout=20_000)
    expect(page.locator("#title")).to_have_value("Our kitten")
    expect(page.locator("#category")).to_have_value("")


def test_the_form_works_when_no_suggestion_comes(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    page.route(re.compile(r"/register/(picture|refined|suggestions)$"), lambda route: route.fulfill(json={}))
    page.goto("/register")
    page.locator("#file").set_input_files(cat)
    page.locator("#title").fill("A quiet cat")
    expect(page.locator(f"{CATEGORY} button")).to_have_count(0)
    page.locator("main form button.strong").click()
    page.wait_for_url(REGISTERED)


def test_on_a_phone_in_japanese(context: MakeContext, platform: Platform, cat: Path) -> None:
    page = context(**PHONE, locale="ja-JP").new_page()
    sign_in(page, platform.account())
    choose(page, cat)
    chip = page.locator(f'{CATEGORY} button[data-value="cat"]')
    expect(chip).to_contain_text(re.compile(r"猫 \d+ %"))
    chip.tap()
    expect(page.locator("#category")).to_have_value("cat")
    box = page.locator(TITLE).bounding_box()
    assert box
    assert box["x"] + box["width"] <= page.viewport_size["width"]  # type: ignore[index]


def test_without_a_script_nothing_is_suggested_and_nothing_missing(
    context: MakeContext, platform: Platform, cat: Path
) -> None:
    page = context(**DESKTOP, locale="en-US", java_script_enabled=False).new_page()
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#file").set_input_files(cat)
    page.locator("#title").fill("A cat without a script")
    page.locator("main form button.strong").click()
    page.wait_for_url(REGISTERED)


def _note(posts: dict[str, list[str]], asked: Request) -> None:
    if asked.method == "POST":
        posts.setdefault(urlsplit(asked.url).path, []).append(
            (asked.post_data_buffer or b"").decode("utf-8", "replace")
        )
