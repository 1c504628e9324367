"""Push the held-out items through a running platform and count what goes wrong.

    python -m pipelines.evaluate_platform [--platform URL] [--accounts FILE | --token TOKEN] [--keep]

Every item is registered through the public API, and its decision awaited. Prints how many violating
items were published and how many good ones rejected, by kind, and how often the category was right.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pipelines.card import table
from pipelines.held_out.draw import OUT
from pipelines.platform_client import NoPlatform, add_arguments, client, reason
from pipelines.progress import progress

STATES = ("published", "needs_review", "rejected")
AT_ONCE = 4


@dataclass(frozen=True)
class Ended:
    """An item of the held-out set and what became of it."""

    line: dict[str, Any]
    item: dict[str, Any]

    @property
    def state(self) -> str:
        """Its last state."""
        return str(self.item["state"])

    @property
    def category_right(self) -> bool:
        """Whether the model saw what is shown."""
        return bool(self.item["screening"]["category"]["label"] == self.line["category"])


def main() -> None:
    """Register, wait, count, clean up."""
    arguments = read_arguments()
    lines = read_lines(arguments.data)
    with client(arguments) as http:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = pool.map(lambda line: ended(http, arguments.data, line), lines)
            results = list(progress(done, total=len(lines), what="through the platform"))
        print(report(results))
        if not arguments.keep:
            for result in results:
                http.delete(f"/api/items/{result.item['id']}")


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="evaluate_platform", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=OUT, metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--keep", action="store_true", help="leave the items on the platform")
    add_arguments(parser)
    return parser.parse_args()


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """The held-out items."""
    file = folder / "items.jsonl"
    if not file.is_file():
        raise NoPlatform(f"{file} is missing: dvc repro pipelines/held_out/dvc.yaml makes it")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def ended(http: httpx.Client, folder: Path, line: dict[str, Any]) -> Ended:
    """Register one item and wait for its decision; its events end when it is decided."""
    picture = {"file": (line["picture"], (folder / line["picture"]).read_bytes())}
    image = accepted(http.post("/api/images", files=picture))
    body = {"image_id": image["id"], "title": line["title"], "description": line["description"]}
    item = accepted(http.post("/api/items", json=body))
    with http.stream("GET", f"/api/items/{item['id']}/events") as events:
        for _ in events.iter_lines():
            pass
    return Ended(line, accepted(http.get(f"/api/items/{item['id']}")))


def accepted(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer that has to be a success."""
    if not answer.is_success:
        raise NoPlatform(f"{answer.request.method} {answer.request.url.path}: {reason(answer)}")
    body: dict[str, Any] = answer.json()
    return body


def report(results: Sequence[Ended]) -> str:
    """The tables."""
    good = [one for one in results if one.line["violation"] == "ok"]
    bad = [one for one in results if one.line["violation"] != "ok"]
    kinds = Counter((one.line["violation"], one.state) for one in bad)
    rows = [row("good", good), row("violating", bad)]
    by_kind = [(kind, *(kinds[kind, state] for state in STATES)) for kind in sorted({kind for kind, _ in kinds})]
    screened = [one for one in good if one.item["screening"]]
    right = sum(one.category_right for one in screened)
    undecided = sum(one.state not in STATES for one in results)
    return "\n".join(
        [
            "",
            table(("held-out items", "number", *STATES), rows),
            "",
            table(("violation", *STATES), by_kind),
            "",
            f"violating items published: {share(bad, 'published')}; good items rejected: {share(good, 'rejected')}",
            f"category right: {right} of {len(screened)} good items ({right / max(1, len(screened)):.1%})",
            *([f"not decided in time: {undecided}"] if undecided else []),
        ]
    )


def row(name: str, some: Sequence[Ended]) -> tuple[Any, ...]:
    """How many ended in each state."""
    return name, len(some), *(share(some, state) for state in STATES)


def share(some: Sequence[Ended], state: str) -> str:
    """How many of them, as number and part."""
    count = sum(one.state == state for one in some)
    return f"{count} ({count / max(1, len(some)):.1%})"


if __name__ == "__main__":
    main()
