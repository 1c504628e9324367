"""A host of a tiny model as a process of its own, for tests that kill it: `python -m tests.services.spool.host PORT`.

The rest is in the environment, as for any host; the registry's artefact lies in ARTEFACT.
"""

import asyncio
import os
import sys
from pathlib import Path

import httpx

from services.chassis import logs
from services.chassis.backends import Backends
from services.chassis.kafka_bus import KafkaBus
from services.chassis.service import run
from services.chassis.settings import Settings
from services.inference_sync.main import build
from tests.services.sources.tiny import FakeMlflow


async def main(port: int) -> None:
    """Serve until killed."""
    logs.configure("inference-sync", "line", "INFO")
    mlflow = FakeMlflow()
    mlflow.add("1", Path(os.environ["ARTEFACT"]))
    http = httpx.AsyncClient(transport=mlflow)
    await run(build(Backends(http=http, maybe_bus=KafkaBus(Settings()))), "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
