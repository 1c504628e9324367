"""What the README says about Docker is what compose.yaml does, in both languages."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.containers.project import ports
from scripts.runner.site import ROOT
from services.chassis.ports import PORTS
from tests.docs.markdown import Document, document

READMES = [document("README.md"), document("README.ja.md")]
BOTH = pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.name)
ADDRESSES, ADVICE, MEMORY = 4, 5, 6
"""Which table of the README is which."""


def services() -> dict[str, Any]:
    return dict(YAML(typ="safe").load((ROOT / "compose.yaml").read_text())["services"])


def processes() -> set[str]:
    """What runs and goes on running by default."""
    return {name for name, service in services().items() if "healthcheck" in service and "profiles" not in service}


def replicas(name: str) -> int:
    return int(services()[name].get("deploy", {}).get("replicas", 1))


@BOTH
def test_every_published_port_has_its_address(readme: Document) -> None:
    rows = readme.tables[ADDRESSES].rows
    told = {row[2].strip("`"): int(re.findall(r"localhost:(\d+)", row[0])[0]) for row in rows}
    assert told == ports(ROOT, PORTS["gateway"])


@BOTH
def test_every_container_has_its_memory(readme: Document) -> None:
    told = [name for cell in readme.tables[MEMORY].column()[:-1] for name in re.findall(r"[a-z][a-z-]+", cell)]
    assert sorted(told) == sorted(processes())


@BOTH
def test_the_sum_is_that_of_all_replicas_and_within_its_bound(readme: Document) -> None:
    *rows, (_, total) = readme.tables[MEMORY].rows
    held = sum(int(megabytes) * replicas(name.strip("`")) for name, megabytes in rows)
    assert held == int(total.replace(",", "")) <= 3000


@BOTH
def test_what_docker_says_is_what_is_tested(readme: Document) -> None:
    told = " ".join(readme.tables[ADVICE].column())
    for words in ("port is already allocated", "Invalid hostPort: abc", "Invalid ip address", '"preflight"', "137"):
        assert words in told
