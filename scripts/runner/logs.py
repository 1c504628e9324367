"""Show the logs of some or all services.

scripts/logs [NAME]... [-f] [-n LINES]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.runner.board import read
from scripts.runner.display import tail
from scripts.runner.following import Prefix, follow
from scripts.runner.journal import NAME
from scripts.runner.site import Site


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/logs", description="Show the logs of some or all services.")
    parser.add_argument("name", nargs="*", help="services; none means all; `runner` is the supervisor")
    parser.add_argument("-f", "--follow", action="store_true", help="stay and show what is added")
    parser.add_argument("-n", "--lines", type=int, default=40, help="so many of the last lines (40)")
    options = parser.parse_args(arguments)
    paths = chosen(site, options.name)
    if not paths:
        print(f"logs: no log of {' '.join(options.name) or 'anything'} in {site.state / 'logs'}", file=sys.stderr)
        return 1
    show(paths, options.lines)
    if options.follow:
        follow(paths, lambda: False, from_end=True)
    return 0


def chosen(site: Site, names: Sequence[str]) -> list[Path]:
    """The logs of the services named; a name stands for all its replicas."""
    told = read(site.state)
    units = told.units if told else []
    known = [(NAME.removesuffix(".log"), NAME, "runner"), *((unit.name, unit.log, unit.service) for unit in units)]
    logs = [log for name, log, service in known if not names or name in names or service in names]
    return [path for path in (site.state / "logs" / log for log in logs) if path.is_file()]


def show(paths: Sequence[Path], lines: int) -> None:
    say = Prefix([path.stem for path in paths])
    for path in paths:
        for line in tail(path, lines):
            if len(paths) == 1:
                print(line)
            else:
                say(path.stem, line)
