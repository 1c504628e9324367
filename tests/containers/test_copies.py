"""Two copies of the platform side by side share nothing: no port, no volume, no network, no image, no name."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

from scripts.containers.project import ports
from tests.containers.conftest import ROOT
from tests.docker_compose import with_compose

pytestmark = with_compose


def meant(project: str, port: int) -> dict[str, Any]:
    """What Compose would start."""
    moved = {name: str(number) for name, number in ports(ROOT, port).items()}
    command = ["docker", "compose", "-p", project, "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **moved}, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def taken(copy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything there can be one of on a machine."""
    for kind in ("volumes", "networks"):
        yield from ((kind, part["name"]) for part in copy[kind].values())
    for name, service in copy["services"].items():
        yield from (("port", str(told["published"])) for told in service.get("ports", []))
        if "build" in service:
            yield "image", service["image"]
        assert "container_name" not in service, name


def test_two_copies_share_nothing() -> None:
    one, other = set(taken(meant("one", 18080))), set(taken(meant("other", 19080)))
    assert {kind for kind, _ in one} == {"volumes", "networks", "port", "image"}
    assert len(one) == len(other) > 20
    assert one & other == set()


def test_every_published_port_moves() -> None:
    assert "PORT" in ports(ROOT, 18080)
    published = {number for kind, number in taken(meant("one", 18080)) if kind == "port"}
    assert published == set(map(str, ports(ROOT, 18080).values()))
