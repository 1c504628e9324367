"""What nobody waits for lets others go first, in either way of running."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

TELL = """
import os
from services.chassis.service import serve

def build(backends):
    print(os.nice(0))
    raise SystemExit

serve(build, "web")
"""


def test_a_service_goes_back_by_as_much_as_it_is_told() -> None:
    told = subprocess.run(
        [sys.executable, "-c", TELL], env=os.environ | {"NICENESS": "3"}, capture_output=True, text=True, check=False
    )
    assert int(told.stdout.splitlines()[-1]) == min(19, os.nice(0) + 3), told.stderr


def test_what_gets_less_of_the_processor_in_a_container_is_nice_without_one() -> None:
    services = yaml.safe_load(Path("compose.yaml").read_text())["services"]
    less = {name for name, service in services.items() if service.get("cpu_shares", 1024) < 1024}
    less.discard("trainer")  # it is nice to others by itself
    nice = {
        name
        for name, service in services.items()
        if int(service.get("x-local", {}).get("environment", {}).get("NICENESS", 0)) > 0
    }
    assert less == nice != set()
