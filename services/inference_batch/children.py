"""Has a run done by a process of its own: models take memory, and between runs nobody needs them."""

import asyncio
import logging
import sys
from contextlib import suppress

from services.inference_batch.runs import Run

log = logging.getLogger(__name__)
ENDING_SECONDS = 3.0


async def done_by_a_child(run: Run) -> bool:
    """Whether the process ended well. It ends with us; should it not, the run's lease lets nobody else in."""
    window = f"{run.window_start.isoformat()}/{run.window_end.isoformat()}"
    words = ["-m", "services", "inference-batch", "--run", run.job, "--window", window, "--quiet"]
    child = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        await _ended(child)
        raise
    if code not in (0, 1):
        log.warning("a run's process ended with %s", code, extra={"action": "batch.child_failed", "run_id": run.id})
    return code in (0, 1)


async def _ended(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
        try:
            async with asyncio.timeout(ENDING_SECONDS):
                await child.wait()
        except TimeoutError:
            child.kill()
