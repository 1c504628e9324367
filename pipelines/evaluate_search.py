"""Ask a running platform every query of the gold file, and say which of them did not find what they should.

    python -m pipelines.evaluate_search [--platform URL] [--accounts FILE | --token TOKEN] [--gold FILE]

Success is one fitting item among the first five; where items of the category have all attributes that were asked
for, one of these has to be there. Ends with 1 if too few succeed or a query is answered with nothing. The
items that a platform starts with (`pipelines/seed_items`) are what the file was written for.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from pipelines.card import table
from pipelines.platform_client import NoPlatform, add_arguments, client, reason
from pipelines.progress import progress
from pipelines.search_gold import FIRST, GOLD, Found, Search, read

WANTED = 0.95
LOOKED_AT = 60
"""So many results are read, to see whether an item with all attributes was there and too far down."""

TRIES, PAUSE_SECONDS = 20, 0.5
"""Over the limit of the gateway we are told to wait."""


def main() -> int:
    """Ask, count, tell."""
    arguments = read_arguments()
    searches = read(arguments.gold)
    with client(arguments) as http:
        answers = (asked(http, search) for search in searches)
        found = list(progress(answers, len(searches), "asking"))
    print(report(found))
    return 0 if good_enough(found) else 1


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="evaluate_search", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--gold", type=Path, default=GOLD, metavar="FILE", help="default: %(default)s")
    add_arguments(parser)
    return parser.parse_args()


def asked(http: httpx.Client, search: Search) -> Found:
    """One query, answered. Words of no published item (it may wait for a moderator) are not asked for."""
    body = answered(http, search.query)
    attributes = body.get("attributes") or {}
    named = [name for name in ("count", "where", "brightness", "place") if attributes.get(name)]
    found = Found(search, body["results"], len(named), body["ranker"])
    if found.success or not search.category or there(http, search):
        return found
    return replace(found, search=replace(search, words=()))


def there(http: httpx.Client, search: Search) -> bool:
    """Whether the platform has an item with one of the words."""
    return any(search.fits(item) for word in search.words for item in answered(http, word)["results"])


def answered(http: httpx.Client, query: str) -> dict[str, Any]:
    """The first results of a query."""
    for _ in range(TRIES):
        answer = http.get("/api/search", params={"q": query, "limit": LOOKED_AT})
        if answer.status_code not in (429, 503):
            break
        time.sleep(PAUSE_SECONDS)
    if not answer.is_success:
        raise NoPlatform(f"{query}: {reason(answer)}")
    body: dict[str, Any] = answer.json()
    return body


def good_enough(found: Sequence[Found]) -> bool:
    """Whether enough succeed, and every query is answered with something."""
    return success(found) >= WANTED and not any(one.nothing for one in found)


def success(found: Sequence[Found]) -> float:
    """The part that succeeded."""
    return sum(one.success for one in found) / max(1, len(found))


def report(found: Sequence[Found]) -> str:
    """The tables: every kind of query, and every query that failed."""
    kinds = dict.fromkeys(one.search.kind for one in found)
    rows = [row(kind, [one for one in found if one.search.kind == kind]) for kind in kinds]
    head = ("queries", "number", f"success@{FIRST}", "answered with nothing")
    orders = Counter(one.ranker for one in found)
    who = "ordered by: " + ", ".join(f"{name} {count}" for name, count in orders.most_common())
    return "\n".join(["", table(head, [*rows, row("all", found)]), "", who, *failures(found)])


def row(name: str, some: Sequence[Found]) -> tuple[str, int, str, int]:
    """One line of the table."""
    return name, len(some), f"{success(some):.3f}", sum(one.nothing for one in some)


def failures(found: Sequence[Found]) -> Iterator[str]:
    """Each query that failed, what was wanted, and what came first instead."""
    for one in found:
        if not one.success:
            wanted = ", ".join(one.search.words) or one.search.category
            came = "; ".join(f"{item['title']} ({item['category']})" for item in one.results[:FIRST]) or "nothing"
            yield f"failed: {one.search.query} [{one.search.kind}] wanted {wanted}, got {came}"


if __name__ == "__main__":
    sys.exit(main())
