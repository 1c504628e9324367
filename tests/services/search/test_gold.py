"""Every query of the gold file, over the items that a platform starts with: the real words, database and model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import artefact
from pipelines.evaluate_search import LOOKED_AT, WANTED, failures, report, success
from pipelines.search_gold import Found, Search, read
from tests.services.search.library import Library

SEARCHES = read()
KINDS = {"ja", "en", "script", "misspelt", "two_words", "attributes", "similar"}


def test_the_file_has_enough_of_every_kind() -> None:
    assert len({search.query for search in SEARCHES}) == len(SEARCHES) >= 120
    assert {search.kind for search in SEARCHES} == KINDS


def model(path: Path) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """The ONNX file, as a host answers with it."""
    session = artefact.open_session(path)
    names, kinds = [output.name for output in session.get_outputs()], {"uint8": "UINT8", "float32": "FP32"}

    def answered(inputs: dict[str, Any]) -> list[dict[str, Any]]:
        given = {name: np.reshape(one["data"], one["shape"]).astype(np.int64) for name, one in inputs.items()}
        return [
            {"name": name, "datatype": kinds[str(out.dtype)], "shape": list(out.shape), "data": out.ravel().tolist()}
            for name, out in zip(names, session.run(names, given), strict=True)
        ]

    return answered


@pytest.mark.timeout(600)
async def test_queries_find_what_people_expect(library: Library, trained: Path) -> None:
    lines = (trained / "data" / "seed_items" / "items.jsonl").read_text("utf-8").splitlines()
    for line in map(json.loads, lines):
        if line["violation"] == "ok":
            await library.publish(line["title"], description=line["description"], category=line["category"])
    made, searches = trained / "data" / "similar_words" / "model" / "model.onnx", SEARCHES
    if made.is_file():
        library.neighbours.models["similar_words"] = model(made)
    else:  # where the tests' own platform has trained the required models alone
        searches = [search for search in SEARCHES if search.kind != "similar"]
    found = [await asked(library, search) for search in searches]
    print(report(found))
    told = "\n".join(failures(found))
    assert success(found) >= WANTED, told
    assert not [one.search.query for one in found if one.nothing]


async def asked(library: Library, search: Search) -> Found:
    body = await library.search(search.query, limit=LOOKED_AT)
    wanted = body["attributes"] or {}
    return Found(search, body["results"], sum(bool(wanted.get(n)) for n in ("count", "where", "brightness", "place")))
