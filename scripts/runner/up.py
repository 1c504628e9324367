"""Start the platform, and say how it goes until everything is healthy.

scripts/up [--foreground] [--without NAME]... [--profile NAME]...
"""

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.runner import compose, processes
from scripts.runner.board import UP, Record, State, read
from scripts.runner.display import display, tail
from scripts.runner.following import follow
from scripts.runner.journal import NAME, rotate
from scripts.runner.parts import missing, refuse_unknown
from scripts.runner.plan import Plan, plan
from scripts.runner.ports import taken
from scripts.runner.site import Site
from scripts.runner.supervisor import AlreadyUp, is_up, supervise
from scripts.runner.sweeping import sweep
from scripts.runner.topology import topology

HOPELESS = 5  # so many restarts without ever being healthy


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="scripts/up", description="Start the platform.")
    made.add_argument("--foreground", "--attach", action="store_true", help="stay, show all logs; Ctrl-C stops")
    made.add_argument("--without", action="append", default=[], metavar="NAME", help="leave out this service")
    made.add_argument("--profile", action="append", default=[], metavar="NAME", help="start these services too")
    made.add_argument("--timeout", type=float, default=3600.0, help="give up waiting after so many seconds")
    made.add_argument("--file", type=Path, default=None, help="another compose.yaml")
    return made


def main(site: Site, arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if is_up(site.state):
        return _already(site, options)
    wanted = planned(site, options)
    for name in sweep(site.state):
        print(f"up: swept {name}, left by an earlier run")
    problems = taken(wanted)
    if problems:
        print("\n".join(f"up: {problem}" for problem in problems), file=sys.stderr)
        return 1
    rotate(site.state / "logs" / NAME)
    return _stay(site, wanted, options) if options.foreground else _detach(site, arguments, options)


def planned(site: Site, options: argparse.Namespace) -> Plan:
    file = (options.file or site.root / "compose.yaml").resolve()
    described = topology(compose.read(file, site.environment))
    wanted = plan(described, site, options.profile, options.without, missing())
    refuse_unknown(wanted.units)
    return wanted


def background(site: Site, arguments: Sequence[str]) -> int:
    """The supervisor itself; `up` starts it in a session of its own."""
    options = parser().parse_args(arguments)
    try:
        supervise(planned(site, options), site, _state(site, options))
    except AlreadyUp:
        return 3
    return 0


def _state(site: Site, options: argparse.Namespace) -> State:
    return State(port=site.port, profiles=options.profile, without=options.without)


def _stay(site: Site, wanted: Plan, options: argparse.Namespace) -> int:
    over = threading.Event()
    logs = [site.state / "logs" / name for name in (NAME, *(unit.log for unit in wanted.units))]
    printer = threading.Thread(target=follow, args=(logs, over.is_set))
    supervise(wanted, site, _state(site, options), started=printer.start)
    over.set()
    printer.join()
    return 0


def _detach(site: Site, arguments: Sequence[str], options: argparse.Namespace) -> int:
    logs = site.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / NAME).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.runner", "supervise", *arguments],
            cwd=site.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return wait(site, options.timeout, process)


def _already(site: Site, options: argparse.Namespace) -> int:
    told = read(site.state)
    assert told
    if options.foreground or set(options.profile) - set(told.profiles):
        print("up: it is already up; scripts/down first", file=sys.stderr)
        return 1
    print(f"up: already up, supervisor {told.supervisor}")
    return wait(site, options.timeout)


def wait(site: Site, timeout: float, process: subprocess.Popen[bytes] | None = None) -> int:
    """Show the progress until everything is healthy, or something cannot become so."""
    began = time.monotonic()
    with display(site.state / "logs") as screen:
        while time.monotonic() - began < timeout:
            told = read(site.state)
            if process and process.poll() == 3:  # somebody else was faster: watch theirs
                process = None
            if process and process.poll() is not None:
                return _supervisor_died(site)
            if told and processes.is_same(told.supervisor, told.started):
                screen.show(told)
                if failed := [record for record in told.units if hopeless(record)]:
                    break
                if all(record.state in UP for record in told.units):
                    break
            time.sleep(0.1)  # the supervisor tells by a file
        else:
            told, failed = read(site.state), []
    return _report(site, told, failed, time.monotonic() - began)


def hopeless(record: Record) -> bool:
    crashing = record.restarts >= HOPELESS and not record.been_healthy and record.state not in UP
    return record.state in ("failed", "unhealthy") or crashing


def _supervisor_died(site: Site) -> int:
    print("up: the supervisor ended:", *tail(site.state / "logs" / NAME), sep="\n", file=sys.stderr)
    return 1


def _report(site: Site, told: State | None, failed: list[Record], seconds: float) -> int:
    for record in failed:
        print(
            f"up: {record.name} is {record.state}: {record.problem or f'exit code {record.exit_code}'}; its log ends:"
        )
        print("\n".join(f"  {line}" for line in tail(site.state / "logs" / record.log)))
    units = told.units if told else []
    missing = [record.name for record in units if record.state not in UP]
    if failed or missing or told is None:
        print(f"up: not healthy after {seconds:.0f} s: {', '.join(missing)} (scripts/down stops all)", file=sys.stderr)
        return 1
    for note in told.notes:
        print(f"up: {note}")
    print(f"up: {len(units)} processes healthy or done in {seconds:.1f} s: http://localhost:{told.port}")
    return 0
