"""Restarts and a crash under load, in containers: nothing accepted is lost, nothing unjudged is ever seen."""

import time

import pytest

from scripts.containers.figures import Figures
from tests.containers.conftest import Containers
from tests.load import Load
from tests.platform import Platform, eventually

HEALTHY_WITHIN_SECONDS = 60


def back(containers: Containers, container: str, what: str, figures: Figures) -> None:
    """Wait until it is healthy; keep how long that took."""
    began = time.monotonic()
    eventually(lambda: containers.health(container) == "healthy", f"{what}, healthy", HEALTHY_WITHIN_SECONDS)
    figures.add(f"{what}: healthy again", time.monotonic() - began, "s", HEALTHY_WITHIN_SECONDS)


@pytest.mark.timeout(900)
def test_restarts_and_a_crash_under_load(containers: Containers, platform: Platform, figures: Figures) -> None:
    load = Load(platform)
    with load.running():
        load.goes_on("at the beginning", 8)
        for service in ("postgres", "kafka", "inference-async", "inference-sync"):
            container = containers.ids(service)[0]
            containers.docker("restart", container)
            back(containers, container, f"restart of {service}", figures)
            load.goes_on(f"after the restart of {service}")
        (kafka,) = containers.ids("kafka")
        containers.docker("kill", "--signal=KILL", kafka)
        load.goes_on("while kafka is dead")
        containers.docker("start", kafka)
        back(containers, kafka, "kafka after SIGKILL", figures)
        load.goes_on("after kafka's death")
    load.was_kept()
    figures.add("registered meanwhile, all kept", len(load.accepted), "items")
    figures.add("refused meanwhile, said so", sum(load.refused.values()), "items")
