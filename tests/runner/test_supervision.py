"""The supervisor, on real processes: order, health, restarts, stopping, what a kill leaves behind."""

import asyncio
import json
import os
import signal
import socket
import urllib.request

import psutil

from scripts.runner.checks import checked
from tests.runner.toys import Toys, eventually

SERVES = "healthcheck: { <<: *check, test: [CMD, python, tests/runner/toy.py, ask, 'http://localhost:PORT/'] }"
EVENTS = "environment: { EVENTS: '${TOYS}/events' }"


def serving(name: str, port: int, more: str = "", delay: float = 0) -> str:
    lines = [
        f"  {name}:",
        "    <<: *toy",
        f"    command: [serve, {name}, '{port}', '{delay}']",
        f"    expose: ['{port}']",
        f"    {SERVES.replace('PORT', str(port))}",
        *(f"    {line}" for line in (more or EVENTS).splitlines()),
    ]
    return "\n".join(lines) + "\n"


def needing(url: str, *services: str, condition: str = "service_healthy") -> str:
    needs = ", ".join(f"{name}: {{ condition: {condition} }}" for name in services)
    return f"environment: {{ EVENTS: '${{TOYS}}/events', NEEDS: '{url}' }}\ndepends_on: {{ {needs} }}"


def once(name: str, code: int, policy: str = "'no'") -> str:
    return f"  {name}:\n    <<: *toy\n    restart: {policy}\n    command: [once, {name}, '{code}']\n    {EVENTS}\n"


def answer(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
        return str(reply.read().decode())


def test_what_is_needed_is_healthy_first_and_leaves_last(toys: Toys) -> None:
    toys.write(serving("late", 8380, delay=0.5) + serving("user", 8381, needing("http://late:8380/", "late")))
    up = toys.run("up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert f"user got http://127.0.0.1:{8380 + toys.offset}/" in toys.events()
    assert toys.unit("user")["restarts"] == 0
    assert toys.run("down").returncode == 0
    assert [event for event in toys.events() if event.endswith("stops")] == ["user stops", "late stops"]


def test_a_one_shot_is_done_before_who_waits_for_it(toys: Toys) -> None:
    toys.write(
        once("first", 0) + serving("then", 8380, needing("", "first", condition="service_completed_successfully"))
    )
    assert toys.run("up").returncode == 0
    assert toys.events()[0] == "first ends with 0"
    assert toys.unit("first")["state"] == "done"


def test_a_failed_one_shot_fails_up_and_shows_its_log(toys: Toys) -> None:
    toys.write(once("bad", 7) + serving("then", 8380, needing("", "bad", condition="service_completed_successfully")))
    up = toys.run("up")
    assert up.returncode == 1
    assert "bad is failed: exit code 7" in up.stdout
    assert "bad ends with 7" in up.stdout
    assert toys.unit("then")["state"] == "waiting"


def test_what_fails_is_tried_again_with_longer_pauses(toys: Toys) -> None:
    job = "  job:\n    <<: *toy\n    restart: on-failure\n    command: [flaky, job, '${TOYS}/count', '3']\n"
    toys.write(job + f"    {EVENTS}\n")
    assert toys.run("up").returncode == 0
    assert toys.events() == ["job try 1", "job try 2", "job try 3", "job try 4"]
    log = (toys.state_dir / "logs" / "runner.log").read_text()
    assert [pause in log for pause in ("again in 0.2 s", "again in 0.4 s", "again in 0.8 s")] == [True] * 3


def test_what_never_comes_up_fails_up(toys: Toys) -> None:
    toys.write(once("loop", 3, policy="always"))
    up = toys.run("up")
    assert up.returncode == 1
    assert "loop is restarting" in up.stdout


def test_replicas_have_ports_of_their_own_and_are_addressed_all(toys: Toys) -> None:
    deploy = f"deploy: {{ replicas: 2 }}\n{EVENTS}"
    toys.write(serving("pair", 8380, deploy) + serving("user", 8385, needing("http://pair:8380/", "pair")))
    assert toys.run("up").returncode == 0
    assert [answer(8380 + toys.offset), answer(8381 + toys.offset)] == ["0", "1"]
    got = [event for event in toys.events() if event.startswith("user got")]
    assert got == [f"user got http://127.0.0.1:{8380 + toys.offset + index}/" for index in (0, 1)]


def test_what_is_killed_comes_back(toys: Toys) -> None:
    toys.write(serving("phoenix", 8380))
    assert toys.run("up").returncode == 0
    before = toys.unit("phoenix")["pid"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: toys.unit("phoenix")["restarts"] == 1, "it is started again")
    eventually(lambda: toys.unit("phoenix")["state"] == "healthy", "it is healthy again")
    assert toys.unit("phoenix")["pid"] != before


def test_a_second_up_says_so_and_changes_nothing(toys: Toys) -> None:
    toys.write(serving("one", 8380))
    assert toys.run("up").returncode == 0
    before = toys.unit("one")["pid"]
    again = toys.run("up")
    assert again.returncode == 0
    assert "already up" in again.stdout
    assert toys.unit("one")["pid"] == before


def test_a_taken_port_is_refused_by_number_and_owner_before_anything_starts(toys: Toys) -> None:
    toys.write(once("first", 0) + serving("one", 8380))
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mine.bind(("127.0.0.1", 8380 + toys.offset))
        mine.listen()
        up = toys.run("up")
    assert up.returncode == 1
    assert f"port {8380 + toys.offset} (one) is taken by" in up.stderr
    assert f"(pid {os.getpid()}:" in up.stderr
    assert toys.events() == []


def test_who_does_not_leave_in_time_is_killed_with_its_children(toys: Toys) -> None:
    toys.write(f"  mule:\n    <<: *toy\n    command: [stubborn, mule]\n    stop_grace_period: 300ms\n    {EVENTS}\n")
    assert toys.run("up").returncode == 0
    eventually(lambda: bool(toys.events()), "it has a child")
    child = int(toys.events()[0].split()[-1])
    assert toys.run("down").returncode == 0
    assert not alive(child)
    assert not alive(toys.unit("mule")["pid"])


def test_after_a_kill_of_the_runner_down_sweeps_the_orphans(toys: Toys) -> None:
    toys.write(f"  mule:\n    <<: *toy\n    command: [stubborn, mule]\n    {EVENTS}\n" + serving("one", 8380))
    assert toys.run("up").returncode == 0
    eventually(lambda: any("child" in event for event in toys.events()), "it has a child")
    child = next(int(event.split()[-1]) for event in toys.events() if "child" in event)
    os.kill(toys.state()["supervisor"], signal.SIGKILL)
    eventually(lambda: not alive(toys.unit("one")["pid"]), "the runner's own children die with it")
    assert alive(child)  # nobody has told the grandchild
    down = toys.run("down")
    assert f"({child})" in down.stdout
    assert not alive(child)


def test_after_a_kill_of_the_runner_up_sweeps_and_starts(toys: Toys) -> None:
    toys.write(f"  mule:\n    <<: *toy\n    command: [stubborn, mule]\n    stop_grace_period: 300ms\n    {EVENTS}\n")
    assert toys.run("up").returncode == 0
    eventually(lambda: bool(toys.events()), "it has a child")
    child = int(toys.events()[0].split()[-1])
    os.kill(toys.state()["supervisor"], signal.SIGKILL)
    up = toys.run("up")
    assert up.returncode == 0
    assert not alive(child)
    assert "swept" in up.stdout


def test_a_pid_that_is_somebody_else_s_by_now_is_left_alone(toys: Toys) -> None:
    toys.write(serving("one", 8380))
    assert toys.run("up").returncode == 0
    assert toys.run("down").returncode == 0
    stranger = toys.start("logs", "-f")
    told = toys.state()
    told["units"][0].update(pid=stranger.pid, started="1", state="healthy")
    (toys.state_dir / "state.json").write_text(json.dumps(told))
    assert toys.run("down").returncode == 0
    assert alive(stranger.pid)
    stranger.kill()
    stranger.communicate()


def test_status_and_logs(toys: Toys) -> None:
    toys.write(serving("one", 8380) + once("first", 0))
    assert toys.run("status").returncode == 1
    assert toys.run("up").returncode == 0
    status = json.loads(toys.run("status", "--json").stdout)
    rows = {row["name"]: row for row in status["services"]}
    assert rows["one"]["memory_mb"] > 1
    assert rows["first"]["pids"] == []
    each_rounded = 0.2
    assert status["memory_mb"] >= rows["one"]["memory_mb"] + status["runner"]["memory_mb"] - each_rounded
    assert toys.run("logs", "first").stdout == "first ends with 0\n"
    assert toys.run("logs", "nobody").returncode == 1


def test_in_the_foreground_it_shows_all_logs_and_control_c_stops_it(toys: Toys) -> None:
    toys.write(serving("one", 8380) + once("first", 0))
    runner = toys.start("up", "--foreground")
    eventually(lambda: len(toys.events()) == 2, "both have begun")
    runner.send_signal(signal.SIGINT)
    output, _ = runner.communicate(timeout=20)
    assert runner.returncode == 0
    assert f"one    | one serves {8380 + toys.offset}" in output
    assert "first  | first ends with 0" in output
    assert "one stops" in toys.events()


def test_what_is_left_out_counts_as_met(toys: Toys) -> None:
    toys.write(once("bad", 1) + serving("then", 8380, needing("", "bad", condition="service_completed_successfully")))
    assert toys.run("up", "--without", "bad").returncode == 0
    assert [unit["name"] for unit in toys.state()["units"]] == ["then"]


def alive(pid: int | None) -> bool:
    return pid is not None and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_a_watch_that_is_cancelled_as_its_check_answers_ends() -> None:
    answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def check() -> str | None:
        return await answer

    async def watch() -> None:
        await checked(check, 5)
        await asyncio.Event().wait()

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answer.set_result("no answer")
    await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait({watching}, timeout=2)
    assert watching.cancelled()
