"""The pictures of the README, taken from a running platform: `scripts/screenshots` writes docs/pictures.

Needs Debian's chromium, and items: the newest cat is shown (register a photo of one before). Nothing is changed.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.runner.site import ROOT, site

OUT = ROOT / "docs" / "pictures"
LOCALES = {"en": "en-US", "ja": "ja-JP"}
DESKTOP = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "color_scheme": "dark"}
MOST_BYTES = 250_000
COLOURS = (256, 192, 128, 96, 64, 48, 32)
EXAMPLE = "ねこ"
TITLES = {"en": "Our cat at the window", "ja": "窓辺のねこ"}


class NothingToShow(Exception):
    """The platform has no item with a cat."""


@dataclass(frozen=True)
class Platform:
    """Where it is, and who signs in."""

    url: str
    accounts: Sequence[dict[str, Any]]

    def account(self, role: str) -> dict[str, Any]:
        """The first account whose last role is that one."""
        return next(account for account in self.accounts if account["roles"][-1] == role)


def main(arguments: Sequence[str]) -> int:
    """Take every picture."""
    here = site()
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--platform", default=here.address)
    parser.add_argument("--accounts", type=Path, default=here.volume("keys-accounts") / "accounts.json")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    platform = Platform(given.platform.rstrip("/"), json.loads(given.accounts.read_text()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        for name, picture in pictures(browser, platform):
            content = small(picture)
            (given.out / f"{name}.png").write_bytes(content)
            print(f"{name}.png {len(content) // 1000} kB", flush=True)
        browser.close()
    return 0


def pictures(browser: Browser, platform: Platform) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of every picture."""
    for language in LOCALES:
        with visitor(browser, platform, language, "user") as page:
            yield f"home-{language}", shot(page, "/")
            yield f"register-{language}", registering(page, language)
        with visitor(browser, platform, language, "moderator") as page:
            yield f"item-{language}", item(page)
        with visitor(browser, platform, language, "operator") as page:
            yield f"status-{language}", status(page)
    with visitor(browser, platform, "ja", "user", **PHONE) as page:
        yield "phone-dark", shot(page, f"/search?q={EXAMPLE}")


@contextmanager
def visitor(browser: Browser, platform: Platform, language: str, role: str, **device: Any) -> Iterator[Page]:
    """A page of somebody who has signed in."""
    context = browser.new_context(
        base_url=platform.url, locale=LOCALES[language], reduced_motion="reduce", **(device or DESKTOP)
    )
    page = context.new_page()
    account = platform.account(role)
    page.goto("/sign-in")
    page.locator("#name").fill(account["name"])
    page.locator("#password").fill(account["password"])
    page.locator("main form button.strong").click()
    page.wait_for_url("**/")
    yield page
    context.close()


def shot(page: Page, path: str) -> bytes:
    """What is seen of a page when all of its pictures are there."""
    page.goto(path, wait_until="networkidle")
    return page.screenshot()


def status(page: Page) -> bytes:
    """The platform; who trained the models here is nobody's business."""
    page.goto("/status", wait_until="networkidle")
    page.locator("dl.pairs dd:nth-of-type(3)").evaluate_all("cells => cells.forEach(cell => cell.textContent = 'mike')")
    return page.screenshot()


def item(page: Page) -> bytes:
    """An item; what is found in its picture is framed."""
    page.goto(newest_cat(page), wait_until="networkidle")
    page.locator("#show-boxes").check()
    return page.screenshot()


def registering(page: Page, language: str) -> bytes:
    """The form, filled in and not sent, with what both models suggest."""
    page.goto("/register")
    page.locator("#file").set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": cat()})
    page.locator("#title").fill(TITLES[language])
    page.locator("img.preview").wait_for()
    page.locator('[data-model="image_screening"]').first.wait_for()
    return page.screenshot()


def cat() -> bytes:
    """A photo of a real cat."""
    return (files("skimage") / "data" / "chelsea.png").read_bytes()


def newest_cat(page: Page) -> str:
    """The path of an item; raises NothingToShow."""
    results = page.request.get("/api/search", params={"category": "cat", "limit": 1}).json()["results"]
    if not results:
        raise NothingToShow("there is no cat: register some items first")
    return f"/items/{results[0]['item_id']}"


def small(png: bytes) -> bytes:
    """The picture with as many colours as fit into the limit of a picture."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        out = io.BytesIO()
        picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
