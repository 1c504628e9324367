"""Train models now, through the running platform, and follow it.

scripts/train [NAME]... [--baselines]
scripts/train --data PATH|URL [--model NAME] [--most N]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from scripts.runner import accounts, up
from scripts.runner.promotion import registry
from scripts.runner.site import Site
from scripts.runner.supervisor import is_up

FINAL = ("succeeded", "failed", "interrupted")
ROLE = "operator"
POLITE = 10
"""How far learning from somebody's data steps back for the platform."""


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/train", description="Train models now.")
    parser.add_argument("name", nargs="*", help="models, as their folders are called; none means all")
    parser.add_argument(
        "--baselines", action="store_true", help="the models that others are compared with, in the clone"
    )
    parser.add_argument(
        "--data", metavar="PATH|URL", help="learn the labels of this data: LABEL/PICTURE files, an archive, a .csv"
    )
    parser.add_argument("--model", help="which model learns from it: image_screening, image_quick, text_violation")
    parser.add_argument("--most", metavar="N", help="examples of a label and part, at most")
    options = parser.parse_args(arguments)
    if options.baselines:
        return baselines(site)
    if options.data:
        return own_data(site, options)
    if stray := [name for name in ("model", "most") if getattr(options, name)]:
        parser.error(f"--{stray[0]} goes with --data")
    if not is_up(site.state) and (code := up.main(site, ["--without", "seed"])):
        return code
    address = f"http://127.0.0.1:{site.port}"
    with httpx.Client(base_url=address, timeout=30, headers=signed_in(site, address)) as client:
        return train(client, options.name or models(site.root))


def models(root: Path) -> list[str]:
    """Every model that has a pipeline."""
    folders = (path.parent.name for path in sorted((root / "pipelines").glob("*/dvc.yaml")))
    return [name for name in folders if (root / "models" / name).is_dir()]


def own_data(site: Site, options: argparse.Namespace) -> int:
    """In the clone, on the champion of the platform that runs; the version that comes of it serves nobody yet."""
    address = registry(site)
    if not answers(address) and (code := up.main(site, ["--without", "seed"])):
        return code
    words = [site.python(), "-m", "pipelines.own.train", "--data", options.data]
    words += ["--model", options.model] if options.model else []
    words += ["--most", options.most] if options.most else []
    environment = {**os.environ, "MLFLOW_TRACKING_URI": address, "PYTHONUNBUFFERED": "1"}
    return subprocess.run(["nice", "-n", str(POLITE), *words], cwd=site.root, env=environment, check=False).returncode


def answers(registry: str) -> bool:
    """Whether MLflow is up."""
    try:
        return httpx.get(f"{registry}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def baselines(site: Site) -> int:
    """Not registered, only measured; DVC keeps their metrics in the clone."""
    files = sorted((site.root / "pipelines").glob("**/*baseline*/dvc.yaml"))
    if not files:
        print("train: no pipeline has a baseline of its own", file=sys.stderr)
        return 1
    command = [site.python(), "-m", "dvc", "repro", *(str(file.relative_to(site.root)) for file in files)]
    return subprocess.run(command, cwd=site.root, check=False).returncode


def signed_in(site: Site, address: str) -> dict[str, str]:
    """As the operator: who may train is decided by the platform, not by the command."""
    known = accounts.known(site) or accounts.of_docker(site) or []
    operator = next(account for account in known if ROLE in account["roles"])
    form = {"grant_type": "password", "username": operator["name"], "password": operator["password"]}
    answer = httpx.post(f"{address}/api/identity/token", data=form, timeout=30).raise_for_status()
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def train(client: httpx.Client, names: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """Ask for a run, and say how far it is until it ends."""
    asked = client.post("/api/trainer/runs", json={"models": list(names)})
    if not asked.is_success:
        print(f"train: {asked.text}", file=sys.stderr)
        return 1
    run, told = dict(asked.json()), ""
    while run["state"] not in FINAL:
        pause(1.0)
        answer = client.get(f"/api/trainer/runs/{run['id']}")
        run = dict(answer.json()) if answer.is_success else run  # a trainer that restarts resumes its runs
        told = _say(run, told)
    return _end(run)


def _say(run: dict[str, Any], told: str) -> str:
    line = f"train: {run['state']} {100 * (run.get('progress') or 0):.0f} % {run.get('stage') or ''}".rstrip()
    if line != told:
        print(line, flush=True)
    return line


def _end(run: dict[str, Any]) -> int:
    for name, version in (run.get("versions") or {}).items():
        print(f"train: {name} is version {version}; scripts/promote {name} {version} makes it the champion")
    if run["state"] != "succeeded":
        print(f"train: {run['state']}: {run.get('error') or ''}", file=sys.stderr)
    return 0 if run["state"] == "succeeded" else 1
