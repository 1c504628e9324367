"""The public API of a running platform, as the evaluations use it."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 30.0
ACCOUNTS = "volumes/keys-accounts/accounts.json"


class NoPlatform(SystemExit):
    """There is no platform to ask, or it does not let us in."""

    def __init__(self, what: str) -> None:
        print(f"evaluate: {what}", file=sys.stderr)
        super().__init__(2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which platform, and as whom."""
    port = os.environ.get("PORT", "8080")
    parser.add_argument("--platform", default=f"http://127.0.0.1:{port}", metavar="URL", help="default: %(default)s")
    parser.add_argument("--accounts", type=Path, default=accounts_file(), metavar="FILE", help="default: %(default)s")
    parser.add_argument("--token", help="a bearer token, instead of an account")


def accounts_file() -> Path:
    """Where a local platform keeps its demo accounts."""
    return Path(os.environ.get("STATE_DIR", ".state")) / ACCOUNTS


@contextmanager
def client(arguments: argparse.Namespace, role: str = "user") -> Iterator[httpx.Client]:
    """A signed-in client; an account of that role is looked for, with no more rights than needed."""
    with httpx.Client(base_url=arguments.platform, timeout=PATIENCE_SECONDS, trust_env=False) as http:
        http.headers["authorization"] = f"Bearer {arguments.token or signed_in(http, arguments.accounts, role)}"
        yield http


def signed_in(http: httpx.Client, accounts: Path, role: str = "user") -> str:
    """The token of the first account of the role and no other special one."""
    if not accounts.is_file():
        raise NoPlatform(f"{accounts} is missing: start the platform (scripts/up) or give --accounts or --token")
    known: list[dict[str, Any]] = json.loads(accounts.read_text("utf-8"))
    user = next((account for account in known if {*account["roles"], "user"} == {role, "user"}), None)
    if user is None:
        raise NoPlatform(f"{accounts} has no account that is only {role}")
    form = {"grant_type": "password", "username": user["name"], "password": user["password"]}
    try:
        answer = http.post("/api/identity/token", data=form)
    except httpx.TransportError as error:
        raise NoPlatform(f"no platform answers at {http.base_url}: {error or type(error).__name__}") from error
    if not answer.is_success:
        raise NoPlatform(f"{http.base_url} does not let {user['name']} in: {reason(answer)}")
    return str(answer.json()["access_token"])


def reason(answer: httpx.Response) -> str:
    """What a problem+json says, or whatever came instead."""
    try:
        body = answer.json()
        return f"{answer.status_code} {body.get('detail') or body.get('title')}"
    except (ValueError, AttributeError):
        return f"{answer.status_code} {answer.text[:200]}"
