"""Send events again that failed for good, once what they failed at is mended. Without Docker and with it.

scripts/replay-dead-letters [TOPIC] [--dry-run]
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import httpx

from scripts.runner.accounts import known, of_docker
from scripts.runner.site import Site


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/replay-dead-letters", description="Send dead letters again.")
    parser.add_argument("topic", nargs="?", help="only those of this topic, such as item.registered")
    parser.add_argument("--dry-run", action="store_true", help="only show them")
    parser.add_argument("--platform", default=f"http://127.0.0.1:{site.port}", help="address of the gateway")
    options = parser.parse_args(arguments)
    accounts = known(site) or of_docker(site)
    if accounts is None:
        print("replay-dead-letters: there is no platform here; scripts/up starts it", file=sys.stderr)
        return 1
    with httpx.Client(base_url=options.platform, timeout=60) as http:
        try:
            sign_in(http, next(account for account in accounts if "operator" in account["roles"]))
            letters = shown(http, options.topic) if options.dry_run else replayed(http, options.topic)
        except httpx.HTTPError as problem:
            print(f"replay-dead-letters: {problem}", file=sys.stderr)
            return 1
    print("\n".join(map(line, letters)) or "no dead letters")
    return 0


def sign_in(http: httpx.Client, account: dict[str, Any]) -> None:
    form = {"grant_type": "password", "username": account["name"], "password": account["password"]}
    answer = http.post("/api/identity/token", data=form).raise_for_status()
    http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def shown(http: httpx.Client, topic: str | None) -> list[dict[str, Any]]:
    answer = http.get("/api/dead-letters", params={"topic": topic} if topic else {}).raise_for_status()
    return list(answer.json())


def replayed(http: httpx.Client, topic: str | None) -> list[dict[str, Any]]:
    """What was sent again, and what cannot be."""
    stay = [letter for letter in shown(http, topic) if not letter["readable"]]
    sent: list[dict[str, Any]] = []
    while batch := http.post("/api/dead-letters/replay", json={"topic": topic}).raise_for_status().json():
        sent += [letter | {"sent": True} for letter in batch]
    return stay + sent


def line(letter: dict[str, Any]) -> str:
    fate = "not an event" if not letter["readable"] else "sent again" if letter.get("sent") else "waits"
    reason = letter["reason"].splitlines()[0][:100] if letter["reason"] else ""
    return f"{fate:12} {letter['topic']:22} {letter['event_id']}  {letter['times']}x  {reason}"
