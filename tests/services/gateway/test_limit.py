"""More predictions than models may answer, and no host at all: never an error. A real Envoy in front of stubs."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from models.text_violation.contract import contract
from services.gateway_config.main import GatewaySettings, render
from services.gateway_config.routes import AFFINITY
from services.open_inference import read_answer
from services.prediction import PredictionRequest
from tests.servers import eventually, free_port
from tests.services.gateway.conftest import Gateway, gateway_to, replica
from tests.services.gateway.test_rules import GOOD, is_problem

PREDICT, INFER = "/v2/models/text_violation/predict", "/v2/models/text_violation/infer"


@pytest.fixture
def strict(envoy: str, jwks_file: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """A gateway that lets two predictions a second through to the model."""
    port = free_port()

    def settings() -> GatewaySettings:
        url = f"http://127.0.0.1:{port}"
        return GatewaySettings(
            jwks_file=jwks_file,
            listen_host="127.0.0.1",
            inference_sync_url=url,
            predictions_per_second=2,
            light_models="text_violation",
        )

    with replica(str(port)), gateway_to(envoy, tmp_path, settings) as gateway:
        eventually(lambda: gateway.healthy("inference-sync") == gateway.healthy(AFFINITY) == 1, "a healthy replica")
        with httpx.Client(base_url=gateway.url, headers=GOOD, timeout=20) as client:
            yield client


def marked(answer: httpx.Response) -> bool:
    assert answer.status_code == 200
    return "x-over-limit" in answer.json()["headers"]


def test_over_the_limit_requests_pass_and_are_marked(strict: httpx.Client) -> None:
    started = time.monotonic()
    marks = [marked(strict.post(path, content=b"x")) for path in (PREDICT, INFER) for _ in range(20)]
    seconds = time.monotonic() - started
    assert not any(marks[:2])
    assert 2 <= marks.count(False) <= 3 + 2 * seconds
    assert not any(marked(strict.get("/v2/models/text_violation")) for _ in range(10))


def test_nobody_else_may_say_so(strict: httpx.Client) -> None:
    headers = {"x-over-limit": "1"}
    assert not marked(strict.post(PREDICT, content=b"x", headers=headers))
    assert not marked(strict.get("/v2", headers=headers))


def test_who_is_not_signed_in_takes_nothing_from_the_others(strict: httpx.Client) -> None:
    for _ in range(20):
        assert strict.post(PREDICT, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert not marked(strict.post(PREDICT, content=b"x"))


def test_the_limit_can_be_switched_off(jwks_file: Path) -> None:
    def rendered(limit: int) -> str:
        return render(GatewaySettings(jwks_file=jwks_file, predictions_per_second=limit))

    assert '"max_tokens": 300' in render(GatewaySettings(jwks_file=jwks_file))
    assert "max_tokens" not in rendered(0)


@pytest.fixture
def alone(envoy: str, jwks_file: Path, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose only host of models has just died."""
    port = free_port()

    def settings() -> GatewaySettings:
        return GatewaySettings(
            jwks_file=jwks_file, listen_host="127.0.0.1", inference_sync_url=f"http://127.0.0.1:{port}"
        )

    with replica(str(port)) as process, gateway_to(envoy, tmp_path, settings) as gateway:
        eventually(lambda: gateway.healthy("inference-sync") == 1, "a healthy replica")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        yield gateway


def test_without_a_host_the_declared_default_answers(alone: Gateway) -> None:
    with httpx.Client(base_url=alone.url, headers=GOOD, timeout=20) as http:
        answers = [http.post(path, content=b"x", params={"a": "b"}) for path in (PREDICT, INFER) * 10]
        assert {answer.status_code for answer in answers} == {200}
        is_problem(http.post("/v2/models/unknown/infer", content=b"x"), 503)
        is_problem(http.get("/v2/models/text_violation"), 503)
    words, tensors = answers[0].json(), answers[1]
    assert (words["served_by"], words["reason"], words["version"]) == ("default", "no_host", "default")
    assert words["violation"]["label"] == "ok"
    prediction = read_answer(tensors.content, PredictionRequest("text_violation", {}))
    assert (prediction.served_by, prediction.reason) == ("default", "no_host")
    np.testing.assert_array_equal(prediction.outputs["violation"], [contract().default["violation"]])
    assert httpx.post(f"{alone.url}{PREDICT}").status_code == 401


def test_such_answers_are_written_down(alone: Gateway) -> None:
    httpx.post(f"{alone.url}{PREDICT}", headers=GOOD, content=b"x", timeout=20)

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in alone.log.read_text().splitlines() if line.startswith("{")]

    eventually(lambda: any(line["action"] == "prediction.defaulted" for line in lines()), "a line in the log")
