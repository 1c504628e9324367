"""What people write stays text, and browsers are told to run nothing but ours."""

import re
from pathlib import Path

import httpx
import pytest

from services.web import pages
from tests.services.web.conftest import SignIn
from tests.services.web.fakes import OTHER, FakeServices, item

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "{0.__class__}",
    "</title><svg onload=alert(1)>",
]
FORBIDDEN = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src=)|\|\s*safe|hx-on")
TEMPLATES = Path(pages.__file__).parent / "templates"


@pytest.mark.parametrize("attack", ATTACKS)
async def test_titles_and_descriptions_are_escaped_everywhere(
    signed_in_as: SignIn, fakes: FakeServices, attack: str
) -> None:
    reasons = [{"kind": "moderator", "label": attack, "score": None, "by": attack}]
    shown = item(attack, description=attack, owner_name=attack)
    fakes.add(shown, item(attack, "needs_review", reasons=reasons, owner=OTHER, description=attack))
    browser = await signed_in_as("tama")
    for path in ("/", "/search", f"/items/{shown['id']}", "/mine", "/review", f"/search/similar?item={shown['id']}"):
        text = (await browser.get(path)).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
        assert "' onmouseover='alert" not in text
        assert ">49<" not in text


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_query_is_escaped(browser: httpx.AsyncClient, attack: str) -> None:
    answer = await browser.get("/search", params={"q": attack, "category": attack})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "' onmouseover='alert" not in answer.text


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/app.css", "/pictures/0", "/api/docs", "/health/live"])
async def test_every_answer_says_what_may_run(browser: httpx.AsyncClient, path: str) -> None:
    headers = (await browser.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_templates_need_nothing_that_the_policy_forbids() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src=)|\|\s*safe|hx-on", text), (
            template
        )
        assert "//" not in re.sub(r"\{#.*?#\}", "", text), template


async def test_pages_load_nothing_from_elsewhere(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(item("a cat"))
    page = (await browser.get("/")).text
    targets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [target for target in targets if not target.startswith(("/", "#"))] == []


async def test_forms_carry_the_token(signed_in_as: SignIn, fakes: FakeServices) -> None:
    own = item("mine")
    fakes.add(own, item("queue", "needs_review", owner=OTHER))
    browser = await signed_in_as("tama")
    for path in ("/", "/register", "/review", "/search/similar", f"/items/{own['id']}", "/sign-in", "/sign-up"):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', (await browser.get(path)).text, re.DOTALL):
            assert 'name="csrf"' in form


async def test_pages_are_kept_by_nobody(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/")).headers["cache-control"] == "no-store"


async def test_static_files_are_kept_for_as_long_as_they_stay(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    (address,) = re.findall(r'href="(/static/app\.css\?v=[0-9a-f]+)"', page)
    answer = await browser.get(address)
    assert "immutable" in answer.headers["cache-control"]
    again = await browser.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await browser.get("/static/htmx.js")).headers["content-type"].startswith("text/javascript")


async def test_every_page_has_the_marks_that_readers_need(signed_in_as: SignIn, fakes: FakeServices) -> None:
    own = item("mine", "screening")
    fakes.add(own)
    browser = await signed_in_as("mike")
    for path in ("/", "/search", "/register", "/mine", "/status", "/api/docs", f"/items/{own['id']}"):
        page = (await browser.get(path)).text
        assert page.count("<h1") == 1, path
        assert '<a class="skip" href="#content">' in page
        assert '<main id="content"' in page
        for identity in re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*\sid="([^"]+)"', page):
            assert f'for="{identity}"' in page, (path, identity)
        identities = re.findall(r'\sid="([^"]+)"', page)
        assert len(identities) == len(set(identities)), path
    assert 'id="progress" aria-live="polite"' in page
