"""The moderator's portal: the queue, why, two at once, taking back."""

import re
from typing import Any

import pytest

from tests.services.web.conftest import SignIn, send
from tests.services.web.fakes import FakeServices, item

WHY: list[dict[str, Any]] = [
    {"kind": "picture", "label": "weapon", "score": 0.4812, "by": "image_screening", "threshold": 0.3},
    {
        "kind": "category", "label": "cat", "score": 0.41, "by": "image_screening", "threshold": 0.0067,
        "margin": 0.0051, "next_to": "dog",
    },
    {
        "kind": "denied", "label": "gorilla", "score": 0.3, "by": "image_screening", "threshold": 0.5,
        "margin": 0.4, "next_to": "human",
    },
    {"kind": "default", "label": "timeout", "score": None, "by": "text_violation"},
]  # fmt: skip


def doubtful(title: str = "what is it", **more: Any) -> dict[str, Any]:
    return item(title, "needs_review", reasons=WHY, withheld=["gorilla"], **more)


async def test_every_reason_is_told_with_what_led_to_it(signed_in_as: SignIn, fakes: FakeServices) -> None:
    shown = doubtful()
    box = {"left": 0.1, "top": 0.2, "right": 0.5, "bottom": 0.6, "score": 0.9}
    shown["screening"]["attributes"] = {"objects": [box], "count": 1, "where": [], "brightness": "dark", "place": None}
    fakes.add(shown)
    moderator = await signed_in_as("tama")
    english = (await moderator.get("/review")).text
    assert "Waiting: 1" in english
    assert re.search(r"looks like this: weapon\.\s*<small>Sure to 48\.1 %\. Counts from 30\.0 % on\.", english)
    assert re.search(r"only 0\.5 % ahead of dog\. Below 0\.7 % a moderator looks\.", english)
    assert re.search(r"The word: gorilla\. Nobody else sees it\. Sure to 30\.0 %\. It is 40\.0 % behind", english)
    assert re.search(r"did not answer.*\s*<small>timeout</small>\s*<code>text_violation</code>", english)
    assert re.search(r'<rect x="0\.1" y="0\.2" width="0\.4" height="0\.3', english)
    assert re.search(r'<option value="weapon" selected>weapon</option>', english)
    japanese = (await moderator.get("/review", headers={"accept-language": "ja"})).text
    assert re.search(r"武器\s*<small>確信度 48\.1 %。 30\.0 % 以上が対象です。", japanese)
    assert "候補の言葉: gorilla" in japanese
    assert "審査待ち 1 件" in japanese


async def test_the_queue_comes_in_pages(signed_in_as: SignIn, fakes: FakeServices) -> None:
    fakes.add(*(item(f"number {n:02}", "needs_review") for n in range(12)))
    moderator = await signed_in_as("tama")
    first = (await moderator.get("/review")).text
    assert "Waiting: 12" in first
    assert (first.count("data-case"), "number 09" in first, "number 10" in first) == (10, True, False)
    address = re.search(r'href="(/review\?after=[^"]+)"', first)
    assert address
    second = (await moderator.get(address[1])).text
    assert (second.count("data-case"), "number 11" in second) == (2, True)
    assert "To the front of the queue" in second


async def test_a_rejection_names_the_violation(signed_in_as: SignIn, fakes: FakeServices) -> None:
    waiting = doubtful()
    fakes.add(waiting)
    moderator = await signed_in_as("tama")
    form = {"decision": "reject", "label": "weapon", "reason": "", "revision": "1", "sequence": "3"}
    assert (await send(moderator, f"/review/{waiting['id']}", form)).headers["location"] == "/review"
    (made,) = fakes.decisions
    assert (made["decision"], made["label"]) == ("reject", "weapon")
    assert (fakes.bodies[-1]["revision"], fakes.bodies[-1]["sequence"]) == ("1", "3")
    page = (await moderator.get("/review")).text
    assert "tama has rejected “what is it”." in page
    assert re.search(r'class="badge bad">rejected</span>\s*<span>weapon</span>', page)


async def test_publishing_sends_no_violation_and_shows_labels_only_when_asked(
    signed_in_as: SignIn, fakes: FakeServices
) -> None:
    moderator = await signed_in_as("tama")
    for more, wanted in (({}, None), ({"show_labels": "yes"}, True)):
        waiting = doubtful()
        fakes.add(waiting)
        assert "Show these words of the models with it: gorilla" in (await moderator.get("/review")).text
        await send(moderator, f"/review/{waiting['id']}", {"decision": "publish", "label": "weapon"} | more)
        assert fakes.decisions[-1]["label"] is None
        assert fakes.bodies[-1].get("show_labels") is wanted


async def test_the_second_moderator_is_told(signed_in_as: SignIn, fakes: FakeServices) -> None:
    decided, other = item("decided", "published"), doubtful("another one")
    fakes.add(decided, other)
    moderator = await signed_in_as("tama")
    late = await send(moderator, f"/review/{decided['id']}", {"decision": "reject", "label": "spam"})
    assert late.status_code == 409
    assert re.search(r'role="alert"[^>]*>Nothing was changed: somebody was faster.*kuro has decided', late.text)
    assert "another one" in late.text
    assert fakes.items[decided["id"]]["state"] == "published"


async def test_a_decision_is_taken_back_once(signed_in_as: SignIn, fakes: FakeServices) -> None:
    waiting = doubtful()
    fakes.add(waiting)
    moderator = await signed_in_as("tama")
    await send(moderator, f"/review/{waiting['id']}", {"decision": "publish", "reason": "a toy"})
    page = (await moderator.get("/review")).text
    assert "Take back the decision about “what is it”" in page
    address = f"/review/decisions/{fakes.decisions[0]['id']}/undo"
    assert (await send(moderator, address, {})).headers["location"] == "/review"
    again = await send(moderator, address, {})
    assert again.status_code == 409
    assert "This can no longer be taken back. (tama has taken it back already.)" in again.text
    assert "taken back by tama" in again.text
    assert fakes.items[waiting["id"]]["state"] == "needs_review"


@pytest.mark.parametrize("name", ["mike", None])
async def test_nobody_else_decides_or_takes_back(signed_in_as: SignIn, fakes: FakeServices, name: str | None) -> None:
    waiting = doubtful()
    fakes.add(waiting)
    browser = await signed_in_as(name) if name else await signed_in_as("mike")
    if name is None:
        browser.cookies.delete("session")
    for path in (f"/review/{waiting['id']}", f"/review/decisions/{waiting['id']}/undo"):
        answer = await send(browser, path, {"decision": "publish"})
        assert answer.status_code == (403 if name else 303)
    assert (fakes.items[waiting["id"]]["state"], fakes.decisions) == ("needs_review", [])


async def test_what_is_withheld_has_no_words_for_its_owner(signed_in_as: SignIn, fakes: FakeServices) -> None:
    hidden = {"kind": "category", "label": "", "score": 0.3, "by": "image_screening", "margin": 0.1, "next_to": None}
    mine = item("mine", "needs_review", reasons=[hidden, {**hidden, "kind": "denied"}])
    mine["screening"]["category"] |= {"label": "", "score": 0.0, "top": []}
    fakes.add(mine)
    page = (await (await signed_in_as("mike")).get(f"/items/{mine['id']}")).text
    assert page.count("A word came up that no model may say by itself") == 1
    assert "best guess" not in page
