"""Accounts, registering, editing, liking: what is sent is ours, and what is refused is said next to the field."""

import httpx
import pytest

from tests import tokens
from tests.services.web.conftest import SignIn, csrf, send
from tests.services.web.fakes import GOOD_PICTURE, OTHER, PASSWORD, FakeServices, item

PICTURE = {"file": ("cat.jpg", GOOD_PICTURE, "image/jpeg")}
POSTS = ["/sign-in", "/sign-up", "/sign-out", "/preferences", "/search/similar", "/register"]
POSTS += [f"/items/{'0' * 8}-0000-4000-8000-{'0' * 12}/{what}" for what in ("edit", "withdraw", "like")]
POSTS += [f"/review{what.format('0' * 8 + '-0000-4000-8000-' + '0' * 12)}" for what in ("/{}", "/decisions/{}/undo")]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("given", [None, "", "wrong", "ほか"])
async def test_forms_that_are_not_ours_are_refused(
    signed_in_as: SignIn, fakes: FakeServices, path: str, given: str | None
) -> None:
    browser = await signed_in_as("tama")
    fakes.asked.clear()
    answer = await browser.post(path, data={} if given is None else {"csrf": given})
    assert answer.status_code == 419
    assert "This page was old" in answer.text
    assert fakes.asked == []


async def test_a_token_is_good_for_its_own_visitor_only(signed_in_as: SignIn, browser: httpx.AsyncClient) -> None:
    somebody = await signed_in_as("mike")
    other = await csrf(browser)
    answer = await somebody.post("/sign-out", data={"csrf": other})
    assert answer.status_code == 419


async def test_no_cookie_means_no_token_fits(browser: httpx.AsyncClient) -> None:
    token = await csrf(browser)
    browser.cookies.clear()
    assert (await browser.post("/preferences", data={"csrf": token})).status_code == 419


async def test_htmx_sends_the_token_in_a_header(signed_in_as: SignIn, fakes: FakeServices) -> None:
    liked = item("liked")
    fakes.add(liked)
    browser = await signed_in_as()
    headers = {"HX-Request": "true", "X-CSRF-Token": await csrf(browser)}
    answer = await browser.post(f"/items/{liked['id']}/like", data={"like": "yes"}, headers=headers)
    assert answer.status_code == 200
    assert 'aria-pressed="true"' in answer.text
    assert "<html" not in answer.text
    assert fakes.items[liked["id"]]["likes"] == 8


async def test_liking_works_without_a_script(signed_in_as: SignIn, fakes: FakeServices) -> None:
    liked = item("liked", liked=True)
    fakes.add(liked)
    answer = await send(await signed_in_as(), f"/items/{liked['id']}/like", {"like": "no"})
    assert answer.headers["location"] == f"/items/{liked['id']}"
    assert fakes.items[liked["id"]]["liked"] is False


async def test_signing_in_sets_a_guarded_cookie(browser: httpx.AsyncClient) -> None:
    answer = await send(browser, "/sign-in", {"name": "mike", "password": PASSWORD, "next": "/mine"})
    cookie = answer.headers["set-cookie"]
    assert answer.headers["location"] == "/mine"
    assert "session=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_for_https_only(browser: httpx.AsyncClient) -> None:
    form = {"name": "mike", "password": PASSWORD, "csrf": await csrf(browser)}
    answer = await browser.post("/sign-in", data=form, headers={"x-forwarded-proto": "https"})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "script:x", "/\n/x"])
async def test_nobody_is_sent_elsewhere(browser: httpx.AsyncClient, target: str) -> None:
    answer = await send(browser, "/sign-in", {"name": "mike", "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


async def test_a_wrong_password_keeps_the_name(browser: httpx.AsyncClient) -> None:
    answer = await send(browser, "/sign-in", {"name": "mi<ke", "password": "wrong"})
    assert answer.status_code == 422
    assert "Name and password do not match." in answer.text
    assert 'value="mi&lt;ke"' in answer.text
    assert "wrong" not in answer.text


async def test_signing_up_signs_in(browser: httpx.AsyncClient) -> None:
    answer = await send(browser, "/sign-up", {"name": "new", "password": PASSWORD})
    assert answer.status_code == 303
    assert "Signed in as new" in (await browser.get("/")).text


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"name": "mike", "password": PASSWORD}, "Somebody has this name already"),
        ({"name": "new", "password": "short"}, "Use 8 to 128 characters."),
    ],
)
async def test_sign_up_says_which_field_is_wrong(browser: httpx.AsyncClient, form: dict[str, str], fault: str) -> None:
    answer = await send(browser, "/sign-up", form)
    assert answer.status_code == 422
    assert fault in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_signing_out_ends_the_session(signed_in_as: SignIn) -> None:
    browser = await signed_in_as()
    await send(browser, "/sign-out", {})
    assert "session" not in browser.cookies
    assert (await browser.get("/mine")).headers["location"] == "/sign-in?next=%2Fmine"


@pytest.mark.parametrize("session", ["nonsense", tokens.token(expires_in=-10), tokens.token() + "x"])
async def test_a_session_that_is_over_counts_as_none(browser: httpx.AsyncClient, session: str) -> None:
    browser.cookies.set("session", session)
    answer = await browser.get("/")
    assert answer.status_code == 200
    assert "/sign-in" in answer.text
    assert 'session=""; ' in ", ".join(answer.headers.get_list("set-cookie"))


async def test_own_pages_lead_to_sign_in_and_back(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/mine?state=rejected")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fmine%3Fstate%3Drejected"


async def test_preferences_are_kept(browser: httpx.AsyncClient) -> None:
    answer = await send(browser, "/preferences", {"language": "ja", "theme": "dark", "next": "/status"})
    assert answer.headers["location"] == "/status"
    page = (await browser.get("/")).text
    assert '<html lang="ja" data-theme="dark">' in page


async def test_unknown_preferences_are_not_kept(browser: httpx.AsyncClient) -> None:
    answer = await send(browser, "/preferences", {"language": '"><script>', "theme": "blue"})
    assert "set-cookie" not in answer.headers


async def test_registering_sends_the_picture_and_the_words(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    form = {"title": "うちの猫", "description": "a\nb", "category": "", "key": "k1"}
    answer = await send(browser, "/register", form, PICTURE)
    (made,) = fakes.items.values()
    assert answer.headers["location"] == f"/items/{made['id']}"
    assert (made["title"], made["category"]) == ("うちの猫", None)
    assert fakes.pictures[made["image_id"]] == GOOD_PICTURE


async def test_sending_twice_registers_once(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    for _ in range(2):
        await send(browser, "/register", {"title": "once", "description": "", "category": "", "key": "k1"}, PICTURE)
    assert len(fakes.items) == 1


async def test_a_refused_title_keeps_picture_and_words(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    form = {"title": " ", "description": "kept </textarea><script>", "category": "cat", "key": "k1"}
    answer = await send(browser, "/register", form, PICTURE)
    (image_id,) = fakes.pictures
    assert answer.status_code == 422
    assert 'id="title-fault"' in answer.text
    assert f'name="image_id" value="{image_id}"' in answer.text
    assert "kept &lt;/textarea&gt;" in answer.text
    assert '<option value="cat" selected>' in answer.text
    again = await send(browser, "/register", form | {"title": "now", "image_id": image_id})
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("files", "fault"),
    [(None, "Choose a photo."), ({"file": ("a.txt", b"words", "text/plain")}, "This file is not a picture")],
)
async def test_what_is_no_picture_is_said_at_the_picture(
    signed_in_as: SignIn, files: dict[str, tuple[str, bytes, str]] | None, fault: str
) -> None:
    answer = await send(await signed_in_as(), "/register", {"title": "t", "key": "k"}, files)
    assert answer.status_code == 422
    assert f'id="file-fault" role="alert">{fault}' in answer.text
    assert 'value="t"' in answer.text


async def test_a_picture_that_is_too_large_is_refused_here(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    large = {"file": ("cat.jpg", GOOD_PICTURE + bytes(12_000_000), "image/jpeg")}
    answer = await send(browser, "/register", {"title": "t", "key": "k"}, large)
    assert "The picture is too large." in answer.text
    assert fakes.pictures == {}


async def test_a_form_that_is_far_too_large_gets_a_page(signed_in_as: SignIn) -> None:
    browser = await signed_in_as()
    huge = {"file": ("cat.jpg", bytes(14_000_000), "image/jpeg")}
    answer = await browser.post("/register", data={}, files=huge)
    assert answer.status_code == 413
    assert "The file is larger than what is taken." in answer.text


async def test_nothing_is_lost_when_items_rest(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    fakes.dead = {"items"}
    answer = await send(browser, "/register", {"title": "t", "key": "k"}, PICTURE)
    assert answer.status_code == 503


async def test_editing_is_for_the_owner(signed_in_as: SignIn, fakes: FakeServices) -> None:
    own, others = item("mine"), item("theirs", owner=OTHER)
    fakes.add(own, others)
    browser = await signed_in_as("mike")
    assert (await browser.get(f"/items/{others['id']}/edit")).status_code == 403
    assert 'value="mine"' in (await browser.get(f"/items/{own['id']}/edit")).text
    bad = await send(browser, f"/items/{own['id']}/edit", {"title": " ", "image_id": own["image_id"]})
    assert bad.status_code == 422
    good = await send(browser, f"/items/{own['id']}/edit", {"title": "better", "category": "dog"})
    assert good.headers["location"] == f"/items/{own['id']}"
    assert (fakes.items[own["id"]]["title"], fakes.items[own["id"]]["category"]) == ("better", "dog")


async def test_withdrawing(signed_in_as: SignIn, fakes: FakeServices) -> None:
    own = item("mine")
    fakes.add(own)
    answer = await send(await signed_in_as("mike"), f"/items/{own['id']}/withdraw", {})
    assert answer.headers["location"] == "/mine"
    assert fakes.items[own["id"]]["state"] == "withdrawn"
