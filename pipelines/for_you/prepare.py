"""Put together who was shown what and what they chose.

dvc repro pipelines/for_you/dvc.yaml:prepare
"""

import json
import shutil
from dataclasses import dataclass

from pipelines import waiting
from pipelines.for_you.choices import FOR_YOU, choices, write
from pipelines.interactions.log import Enough
from pipelines.parameters import load


@dataclass(frozen=True)
class Params:
    impressions: int
    clicks: int


def main() -> None:
    params = load(Params, "pipelines/for_you/params.yaml", "prepare")
    if why := prepare(params):
        print(f"no model yet: {why}")
        waiting.wait(FOR_YOU.prepared, why)


def prepare(params: Params) -> str | None:
    """Write the choices; or why there are none."""
    chosen = FOR_YOU.log(Enough(params.impressions, params.clicks))
    if isinstance(chosen, str):
        return chosen
    kind, log = chosen
    found = choices(log)
    if (found.grade > 0).sum() < params.clicks / 2:
        return "most clicks are of people who were not signed in"
    shutil.rmtree(FOR_YOU.prepared, ignore_errors=True)
    write(FOR_YOU.prepared / "choices.npz", found)
    facts = {"whose": kind, "impressions": len(found.grade), "chosen": int((found.grade > 0).sum())}
    facts |= {"users": len(found.users), "items": len(found.numbers)}
    (FOR_YOU.prepared / "facts.json").write_text(json.dumps(facts))
    print(f"{len(found.users)} users, {len(found.numbers)} items, {facts['chosen']} choices of {kind}")
    return None


if __name__ == "__main__":
    main()
