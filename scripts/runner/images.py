"""Build a registered version into an image, through the running platform, and say how to run it.

scripts/build-image MODEL [VERSION] [--tag TAG] [--json]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import httpx

from scripts.runner import accounts
from scripts.runner.site import Site

ROLE = "operator"
SECONDS = 120.0


class NotBuilt(Exception):
    """The platform refused; the message says why."""


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/build-image", description="Build a version into an image.")
    parser.add_argument("model", help="the model, as its folder is called")
    parser.add_argument("version", nargs="?", help="its version in MLflow; without one, the champion")
    parser.add_argument("--tag", help="another tag than the version")
    parser.add_argument("--json", action="store_true", help="the whole answer")
    options = parser.parse_args(arguments)
    wanted = {"model": options.model, "version": options.version, "tag": options.tag}
    try:
        answer = build(site, {name: value for name, value in wanted.items() if value})
    except (NotBuilt, httpx.HTTPError) as problem:
        print(f"build-image: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=1, ensure_ascii=False) if options.json else told(answer))
    return 0


def build(site: Site, wanted: dict[str, str]) -> dict[str, Any]:
    """Ask the image builder; raises NotBuilt."""
    address = f"http://127.0.0.1:{site.port}"
    with httpx.Client(base_url=address, timeout=SECONDS) as client:
        client.headers["authorization"] = f"Bearer {token(site, client)}"
        answer = client.post("/api/image-builder/images", json=wanted)
    if not answer.is_success:
        raise NotBuilt(refusal(answer))
    return dict(answer.json())


def token(site: Site, client: httpx.Client) -> str:
    """As the operator: who may build is decided by the platform."""
    known = accounts.known(site) or accounts.of_docker(site)
    operator = next((account for account in known or () if ROLE in account["roles"]), None)
    if operator is None:
        raise NotBuilt("there are no accounts yet; is the platform up?")
    form = {"grant_type": "password", "username": operator["name"], "password": operator["password"]}
    return str(client.post("/api/identity/token", data=form).raise_for_status().json()["access_token"])


def refusal(answer: httpx.Response) -> str:
    """What a problem says, with everything that differs."""
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status_code} {answer.text[:200]}"
    faults = [f"  {it['where']}: {it['what']}; allowed: {it.get('allowed', '-')}" for it in problem.get("errors", [])]
    return "\n".join([f"{problem.get('title')} {problem.get('detail', '')}".strip(), *faults])


def told(answer: dict[str, Any]) -> str:
    """The image, and what to type next."""
    lines = [
        f"{answer['reference']}  {answer['digest']}",
        f"  {answer['bytes_pushed'] / 1e6:.1f} MB sent in {answer['seconds']:.2f} s",
    ]
    if answer["note"]:
        return "\n".join([*lines, f"  {answer['note']}"])
    layers = answer["image"]["layers"]
    lines += [f"  {layer['name']:6} {layer['size'] / 1e6:6.1f} MB {layer['digest']}" for layer in layers]
    by_digest = f"{answer['reference'].rpartition(':')[0]}@{answer['digest']}"
    run = f"MODEL_IMAGE={by_digest} docker compose --profile model-in-image up -d --no-deps inference-in-image"
    return "\n".join([*lines, "run it:", f"  {run}"])
