"""What counts as found, and what the report says of queries that did not."""

import httpx
import pytest

from pipelines.evaluate_search import asked, good_enough, report
from pipelines.search_gold import FIRST, Found, Search, read

CAT, TULIP = Search("meow", "similar", "cat", ()), Search("tulp", "misspelt", "flower", ("tulip", "チューリップ"))


def item(title: str, category: str = "cat", has: tuple[str, ...] = ()) -> dict[str, object]:
    return {"title": title, "description": "", "tags": [], "category": category, "has": list(has)}


def test_a_category_is_enough_where_no_words_are_wanted_and_else_it_is_not() -> None:
    assert Found(CAT, [item("whoever")]).success
    assert not Found(CAT, [item("whoever", "dog")]).success
    assert not Found(TULIP, [item("a rose", "flower")]).success
    assert Found(TULIP, [item("ﾁｭｰﾘｯﾌﾟ", "house")]).success


def test_it_has_to_be_among_the_first() -> None:
    others = [item("no", "dog")] * FIRST
    assert not Found(CAT, [*others, item("yes")]).success
    assert Found(CAT, [*others[1:], item("yes")]).success


def test_an_item_with_all_attributes_has_to_be_there_if_there_is_one() -> None:
    half, whole = item("two cats", has=("count",)), item("two cats, dark", has=("count", "brightness"))
    assert Found(CAT, [half] * 6, wanted=2).success
    assert not Found(CAT, [*[half] * FIRST, whole], wanted=2).success
    assert Found(CAT, [half, whole], wanted=2).success


def test_one_query_without_an_answer_is_too_many() -> None:
    good = [Found(CAT, [item("a cat")])] * 99
    assert good_enough(good)
    assert not good_enough([*good, Found(CAT, [])])
    assert not good_enough([*good[:90], *[Found(CAT, [item("a dog", "dog")])] * 9])


def test_the_report_names_what_failed() -> None:
    told = report(
        [Found(CAT, [item("a cat")], ranker="search_ranking"), Found(TULIP, [item("a rose", "flower")]), Found(CAT, [])]
    )
    assert "| all | 3 | 0.333 | 1 |" in told
    assert "ordered by: default 2, search_ranking 1" in told
    assert "failed: tulp [misspelt] wanted tulip, チューリップ, got a rose (flower)" in told
    assert "failed: meow [similar] wanted cat, got nothing" in told


@pytest.mark.parametrize(("published", "success"), [(["A tulip"], False), ([], True)])
def test_words_of_no_published_item_are_not_asked_for(published: list[str], success: bool) -> None:
    def search(request: httpx.Request) -> httpx.Response:
        titles = published if request.url.params["q"] == "tulip" else ["A rose"]
        results = [item(title, "flower") for title in titles]
        return httpx.Response(200, json={"results": results, "attributes": None, "ranker": "default"})

    with httpx.Client(base_url="http://platform", transport=httpx.MockTransport(search)) as http:
        assert asked(http, TULIP).success is success


def test_the_gold_file_is_whole() -> None:
    searches = read()
    assert len({search.query for search in searches}) == len(searches) >= 120
    assert all(search.category or search.words for search in searches)
