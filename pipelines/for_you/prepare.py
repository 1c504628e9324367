"""Put together who was shown what and what they chose.

dvc repro pipelines/for_you/dvc.yaml:prepare
"""

import json
import shutil
from dataclasses import dataclass

from pipelines import waiting
from pipelines.for_you.choices import DATA, PREPARED, choices, write
from pipelines.interactions.log import Enough, read, whose
from pipelines.parameters import load


@dataclass(frozen=True)
class Params:
    impressions: int
    clicks: int


def main() -> None:
    params = load(Params, "pipelines/for_you/params.yaml", "prepare")
    if why := prepare(params):
        print(f"no model yet: {why}")
        waiting.wait(PREPARED, why)


def prepare(params: Params) -> str | None:
    """Write the choices; or why there are none."""
    if why := waiting.why(DATA / "snapshot"):
        return why
    chosen = whose(read(DATA / "snapshot"), Enough(params.impressions, params.clicks))
    if isinstance(chosen, str):
        return chosen
    kind, log = chosen
    found = choices(log)
    if (found.grade > 0).sum() < params.clicks / 2:
        return "most clicks are of people who were not signed in"
    shutil.rmtree(PREPARED, ignore_errors=True)
    write(PREPARED / "choices.npz", found)
    facts = {"whose": kind, "impressions": len(found.grade), "chosen": int((found.grade > 0).sum())}
    (PREPARED / "facts.json").write_text(json.dumps(facts | {"users": len(found.users), "items": len(found.numbers)}))
    print(f"{len(found.users)} users, {len(found.numbers)} items, {facts['chosen']} choices of {kind}")
    return None


if __name__ == "__main__":
    main()
