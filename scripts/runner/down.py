"""Stop the platform: the supervisor does it in reverse order; what a killed one left is swept.

scripts/down
"""

import argparse
import contextlib
import os
import signal
import time
from collections.abc import Sequence

from scripts.runner import processes
from scripts.runner.board import read
from scripts.runner.site import Site
from scripts.runner.supervisor import is_up
from scripts.runner.sweeping import sweep

PATIENCE = 120.0


def main(site: Site, arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="scripts/down", description="Stop the platform; its state stays.").parse_args(
        arguments
    )
    began = time.monotonic()
    was_up = is_up(site.state)
    if was_up:
        stop_supervisor(site)
    swept = sweep(site.state)
    if swept:
        print(f"down: swept {', '.join(swept)}")
    if not was_up and not swept:
        print("down: nothing was up")
    else:
        print(f"down: stopped in {time.monotonic() - began:.1f} s; the state stays in {site.state}")
    return 0


def stop_supervisor(site: Site) -> None:
    """SIGTERM, and SIGKILL when it does not come to an end: sweeping does the rest."""
    told = read(site.state)
    if told is None or told.supervisor is None:
        return
    until = time.monotonic() + PATIENCE
    _send(told.supervisor, told.started, signal.SIGTERM)
    while processes.is_same(told.supervisor, told.started):
        if time.monotonic() > until:
            _send(told.supervisor, told.started, signal.SIGKILL)
        time.sleep(0.05)  # it is no child of ours, and cannot be waited for


def _send(pid: int, started: str | None, number: signal.Signals) -> None:
    if processes.is_same(pid, started):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
