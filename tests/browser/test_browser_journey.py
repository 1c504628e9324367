"""From signing in to finding one's own photo, in a real browser."""

import random
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, MakeContext, sign_in
from tests.platform import Platform, photo

PAGES = 20
ENGLISH = """Momo, Hana, Sora, Kuro, Tama, Luna, Coco, Milo, Leo, Bella
by the window, in the garden, on the sofa, under the tree, on the stairs, at the door, in a box, on the roof"""
JAPANESE = """朝, 昼, 夜, 今日, 日曜日, 春, 夏, 秋, 冬, 雨の日
窓辺, 庭, ソファ, 木の下, 階段, 玄関, 箱の中, 屋根, 縁側, 草むら"""


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    """A photo of a real cat that is in no platform yet."""
    file = tmp_path / "cat.jpg"
    file.write_bytes(photo("cat", time.time_ns() % 2**32))
    return file


def register(page: Page, picture: Path, title: str) -> None:
    """Register a photo and see it become searchable."""
    page.goto("/register")
    page.locator("#file").set_input_files(picture)
    expect(page.locator("img.preview")).to_be_visible()
    page.locator("#title").fill(title)
    page.locator("main form button.strong").click()
    page.wait_for_url(re.compile(r"/items/[0-9a-f-]+$"))
    expect(page.locator('#progress [data-state="published"][data-final="yes"]')).to_be_visible(timeout=20_000)


def cat_title(japanese: bool = False) -> str:
    """A title that people might write, and that few others have."""
    first, second = (JAPANESE if japanese else ENGLISH).splitlines()
    one, two = (random.choice(words.split(", ")) for words in (first, second))
    return f"{one}、うちのねこが{two}で寝ています" if japanese else f"My cat {one} {two}"


def test_a_photo_is_registered_judged_and_found(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    title = cat_title(japanese=True)
    register(page, cat, title)
    expect(page.locator("#progress")).to_contain_text("found by search after")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.goto("/search")
    page.get_by_label("Search items").fill("ねこ")
    page.get_by_label("Search items").press("Enter")
    page.wait_for_url("**/search?q=*")
    card, more = page.locator(".card", has_text=title).first, page.locator("#more a")
    for _ in range(PAGES):
        if card.count() or not more.count():
            break
        more.click()
        expect(page.locator(".htmx-request")).to_have_count(0)
    card.locator("a").first.click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_similar_pictures_are_found_from_an_item_and_from_a_file(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    first, second = f"{cat_title()} again", f"{cat_title()} today"
    register(page, cat, first)
    register(page, cat, second)
    page.get_by_role("link", name="More like this").click()
    expect(page.locator(".card", has_text=first).first).to_be_visible()
    page.goto("/search/similar")
    page.locator("#file").set_input_files(cat)
    page.get_by_role("button", name="Find similar").click()
    expect(page.locator(".card", has_text=second).first).to_be_visible()


def test_an_item_is_liked_without_leaving_the_page(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    register(page, cat, cat_title())
    page.get_by_role("button", name="Like", exact=False).click()
    expect(page.get_by_role("button", name="You like this")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_role("button", name="You like this")).to_be_visible()


def test_edit_and_withdraw(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    register(page, cat, cat_title())
    page.get_by_role("link", name="Edit").click()
    title = f"{cat_title()} in spring"
    page.locator("#title").fill(title)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator('#progress [data-final="yes"]')).to_be_visible(timeout=20_000)
    page.locator("details.confirm summary").click()
    page.get_by_role("button", name="Yes, withdraw it").click()
    page.wait_for_url("**/mine")
    expect(page.locator(".own", has_text=title).first).to_contain_text("Withdrawn")


def test_a_photo_is_dropped_onto_the_page(page: Page, platform: Platform, cat: Path) -> None:
    sign_in(page, platform.account())
    page.goto("/register")
    dropped = page.evaluate_handle(
        """bytes => { const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "cat.jpg", { type: "image/jpeg" })); return transfer; }""",
        list(cat.read_bytes()),
    )
    page.locator("[data-drop]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("img.preview")).to_be_visible()
    assert page.locator("#file").evaluate("input => input.files[0].name") == "cat.jpg"


def test_what_is_no_picture_is_said_before_it_is_sent(page: Page, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#file").set_input_files(tmp_path / "words.txt")
    expect(page.locator("#file-fault")).to_have_text("This file is no picture.")


def test_a_broken_picture_keeps_what_was_typed(page: Page, platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#file").set_input_files(tmp_path / "broken.jpg")
    page.locator("#title").fill("kept")
    page.locator("main form button.strong").click()
    expect(page.locator("#file-fault")).to_contain_text("This file is not a picture")
    expect(page.locator("#title")).to_have_value("kept")


def test_everything_works_without_a_script(context: MakeContext, platform: Platform, cat: Path) -> None:
    page = context(**DESKTOP, locale="en-US", java_script_enabled=False).new_page()
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#file").set_input_files(cat)
    title = cat_title()
    page.locator("#title").fill(title)
    page.locator("main form button.strong").click()
    page.wait_for_url(re.compile(r"/items/[0-9a-f-]+$"))
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_the_journey_on_a_phone_in_japanese(context: MakeContext, platform: Platform, cat: Path) -> None:
    page = context(**PHONE, locale="ja-JP", color_scheme="dark").new_page()
    sign_in(page, platform.account())
    page.goto("/register")
    expect(page.locator("input[capture=environment]")).to_have_count(1)
    expect(page.get_by_text("写真を撮る")).to_be_visible()
    register(page, cat, cat_title(japanese=True))
    expect(page.locator("#progress")).to_contain_text("検索できるようになりました")
