"""Make a registered version the champion: hosts take it over by themselves.

scripts/promote NAME VERSION
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import httpx

from scripts.runner.site import Site
from services.chassis.ports import PORTS

ALIAS = "champion"
API = "/api/2.0/mlflow"


class NotPromoted(Exception):
    """The registry refused; the message is its own."""


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/promote", description="Make a version the champion.")
    parser.add_argument("name", help="the model, as its folder is called")
    parser.add_argument("version", help="its version in MLflow")
    options = parser.parse_args(arguments)
    with httpx.Client(base_url=registry(site), timeout=10) as client:
        try:
            before, version = promote(client, options.name, options.version)
        except (NotPromoted, httpx.HTTPError) as problem:
            print(f"promote: {problem}", file=sys.stderr)
            return 1
    tags = {tag["key"]: tag["value"] for tag in version.get("tags", [])}
    dirty = " (built from uncommitted sources)" if tags.get("dirty") == "true" else ""
    print(f"promote: {options.name} version {options.version}{dirty} is the {ALIAS}, before it was {before or 'none'}")
    return 0


def registry(site: Site) -> str:
    return site.environment.get("MLFLOW_TRACKING_URI") or f"http://127.0.0.1:{PORTS['mlflow'] + site.offset}"


def promote(client: httpx.Client, name: str, version: str) -> tuple[str | None, dict[str, Any]]:
    """Set the alias; the version that had it before, and what is known of the new one."""
    known = _asked(client.get(f"{API}/model-versions/get", params={"name": name, "version": version}))
    before = client.get(f"{API}/registered-models/alias", params={"name": name, "alias": ALIAS})
    had = before.json()["model_version"]["version"] if before.is_success else None
    body = {"name": name, "alias": ALIAS, "version": version}
    _asked(client.post(f"{API}/registered-models/alias", json=body))
    return had, known["model_version"]


def _asked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        return dict(answer.json())
    raise NotPromoted(answer.json().get("message", answer.text) if _is_json(answer) else answer.text)


def _is_json(answer: httpx.Response) -> bool:
    return "json" in answer.headers.get("content-type", "")
