"""The platform that is measured: any running one, by address and accounts."""

import argparse
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.runner import board
from scripts.runner.supervisor import is_up


@dataclass(frozen=True)
class Running:
    """An address and the account that measures."""

    url: str
    name: str
    password: str

    @classmethod
    def of(cls, given: argparse.Namespace) -> "Running":
        """The platform the command line names; this clone's own by default."""
        accounts = json.loads(given.accounts.read_text())
        account = next(a for a in accounts if not {"moderator", "operator"} & set(a["roles"]))
        return cls(given.platform, account["name"], account["password"])


def add_platform(parser: argparse.ArgumentParser) -> None:
    """The two arguments every benchmark has."""
    state = Path(os.environ.get("STATE_DIR", ".state"))
    parser.add_argument("--platform", default=f"http://127.0.0.1:{os.environ.get('PORT', '8080')}")
    parser.add_argument("--accounts", type=Path, default=state / "volumes" / "keys-accounts" / "accounts.json")


async def signed_in(http: httpx.AsyncClient, platform: Running) -> None:
    """Every later request of the client carries a token."""
    form = {"grant_type": "password", "username": platform.name, "password": platform.password}
    answer = await http.post("/api/identity/token", data=form)
    answer.raise_for_status()
    http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def processes(state: Path, service: str) -> list[board.Record]:
    """The processes of a service, as the local runner knows them; none where it does not run."""
    known = board.read(state)
    return [unit for unit in known.units if unit.service == service] if known and is_up(state) else []


def kill_one(state: Path, service: str, turn: int = 0) -> int:
    """kill -9 of one that is up, the next in each turn; how many that were. The runner brings it back."""
    alive = [unit for unit in processes(state, service) if unit.pid and unit.state in board.UP]
    if not alive:
        return 0
    victim = alive[turn % len(alive)]
    assert victim.pid
    os.kill(victim.pid, signal.SIGKILL)
    sys.stderr.write(f"progress killed={victim.name}\n")
    return 1
