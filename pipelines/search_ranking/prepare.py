"""Put searches together with what became of them, and deal them by time.

dvc repro pipelines/search_ranking/dvc.yaml:prepare
"""

import json
import shutil
from dataclasses import dataclass

from pipelines import waiting
from pipelines.interactions.log import Enough
from pipelines.parameters import load
from pipelines.search_ranking.searches import SEARCH_RANKING, dealt, searches, write


@dataclass(frozen=True)
class Params:
    impressions: int
    clicks: int
    test: float
    validation: float


def main() -> None:
    params = load(Params, "pipelines/search_ranking/params.yaml", "prepare")
    if why := prepare(params):
        print(f"no ranker yet: {why}")
        waiting.wait(SEARCH_RANKING.prepared, why)


def prepare(params: Params) -> str | None:
    """Write the parts; or why there are none."""
    chosen = SEARCH_RANKING.log(Enough(params.impressions, params.clicks))
    if isinstance(chosen, str):
        return chosen
    kind, log = chosen
    found = searches(log.impressions)
    if not sum(int((one.search.grades > 0).sum()) for one in found) >= params.clicks / 2:
        return "of most of what was clicked it is not known what a ranker would have seen: RANKER was `none`"
    shutil.rmtree(SEARCH_RANKING.prepared, ignore_errors=True)
    parts = dealt(found, params.validation, params.test)
    for name, part in parts.items():
        write(SEARCH_RANKING.prepared / f"{name}.npz", part)
    facts = {"whose": kind, "impressions": len(log.impressions), "clicks": log.clicks, "searches": len(found)}
    facts |= {name: len(part) for name, part in parts.items()}
    (SEARCH_RANKING.prepared / "facts.json").write_text(json.dumps(facts))
    print(f"{facts['searches']} searches of {kind}, {facts['clicks']} clicks")
    return None


if __name__ == "__main__":
    main()
