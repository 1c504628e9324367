"""Services by fork: nobody can tell such a process from one that was started as a program."""

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts.runner import processes
from tests.runner.test_supervision import alive
from tests.runner.toys import Toys, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="services are forked on Linux only")
FORKED = "    entrypoint: [python, -m, tests.runner.toy]\n"


def serving(name: str, port: int, more: str = "") -> str:
    lines = [
        f"  {name}:",
        "    <<: *toy",
        "    entrypoint: [python, -m, tests.runner.toy]",
        f"    command: [tell, {name}, '{port}']",
        f"    expose: ['{port}']",
        f"    environment: {{ EVENTS: '${{TOYS}}/events', OWN: {name}{more} }}",
    ]
    return "\n".join(lines) + "\n"


def told(toys: Toys, port: int, path: str = "") -> dict[str, Any]:
    """What a process says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port + toys.offset}/{path}", timeout=5) as reply:
        return dict(json.loads(reply.read()))


def nursery(toys: Toys) -> psutil.Process | None:
    children = psutil.Process(toys.state()["supervisor"]).children()
    return next((child for child in children if "scripts.runner.nursery" in words_of(child)), None)


def words_of(process: psutil.Process) -> list[str]:
    """Its command; none of one that has just died."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def up(toys: Toys, services: str) -> None:
    toys.write(services)
    done = toys.run("up")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_copy_is_a_process_like_any_other(toys: Toys) -> None:
    up(toys, serving("one", 8380) + serving("two", 8381, ", MORE: m, MALLOC_ARENA_MAX: '1'"))
    one, two = told(toys, 8380), told(toys, 8381)
    assert one["loaded"] == two["loaded"] == ["fastapi", "psycopg"]
    assert [one["pid"], two["pid"]] == [toys.unit("one")["pid"], toys.unit("two")["pid"]]
    assert one["parent"] == toys.state()["supervisor"]
    assert one["session"] == one["group"] == one["pid"]
    assert one["files"] == ["0", "1", "2"]
    assert one["arguments"] == ["tell", "one", "8380"]
    assert psutil.Process(one["pid"]).cmdline()[1:] == ["-m", "tests.runner.toy", "tell", "one", "8380"]
    assert "one tells" in (toys.state_dir / "logs" / "one.log").read_text()


def test_a_copy_has_its_own_environment_and_nothing_else(toys: Toys) -> None:
    up(toys, serving("one", 8380) + serving("two", 8381, ", MORE: m"))
    one, two = told(toys, 8380)["environment"], told(toys, 8381)["environment"]
    assert (one["OWN"], two["OWN"], two["MORE"]) == ("one", "two", "m")
    assert {name for name in one.keys() | two.keys() if one.get(name) != two.get(name)} == {"OWN", "MORE"}
    assert told(toys, 8380, "child")["environment"] == one


def test_ids_of_copies_differ(toys: Toys) -> None:
    names = [f"n{number}" for number in range(4)]
    up(toys, "".join(serving(name, 8380 + number) for number, name in enumerate(names)))
    drawn = [told(toys, 8380 + number)["drawn"] for number in range(4)]
    assert len({value for one in drawn for value in one}) == sum(map(len, drawn))


def test_what_has_to_be_known_before_the_program_begins_makes_it_a_program(toys: Toys) -> None:
    up(toys, serving("one", 8380) + serving("two", 8381, ", PYTHONHASHSEED: '7'"))
    assert [told(toys, port)["loaded"] for port in (8380, 8381)] == [["fastapi", "psycopg"], []]


def test_it_can_be_switched_off(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORK_SERVICES", "false")
    up(toys, serving("one", 8380))
    assert nursery(toys) is None
    assert told(toys, 8380)["loaded"] == []


@pytest.mark.parametrize("code", [0, 7])
def test_exit_codes_are_those_of_the_program(toys: Toys, code: int) -> None:
    toys.write(
        f"  job:\n    <<: *toy\n    restart: 'no'\n{FORKED}    command: [once, job, '{code}']\n"
        "    environment: { EVENTS: '${TOYS}/events' }\n"
    )
    assert toys.run("up").returncode == (1 if code else 0)
    assert toys.unit("job")["exit_code"] == code
    assert toys.unit("job")["state"] == ("failed" if code else "done")


def test_what_fails_is_tried_again_with_longer_pauses(toys: Toys) -> None:
    up(
        toys,
        f"  job:\n    <<: *toy\n    restart: on-failure\n{FORKED}    command: [flaky, job, '${{TOYS}}/count', '2']\n"
        "    environment: { EVENTS: '${TOYS}/events' }\n",
    )
    assert toys.events() == ["job try 1", "job try 2", "job try 3"]
    log = (toys.state_dir / "logs" / "runner.log").read_text()
    assert [f"ended with 1; again in {pause} s" in log for pause in (0.2, 0.4)] == [True, True]


def test_a_killed_copy_comes_back_as_a_copy(toys: Toys) -> None:
    up(toys, serving("phoenix", 8380))
    before = toys.unit("phoenix")["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: toys.unit("phoenix")["restarts"] == 1, "it is started again")
    eventually(lambda: toys.unit("phoenix")["state"] == "healthy", "it is healthy again")
    assert "phoenix ended with -9" in (toys.state_dir / "logs" / "runner.log").read_text()
    eventually(lambda: answers(toys, 8380), "it answers")
    assert told(toys, 8380)["loaded"] == ["fastapi", "psycopg"]


def answers(toys: Toys, port: int) -> bool:
    try:
        return bool(told(toys, port))
    except OSError:
        return False


def test_a_kill_of_the_nursery_touches_nobody_and_there_is_a_next_one(toys: Toys) -> None:
    up(toys, serving("one", 8380) + serving("two", 8381))
    first = nursery(toys)
    assert first
    pids = [toys.unit(name)["pid"] for name in ("one", "two")]
    first.kill()
    eventually(lambda: (now := nursery(toys)) is not None and now.pid != first.pid, "another nursery")
    assert [told(toys, port)["pid"] for port in (8380, 8381)] == pids
    os.kill(pids[0], signal.SIGKILL)
    eventually(lambda: toys.unit("one")["pid"] not in (None, pids[0]) and answers(toys, 8380), "it is back")
    assert told(toys, 8380)["loaded"] == ["fastapi", "psycopg"]
    assert toys.unit("two")["restarts"] == 0


def test_copies_and_nursery_die_with_the_runner(toys: Toys) -> None:
    up(toys, serving("one", 8380))
    pid, matron = toys.unit("one")["pid"], nursery(toys)
    assert matron
    os.kill(toys.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not alive(pid) and not alive(matron.pid), "both die")
    assert toys.run("down").returncode == 0


def test_down_leaves_nobody(toys: Toys) -> None:
    up(toys, serving("one", 8380))
    pid, matron = toys.unit("one")["pid"], nursery(toys)
    assert matron
    assert toys.run("down").returncode == 0
    assert not alive(pid)
    eventually(lambda: not alive(matron.pid), "the nursery is gone")


def test_a_copy_that_is_stubborn_is_killed_and_its_orphans_with_it(toys: Toys) -> None:
    up(
        toys,
        f"  mule:\n    <<: *toy\n{FORKED}    command: [stubborn, mule]\n    stop_grace_period: 300ms\n"
        "    environment: { EVENTS: '${TOYS}/events' }\n",
    )
    eventually(lambda: bool(toys.events()), "it has a child")
    child = int(toys.events()[0].split()[-1])
    assert toys.run("down").returncode == 0
    assert not alive(child)
    assert not alive(toys.unit("mule")["pid"])


def test_the_sweep_knows_a_copy_s_orphans(toys: Toys, tmp_path: Path) -> None:
    up(
        toys,
        f"  mule:\n    <<: *toy\n{FORKED}    command: [stubborn, mule]\n"
        "    environment: { EVENTS: '${TOYS}/events' }\n",
    )
    eventually(lambda: bool(toys.events()), "it has a child")
    child = int(toys.events()[0].split()[-1])
    os.kill(toys.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not alive(toys.unit("mule")["pid"]), "it dies with the runner")
    assert f"({child})" in toys.run("down").stdout
    assert not alive(child)


def test_the_adopted_dead_are_buried_at_the_second_look() -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    eventually(lambda: not alive(pid), "it has ended")
    seen = processes.bury(set())
    assert pid in {dead for dead, _ in seen}
    assert psutil.pid_exists(pid)  # it might be somebody's who is about to fetch it
    processes.bury(seen)
    assert not psutil.pid_exists(pid)
