"""Others' client of the protocol works unchanged: through the gateway with a token, inside without one."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest

from tests.journeys.test_inference import MODELS
from tests.platform import Platform, photo

SECONDS = 90


def ask(*arguments: str) -> Any:
    """What the client prints."""
    command = [sys.executable, "-m", "tests.journeys.others_client", *arguments]
    ran = subprocess.run(command, input=photo("cat"), capture_output=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stderr.decode()[-3000:]
    return json.loads(ran.stdout)


def right(answers: Any, expected: dict[str, Any]) -> None:
    """Both roads work, and give the same numbers as the friendly one."""
    for road, answer in answers.items():
        assert answer["live"], road
        assert answer["ready"], road
        assert (answer["metadata"], answer["embedding"]) == ("image_screening", 128)
        assert set(MODELS) <= set(answer["index"])
        assert max(answer["category"]) == pytest.approx(expected["category"]["score"], abs=1e-4)
        assert "is FP16" in answer["refused"], road


def test_through_the_gateway_with_a_token(platform: Platform) -> None:
    user = platform.user()
    address, token = urlsplit(platform.url).netloc, user.http.headers["authorization"].removeprefix("Bearer ")
    friendly = user.http.post("/v2/models/image_screening/predict", content=photo("cat")).json()
    right(ask(address, address, token), friendly)


def test_inside_no_token_is_needed(platform: Platform) -> None:
    rest, grpc_ = platform.inside("inference-sync"), platform.inside("inference-sync", "inference-sync-grpc")
    if not rest:
        pytest.skip("the inside of a platform that was not started here cannot be reached")
    friendly = platform.user().http.post("/v2/models/image_screening/predict", content=photo("cat")).json()
    for addresses in zip(rest, grpc_, strict=True):
        right(ask(*addresses), friendly)


def test_without_a_token_the_gateway_refuses(platform: Platform) -> None:
    with grpc.insecure_channel(urlsplit(platform.url).netloc) as channel:
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        with pytest.raises(grpc.RpcError) as caught:
            live(b"", timeout=10)
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
