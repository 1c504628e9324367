"""What a person sees: progress, the end of a log, the first line of a command."""

from pathlib import Path

import httpx
import pytest

from scripts.runner import promotion, training
from scripts.runner.board import Record, State
from scripts.runner.display import Lines, last_line
from scripts.runner.following import Tail
from scripts.runner.journal import cut, rotate
from scripts.runner.site import ROOT
from scripts.runner.up import hopeless

COMMANDS = [path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and not path.suffix]


def record(state: str, **more: object) -> Record:
    made = Record("items", "items", "items.log", {}, False, state=state)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_lines_say_what_changed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    lines = Lines(tmp_path, clock=lambda: now[0])
    for seconds, state in enumerate(("waiting", "starting", "starting", "healthy", "healthy")):
        now[0] = float(seconds)
        lines.show(State(units=[record(state)]))
    assert capsys.readouterr().out == "   1.0 s  starting   items\n   3.0 s  healthy    items\n"


def test_what_was_up_before_is_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(tmp_path, clock=lambda: 0.0)
    lines.show(State(units=[record("healthy")]))
    assert capsys.readouterr().out == ""


def test_after_a_while_the_log_of_what_is_not_there_yet_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.log").write_text("progress 1\nprogress 2\n")
    now = [0.0]
    lines = Lines(tmp_path, clock=lambda: now[0])
    for seconds in (0.0, 3.0, 60.0, 61.0):
        now[0] = seconds
        lines.show(State(units=[record("starting")]))
    assert capsys.readouterr().out == "   0.0 s  starting   items\n  60.0 s  items: progress 2\n"


def test_the_last_line_of_a_bar_that_repaints_itself(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"start\n 10 %\r 20 %\r 30 %")
    assert last_line(tmp_path / "log") == " 30 %"
    assert last_line(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("made", "lost"),
    [
        (record("failed"), True),
        (record("unhealthy"), True),
        (record("restarting", restarts=5), True),
        (record("restarting", restarts=4), False),
        (record("restarting", restarts=9, been_healthy=True), False),
        (record("starting"), False),
        (record("done", restarts=7), False),
    ],
)
def test_when_up_gives_up(made: Record, lost: bool) -> None:
    assert hopeless(made) is lost


def test_logs_are_rotated_and_cut(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for content in ("1", "2", "3", "4", "5"):
        log.write_text(content)
        rotate(log)
    assert not log.exists()
    assert [(tmp_path / f"a.log.{number}").read_text() for number in (1, 2, 3)] == ["5", "4", "3"]
    assert not (tmp_path / "a.log.4").exists()
    log.write_text("0123456789")
    cut(log, limit=4)
    assert (log.read_text(), (tmp_path / "a.log.1").read_text()) == ("", "6789")


def test_following_goes_on_after_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\n")
    tail = Tail(log, from_end=True)
    with log.open("a") as file:
        file.write("new\nhal")
    assert list(tail.lines()) == ["new"]
    with log.open("a") as file:
        file.write("f\n")
    assert list(tail.lines()) == ["half"]
    log.write_text("next\n")
    assert list(tail.lines()) == ["next"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.name)
def test_a_command_is_short_and_listed(command: Path) -> None:
    lines = command.read_text().splitlines()
    assert len(lines) <= 15
    assert lines[1].startswith("# ")
    assert command.stat().st_mode & 0o111
    assert f"| `{command.name}" in (ROOT / "scripts" / "README.md").read_text()


def registry(request: httpx.Request) -> httpx.Response:
    path = request.url.path
    if path.endswith("model-versions/get") and request.url.params["version"] == "2":
        return httpx.Response(200, json={"model_version": {"version": "2", "tags": []}})
    if path.endswith("model-versions/get"):
        return httpx.Response(404, json={"message": "Model Version (version=9) not found"})
    if request.method == "GET":
        return httpx.Response(200, json={"model_version": {"version": "1"}})
    return httpx.Response(200, json={})


def test_promotion_says_who_was_champion_before() -> None:
    client = httpx.Client(transport=httpx.MockTransport(registry), base_url="http://mlflow")
    had, version = promotion.promote(client, "text_violation", "2")
    assert (had, version["version"]) == ("1", "2")


def test_a_version_that_does_not_exist_is_not_promoted() -> None:
    client = httpx.Client(transport=httpx.MockTransport(registry), base_url="http://mlflow")
    with pytest.raises(promotion.NotPromoted, match="not found"):
        promotion.promote(client, "text_violation", "9")


def trainer(states: list[dict[str, object]]) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202 if request.method == "POST" else 200, json={"id": "7", **states.pop(0)})

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://gateway")


def test_training_is_followed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    running = {"state": "running", "progress": 0.5, "stage": "text_violation/train"}
    end = {"state": "succeeded", "progress": 1.0, "versions": {"text_violation": "3"}}
    states: list[dict[str, object]] = [{"state": "queued"}, running, running, end]
    assert training.train(trainer(states), ["text_violation"], pause=lambda _: None) == 0
    assert capsys.readouterr().out.splitlines() == [
        "train: running 50 % text_violation/train",
        "train: succeeded 100 %",
        "train: text_violation is version 3; scripts/promote text_violation 3 makes it the champion",
    ]


def test_training_that_fails_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    states: list[dict[str, object]] = [{"state": "queued"}, {"state": "failed", "error": "no data"}]
    assert training.train(trainer(states), ["text_violation"], pause=lambda _: None) == 1
    assert "no data" in capsys.readouterr().err
