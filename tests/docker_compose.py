"""Tests that ask Docker Compose run where it is: the `docker` command alone is not enough."""

import shutil
import subprocess

import pytest


def is_there() -> bool:
    """Whether `docker compose` answers; the engine need not run."""
    command = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


with_compose = pytest.mark.skipif(not is_there(), reason="docker compose is not installed")
