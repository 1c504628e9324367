"""Send events again that failed for good, once what they failed at is mended. Without Docker and with it.

scripts/replay-dead-letters [TOPIC] [--dry-run]
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import httpx

from scripts.runner.site import Site
from scripts.runner.training import signed_in


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/replay-dead-letters", description="Send dead letters again.")
    parser.add_argument("topic", nargs="?", help="only those of this topic, such as item.registered")
    parser.add_argument("--dry-run", action="store_true", help="only show them")
    options = parser.parse_args(arguments)
    address = f"http://127.0.0.1:{site.port}"
    try:
        with httpx.Client(base_url=address, timeout=60, headers=signed_in(site, address)) as http:
            letters = shown(http, options.topic) if options.dry_run else replayed(http, options.topic)
    except httpx.HTTPError as problem:
        print(f"replay-dead-letters: the platform does not answer: {problem}", file=sys.stderr)
        return 1
    print("\n".join(map(line, letters)) or "no dead letters")
    return 0


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
