"""Remove everything a local platform keeps: database, pictures, models, keys.

scripts/reset [--yes]
"""

import argparse
import shutil
import sys
from collections.abc import Sequence

from scripts.runner import down
from scripts.runner.parts import postgres
from scripts.runner.site import Site

OURS = ("volumes", "logs", "sockets", "tmp", "state.json", "state.new", "lock")


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/reset", description="Remove everything the platform keeps.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    if not site.state.exists():
        print(f"reset: {site.state} is not there")
        return 0
    if not options.yes and not _agreed(site):
        print("reset: nothing was removed", file=sys.stderr)
        return 1
    down.main(site, [])
    remove(site)
    print(f"reset: removed what was in {site.state}")
    return 0


def _agreed(site: Site) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Remove everything in {site.state}? Type yes: ").strip() == "yes"


def remove(site: Site) -> None:
    """What is ours, name by name: STATE_DIR may be a folder that holds other things too."""
    postgres.remove(site.state)
    for path in (site.state / name for name in OURS):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not any(site.state.iterdir()):
        site.state.rmdir()
