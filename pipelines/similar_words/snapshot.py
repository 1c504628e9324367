"""Fetch what the owners of published items wrote from the warehouse; a clone without a platform has none.

dvc repro pipelines/similar_words/dvc.yaml:snapshot
"""

import os
import shutil
from pathlib import Path

from pipelines import warehouse

SNAPSHOT = Path("data/similar_words/snapshot")
TABLE = "items"


def main() -> None:
    shutil.rmtree(SNAPSHOT, ignore_errors=True)
    SNAPSHOT.mkdir(parents=True)
    if not os.environ.get("WAREHOUSE_URL"):
        print("no items: WAREHOUSE_URL is not set")
        return
    fetched = warehouse.fetch([TABLE], SNAPSHOT, token=os.environ.get("WAREHOUSE_TOKEN"))
    (SNAPSHOT / warehouse.MANIFEST).unlink()  # its moment: the same items would be other data each time
    print(f"{fetched.parts[0].rows} items, known until {fetched.until}")


if __name__ == "__main__":
    main()
