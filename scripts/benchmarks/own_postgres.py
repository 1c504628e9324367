"""A PostgreSQL for a bench alone: started as compose.yaml has it, with the platform's migrations, gone afterwards."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.runner import compose
from scripts.runner.launch import Launch
from scripts.runner.parts import postgres
from scripts.runner.plan import plan
from scripts.runner.site import ROOT, Site
from scripts.runner.topology import topology
from services.chassis.ports import PORTS
from services.chassis.roles import ROLES
from services.migrate.main import migrate

NAME = "postgres"
STARTING_SECONDS = 60


class NotReady(Exception):
    """The server did not answer in time; the message says what was wrong."""


@contextmanager
def own_postgres() -> Iterator[dict[str, str]]:
    """The addresses of every role, and of `superuser`, in the database of the platform."""
    state = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    site = Site(ROOT, state, PORTS["gateway"] + _free_port() - PORTS[NAME], dict(os.environ))
    passwords = {role: secrets.token_urlsafe(12) for role in (*ROLES, "superuser")}
    try:
        with _running(_launch(site, passwords["superuser"])):
            server = f"127.0.0.1:{PORTS[NAME] + site.offset}"
            superuser = f"postgresql://postgres:{passwords['superuser']}@{server}"
            migrate(f"{superuser}/postgres", passwords)
            roles = {role: f"postgresql://{role}:{passwords[role]}@{server}/platform" for role in ROLES}
            yield roles | {"superuser": f"{superuser}/platform"}
    finally:
        postgres.remove(state)
        shutil.rmtree(state, ignore_errors=True)


def _launch(site: Site, password: str) -> Launch:
    described = topology(compose.read(ROOT / "compose.yaml", site.environment))
    [unit] = plan(described, site, without=described.services.keys() - {NAME}).units
    for folder in unit.folders:
        folder.mkdir(parents=True, exist_ok=True)
    secret = Path(unit.environment["POSTGRES_PASSWORD_FILE"])
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(password)
    return postgres.prepare(unit, site)


@contextmanager
def _running(launch: Launch) -> Iterator[None]:
    user, group = launch.owner or (None, None)
    process = subprocess.Popen(
        launch.command,
        env=dict(launch.environment),
        cwd=launch.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        user=user,
        group=group,
        extra_groups=None if launch.owner is None else [],
    )
    try:
        asyncio.run(_ready(launch))
        yield
    finally:
        process.send_signal(launch.stop_signal)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


async def _ready(launch: Launch) -> None:
    """The part's own check, tried until it finds nothing wrong."""
    assert launch.check
    deadline = time.monotonic() + STARTING_SECONDS
    while wrong := await launch.check():
        if time.monotonic() > deadline:
            raise NotReady(wrong)
        await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
