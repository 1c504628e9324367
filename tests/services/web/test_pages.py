"""Every page comes, in both languages, whoever looks, and whatever rests."""

import re

import httpx
import pytest
from fastapi import Response

from services.chassis.service import Service
from services.web.status import described
from tests.conftest import MakeClient
from tests.services.web.conftest import SignIn, send
from tests.services.web.fakes import FakeServices, item

OPEN = ["/", "/search", "/search?q=cat", "/search?category=cat", "/search/similar", "/sign-in", "/sign-up", "/status"]
OPEN += ["/api/docs"]
OWN = ["/register", "/mine", "/mine?state=rejected", "/search/similar"]
OTHERS = {"identity", "items", "images", "texts", "search", "inference-sync", "second", "inference-async", "trainer"}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", OPEN)
async def test_open_pages_come_in_both_languages(browser: httpx.AsyncClient, path: str, language: str) -> None:
    answer = await browser.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert ("Calico" if language == "en" else "三毛") in answer.text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", OWN)
async def test_own_pages_come_in_both_languages(signed_in_as: SignIn, path: str, language: str) -> None:
    browser = await signed_in_as()
    answer = await browser.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("path", [*OPEN, "/register"])
async def test_pages_come_while_everything_rests(signed_in_as: SignIn, fakes: FakeServices, path: str) -> None:
    browser = await signed_in_as()
    fakes.dead = OTHERS | {"mlflow"}
    answer = await browser.get(path)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/mine", f"/items/{'0' * 8}-0000-4000-8000-{'0' * 12}"])
async def test_what_cannot_be_shown_says_that_a_part_rests(
    signed_in_as: SignIn, fakes: FakeServices, path: str
) -> None:
    browser = await signed_in_as()
    fakes.dead = {"items"}
    answer = await browser.get(path)
    assert answer.status_code == 503
    assert "A part of the platform is resting" in answer.text


async def test_home_shows_the_newest_with_more_to_come(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(*(item(f"item {number}") for number in range(30)))
    page = (await browser.get("/")).text
    assert page.partition('class="heading"')[2].count('class="card"') == 24
    assert 'href="/?cursor=24"' in page
    rest = await browser.get("/?cursor=24", headers={"HX-Request": "true"})
    assert rest.text.count('class="card"') == 6
    assert "<html" not in rest.text


async def test_home_without_categories_still_shows_items(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(item("still here"))
    fakes.slow = {"/api/search/categories"}
    page = (await browser.get("/")).text
    assert "still here" in page
    assert 'class="chips"' not in page


async def test_search_counts_what_it_found(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.add(item("black cat"), item("white dog"))
    page = (await browser.get("/search?q=cat")).text
    assert "black cat" in page
    assert "white dog" not in page
    assert "1 shown for “cat”" in page


@pytest.mark.parametrize(
    ("relaxed", "language", "told"),
    [
        ("similar", "en", "Also searched for: feline, kitten"),
        ("similar", "ja", "次の言葉でも検索しました：feline、kitten"),
        ("respelt", "en", "Searched for: feline, kitten"),
    ],
)
async def test_a_search_says_what_it_looked_for_instead(
    browser: httpx.AsyncClient, fakes: FakeServices, relaxed: str, language: str, told: str
) -> None:
    fakes.add(item("meow"))
    assert 'id="also"' not in (await browser.get("/search?q=meow")).text
    fakes.widened = {"relaxed": relaxed, "also": ["feline", "kitten"]}
    page = (await browser.get("/search?q=meow", headers={"accept-language": language})).text
    assert told in page
    assert "Little fits exactly" not in page


async def test_similar_pictures_are_found_by_upload(signed_in_as: SignIn, fakes: FakeServices) -> None:
    fakes.add(item("alike"))
    browser = await signed_in_as()
    good = await send(browser, "/search/similar", {}, {"file": ("a.jpg", b"\xff\xd8\xff", "image/jpeg")})
    assert "alike" in good.text
    bad = await send(browser, "/search/similar", {}, {"file": ("a.txt", b"words", "text/plain")})
    assert bad.status_code == 422
    assert 'id="file-fault"' in bad.text


async def test_similar_pictures_need_a_session(browser: httpx.AsyncClient) -> None:
    assert "Sign in to search with a picture" in (await browser.get("/search/similar")).text
    answer = await send(browser, "/search/similar", {}, {"file": ("a.jpg", b"\xff\xd8\xff", "image/jpeg")})
    assert answer.headers["location"].startswith("/sign-in")


async def test_an_item_is_shown_to_everybody(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    shown, other = item("a cat", description="two\nlines"), item("another")
    fakes.add(shown, other)
    page = (await browser.get(f"/items/{shown['id']}")).text
    assert "two\nlines" in page
    assert "another" in page
    assert "image_screening" not in page
    assert f"/items/{shown['id']}/edit" not in page


async def test_its_owner_sees_who_judged_it(signed_in_as: SignIn, fakes: FakeServices) -> None:
    shown = item("a cat")
    fakes.add(shown)
    page = (await (await signed_in_as("mike")).get(f"/items/{shown['id']}")).text
    assert "image_screening" in page
    assert "version 3" in page
    assert "default answer" in page
    assert f"/items/{shown['id']}/edit" in page


async def test_unpublished_items_are_nobody_elses(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    hidden = item("nobody else sees this", "screening")
    fakes.add(hidden)
    answer = await browser.get(f"/items/{hidden['id']}")
    assert answer.status_code == 404
    assert "nobody else" not in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/items/not-an-id", "/static/none.js", "/pictures/x/large"])
async def test_unknown_pages_say_so(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, headers={"accept-language": "ja"})
    assert answer.status_code == 404
    assert "見つかりません" in answer.text


async def test_an_unexpected_failure_is_a_page_too(client: MakeClient, web: Service) -> None:
    @web.app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    answer = await client(web).get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "secret detail" not in answer.text


async def test_my_items_tell_why_they_were_rejected(signed_in_as: SignIn, fakes: FakeServices) -> None:
    reasons = [
        {"kind": "picture", "label": "banner", "score": 0.97, "by": "image_screening"},
        {"kind": "moderator", "label": "not here <b>please</b>", "score": None, "by": "tama"},
    ]
    fakes.add(item("buy", "rejected", reasons=reasons))
    browser = await signed_in_as("mike")
    english = (await browser.get("/mine")).text
    assert "The picture looks like this: advertising banner." in english
    assert "97 %" in english
    assert "not here &lt;b&gt;please" in english
    japanese = (await browser.get("/mine", headers={"accept-language": "ja"})).text
    assert "画像がこのように見えます: 広告バナー" in japanese


async def test_the_queue_is_for_moderators(signed_in_as: SignIn, fakes: FakeServices) -> None:
    waiting = item("what is it", "needs_review")
    fakes.add(waiting)
    assert (await (await signed_in_as("mike")).get("/review")).status_code == 403
    moderator = await signed_in_as("tama")
    assert "what is it" in (await moderator.get("/review")).text
    refused = await send(moderator, f"/review/{waiting['id']}", {"decision": "reject", "reason": " "})
    assert refused.status_code == 422
    assert "Give a reason" in refused.text
    done = await send(moderator, f"/review/{waiting['id']}", {"decision": "publish", "revision": "1"})
    assert done.headers["location"] == "/review"
    assert fakes.items[waiting["id"]]["state"] == "published"


async def test_the_status_page_shows_the_dead_and_the_makers(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.dead = {"search", "second"}
    page = (await browser.get("/status")).text
    assert re.search(r"<code>search</code>.*does not answer", page)
    assert re.search(r"<code>inference-sync 1</code>.*ready", page)
    assert re.search(r"<code>inference-sync 2</code>.*does not answer", page)
    assert re.search(r"<code>texts</code>.*not ready.*dictionary: loading", page)
    for shown in ("4772b46d7f", "Mika &lt;mika@example.org&gt;", "0.772", "uncommitted sources", "no champion yet"):
        assert shown in page
    assert "0.40 s" in page
    assert "1.20 s" in page
    assert "out of memory" in page
    assert re.search(r"for_you</th><td><span class=.badge warn.>waits for data</span>.*3 of 20 visitors", page)
    assert len(re.findall(r"badge good.>succeeded", page)) == 1


async def test_operators_see_alerts_and_releases(signed_in_as: SignIn, fakes: FakeServices) -> None:
    operator = await signed_in_as("kuro")
    page = (await operator.get("/status")).text
    assert re.search(r"firing</span> <b>ServiceDown</b>.*4 min.*texts is &lt;down&gt;", page)
    assert re.search(r"over</span> <b>ModelRefused</b>", page)
    assert re.search(r"release</span>.*image_quick: version 4 is the champion, instead of 3", page)
    assert re.search(r"training</span>.*Training succeeded", page)
    japanese = (await operator.get("/status", headers={"accept-language": "ja"})).text
    assert "発生中" in japanese
    assert "リリースと学習" in japanese
    fakes.dead = {"monitoring"}
    assert (await operator.get("/status")).text.count("monitoring service does not answer") == 2


async def test_others_do_not_see_alerts(browser: httpx.AsyncClient, signed_in_as: SignIn) -> None:
    for visitor in (browser, await signed_in_as("mike"), await signed_in_as("tama")):
        page = (await visitor.get("/status")).text
        assert "ServiceDown" not in page
        assert "Releases and training" not in page


async def test_another_replica_answers_when_one_is_away(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.dead = {"inference-sync"}
    assert "4772b46d7f" in (await browser.get("/status")).text


async def test_the_same_reason_is_given_once(signed_in_as: SignIn, fakes: FakeServices) -> None:
    reason = {"kind": "default", "label": "default", "score": None}
    both = [reason | {"by": "image_screening"}, reason | {"by": "image_quick"}]
    fakes.add(item("twice", "needs_review", reasons=both))
    page = (await (await signed_in_as("mike")).get("/mine")).text
    assert page.count("A model did not answer") == 1


async def test_what_a_default_guessed_is_no_category(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    guessed = item("guessed")
    guessed["screening"]["models"]["image_screening"]["served_by"] = "default"
    guessed["screening"]["tags"] = []
    fakes.add(guessed)
    assert "/search?category=" not in (await browser.get(f"/items/{guessed['id']}")).text


async def test_asking_for_the_head_of_a_page_works(browser: httpx.AsyncClient) -> None:
    assert (await browser.head("/")).status_code == 200


def test_the_metrics_people_know_come_first() -> None:
    numbers = {f"other_{n}": 0.1 for n in range(9)} | {"gold_auc": 0.9, "category_accuracy": 0.8, "note": "words"}
    metrics = described({"name": "m", "lineage": {"metrics": numbers}})["metrics"]
    assert list(metrics)[:2] == ["gold_auc", "category_accuracy"]
    assert len(metrics) == 6


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_an_item_comes_when_nobody_can_tell_how_large_its_picture_is(
    browser: httpx.AsyncClient, fakes: FakeServices, language: str
) -> None:
    shown = item("small or not")
    fakes.add(shown)
    fakes.dead = {"images"}
    answer = await browser.get(f"/items/{shown['id']}", headers={"accept-language": language})
    assert answer.status_code == 200
    assert "/enlarged" not in answer.text


@pytest.mark.parametrize(("by", "said"), [("super_resolution/7", "version 7"), ("bicubic", "bicubic")])
async def test_a_small_picture_is_shown_plain_and_enlarged(
    browser: httpx.AsyncClient, fakes: FakeServices, by: str, said: str
) -> None:
    shown = item("tiny")
    fakes.add(shown)
    path = f"/api/images/{shown['image_id']}"
    about = {"id": shown["image_id"], "width": 120, "height": 90, "urls": {"enlarged": f"{path}/enlarged"}}
    fakes.app.get(path)(lambda: about)
    fakes.app.get(f"{path}/enlarged")(lambda: Response(b"png", headers={"X-Enlarged-By": by}))
    fakes.app.router.routes[:] = fakes.app.router.routes[-2:] + fakes.app.router.routes[:-2]
    assert f'href="/items/{shown["id"]}/enlarged"' in (await browser.get(f"/items/{shown['id']}")).text
    page = (await browser.get(f"/items/{shown['id']}/enlarged")).text
    assert f'src="/pictures/{shown["image_id"]}/original" width="240" height="180"' in page
    assert f'src="/pictures/{shown["image_id"]}/enlarged"' in page
    assert said in page
