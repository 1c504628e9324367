"""A batch job by hand: what is said when it is refused, done, or had nothing to do."""

import httpx
import pytest

from scripts.runner import batch

RUN = {
    "id": "1",
    "job": "rescore",
    "window_start": "2026-03-01T11:00:00Z",
    "window_end": "2026-03-01T12:00:00Z",
    "state": "waiting",
    "done": 0,
    "failed": 0,
    "total": None,
    "error": "",
    "failures": {},
}


def client(*answers: httpx.Response) -> httpx.Client:
    coming = iter(answers)
    return httpx.Client(base_url="http://platform", transport=httpx.MockTransport(lambda request: next(coming)))


def test_a_refusal_says_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"where": "job", "what": "there is no job x", "allowed": "rescore"}
    refused = httpx.Response(422, json={"title": "No such job.", "errors": [fault]})
    assert batch.run(client(refused), "x", None) == 1
    assert "No such job.; job: there is no job x (allowed: rescore)" in capsys.readouterr().err


def test_it_is_followed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    paused: list[float] = []
    ended = RUN | {"state": "done", "done": 5, "total": 5}
    answers = (httpx.Response(202, json=RUN), httpx.Response(200, json=RUN | {"state": "running"}))
    http = client(*answers, httpx.Response(200, json=ended))
    assert batch.run(http, "rescore", None, pause=paused.append) == 0
    assert len(paused) == 2
    assert "done, 5 done, 0 failed" in capsys.readouterr().out


def test_what_failed_is_shown_and_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    ended = RUN | {"state": "failed", "done": 1, "failed": 1, "failures": {"7": "unreadable"}}
    assert batch.run(client(httpx.Response(202, json=ended)), "rescore", None) == 1
    assert "7: unreadable" in capsys.readouterr().err


def test_nothing_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch.run(client(httpx.Response(202, json=RUN | {"state": "done"})), "rescore", None) == 0
    assert "nothing to do" in capsys.readouterr().out
