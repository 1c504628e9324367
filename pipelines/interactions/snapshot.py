"""Fetch what was done with results until now; the first stage of both rankers.

    python -m pipelines.interactions.snapshot NAME

Without a warehouse to ask (WAREHOUSE_URL) there is nothing to learn from, and that is told, not failed.
"""

import os
import shutil
import sys
from pathlib import Path

from pipelines import waiting, warehouse
from pipelines.interactions.log import TABLES


def main() -> None:
    folder = Path("data") / sys.argv[1] / "snapshot"
    shutil.rmtree(folder, ignore_errors=True)
    if not os.environ.get("WAREHOUSE_URL"):
        waiting.wait(folder, "there is no warehouse to learn from: WAREHOUSE_URL is not set")
        return
    snapshot = warehouse.fetch(TABLES, folder, token=os.environ.get("WAREHOUSE_TOKEN"))
    print(f"snapshot until {snapshot.until}: " + ", ".join(f"{part.rows} {part.table}" for part in snapshot.parts))


if __name__ == "__main__":
    main()
