"""The operator's console: models side by side, and next week's demand. Nobody else sees it; nothing in it stops it."""

import re
from datetime import date, timedelta

import httpx
import pytest

from services.web.plots import Week, nice, plotted
from tests.services.web.conftest import SignIn
from tests.services.web.console_fakes import MONDAY, PICTURE, Console, demand
from tests.services.web.fakes import FakeServices

PAGES = ["/models", "/demand", "/demand?series=searches&weeks=13"]


@pytest.fixture(autouse=True)
def console(fakes: FakeServices) -> Console:
    return Console(fakes.app)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", PAGES)
async def test_operators_see_the_console_in_both_languages(signed_in_as: SignIn, path: str, language: str) -> None:
    answer = await (await signed_in_as("kuro")).get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/models/image_quick/2/confusion.png"])
async def test_nobody_else_does(browser: httpx.AsyncClient, signed_in_as: SignIn, path: str) -> None:
    assert (await browser.get(path)).status_code == 303
    for name in ("mike", "tama"):
        assert (await (await signed_in_as(name)).get(path)).status_code == 403


@pytest.mark.parametrize("path", PAGES)
async def test_the_console_comes_while_everything_rests(signed_in_as: SignIn, fakes: FakeServices, path: str) -> None:
    operator = await signed_in_as("kuro")
    fakes.dead = {"mlflow", "trainer", "inference-batch", "warehouse"}
    answer = await operator.get(path)
    assert answer.status_code == 200
    assert "answer right now" in answer.text


async def test_a_version_shows_its_figures_before_and_in_use(signed_in_as: SignIn) -> None:
    page = (await (await signed_in_as("kuro")).get("/models")).text
    assert "A &lt;first&gt; look" in page
    newest, older = page.index("Version 2"), page.index("Version 1")
    assert newest < older
    judged = ("31", "suspected wrongly", "of these missed")
    used = ("4321", "2.0 ms", "987", "12.3 %", "10.1 – 14.5", "55")
    for shown in ("champion", "0.4711", *used, *judged, "an answer at once"):
        assert shown in page[newest:older], shown
    assert re.search(r"61 %\s*<small>of 100, all versions", page)
    assert re.search(r"All searches of the last 30 days.*?1974.*?12.3 %.*?110.*?simulated users", page, re.DOTALL)
    assert re.search(r'class="of-baseline"><dt>baseline_accuracy</dt><dd>0.31<', page[newest:older])
    assert "/models/image_quick/2/confusion.png" in page[newest:older]
    assert "Nothing was counted for this version" in page[older:]
    assert "uncommitted sources" in page[older:]


@pytest.mark.parametrize(
    ("language", "title", "verdict"),
    [("en", "A/B tests", "too few users yet"), ("ja", "A/Bテスト", "利用者がまだ少ない")],
)
async def test_an_ab_test_shows_its_difference_with_an_interval_and_a_verdict(
    signed_in_as: SignIn, console: Console, language: str, title: str, verdict: str
) -> None:
    ctr = {"rate": 0.0183, "low": -0.0071, "high": 0.0294}
    test = {"experiment": "ranking", "simulated": True, "one": "default", "other": "ranker", "ctr": ctr}
    console.figures["differences"] = [test | {"verdict": "too few users"}]
    page = (await (await signed_in_as("kuro")).get("/models", headers={"accept-language": language})).text
    panel = page.partition('id="ab-tests"')[2].partition("</section>")[0]
    for shown in (title, "ranking", "+1.83", "-0.71", "+2.94", verdict):
        assert shown in panel, shown
    for each in ("higher", "lower", "no difference seen"):
        console.figures["differences"] = [test | {"verdict": each}]
        answer = await (await signed_in_as("kuro")).get("/models", headers={"accept-language": language})
        assert answer.status_code == 200


async def test_models_without_a_version_say_what_they_wait_for(signed_in_as: SignIn) -> None:
    operator = await signed_in_as("kuro")
    for path in ("/models", "/status"):
        page = (await operator.get(path)).text
        assert re.search(r"waiting</span>\s*<small>12 of 500 impressions", page), path
        assert re.search(r"no champion</span>\s*<small>out of memory", page), path
        assert re.search(r"training</span>\s*<small>weekly_demand/train 40 %", page), path


async def test_everybody_sees_how_far_training_is(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/status")).text
    assert "12 of 500 impressions" in page
    assert "/models" not in page


async def test_without_a_warehouse_the_page_says_so(signed_in_as: SignIn, fakes: FakeServices) -> None:
    operator = await signed_in_as("kuro")
    assert "accepted suggestions are not shown" not in (await operator.get("/models")).text
    fakes.dead = {"warehouse"}
    page = (await operator.get("/models")).text
    assert "accepted suggestions are not shown" in page
    assert "0.4711" in page


async def test_pictures_of_cards_are_passed_on(signed_in_as: SignIn, fakes: FakeServices) -> None:
    operator = await signed_in_as("kuro")
    answer = await operator.get("/models/image_quick/2/confusion.png")
    assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")
    for other in ("model.onnx", "card.md", "..%2Fcard.png", "manifest.json"):
        assert (await operator.get(f"/models/image_quick/2/{other}")).status_code == 404


async def test_demand_shows_the_week_to_come_and_how_good_the_last_were(signed_in_as: SignIn) -> None:
    page = (await (await signed_in_as("kuro")).get("/demand")).text
    assert page.count('<svg class="weeks"') == 10
    assert f"The week that begins on {MONDAY}" in page
    for shown in ("<b>123</b>", "90 – 150", "101", "12 %", "31 %", "80 %", "model, version 4"):
        assert shown in page, shown


async def test_demand_says_when_nothing_has_happened_yet(signed_in_as: SignIn, console: Console) -> None:
    console.demand = demand(happened=False, forecasts=False)
    page = (await (await signed_in_as("kuro")).get("/demand")).text
    assert "No whole week of this platform is over yet" in page
    assert "No forecast yet" in page
    assert 'class="came"' not in page.replace('class="key came"', "")


def test_a_plot_tells_generated_weeks_from_those_that_happened() -> None:
    weeks = [Week(MONDAY + timedelta(weeks=n), came=10 * n, simulated=n < 3) for n in range(6)]
    drawn = plotted(weeks)
    assert drawn.simulated.count("L") == 3, "up to where what happened begins"
    assert drawn.happened.count("L") == 2
    assert drawn.expected == drawn.band == drawn.baseline == ""


def test_a_plot_stays_in_its_frame() -> None:
    weeks = [Week(MONDAY, came=3), Week(MONDAY + timedelta(weeks=1), expected=9.0, low=0.0, high=47.0, baseline=4.0)]
    drawn = plotted(weeks)
    numbers = [float(number) for part in (drawn.band, drawn.expected) for number in re.findall(r"[\d.]+", part)]
    assert max(numbers) <= drawn.width
    assert [mark.text for mark in drawn.rows] == ["0", "25", "50"]
    assert len(drawn.dots) == 1


def test_nothing_to_plot_is_no_failure() -> None:
    assert plotted([]).happened == ""
    assert plotted([Week(date(2026, 11, 23), came=0)]).rows[-1].text == "1"


@pytest.mark.parametrize(("most", "expected"), [(0.2, 1), (1, 1), (7, 8), (99, 100), (101, 200), (430, 500)])
def test_scales_end_with_a_number_that_people_read(most: float, expected: float) -> None:
    assert nice(most) == expected
