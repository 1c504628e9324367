"""A model in another host, asked over the Open Inference Protocol."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import orjson
import pytest

from services.chassis.errors import Unavailable
from services.open_inference import read_request, read_tensors, write_answer
from services.prediction import Context, Predict, Prediction, PredictionRequest
from services.sources.remote import RemoteRefused, remote

INPUTS = {"features": np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)}
REQUEST = PredictionRequest("tiny", INPUTS)
Handler = Callable[[httpx.Request], httpx.Response]


def asking(handler: Handler, addresses: str = "http://a:1,http://b:1") -> Predict:
    return remote(httpx.AsyncClient(transport=httpx.MockTransport(handler)), addresses, timeout_seconds=0.5)


def echo(request: httpx.Request) -> httpx.Response:
    """A host that answers with its inputs."""
    inputs = read_tensors(read_request(request.content).inputs)
    answer = Prediction(REQUEST.id, "tiny", "3", {"doubled": inputs["features"] * 2}, "default", "timeout")
    return httpx.Response(200, content=write_answer(answer))


async def test_tensors_and_marks_come_back_unchanged() -> None:
    prediction = await asking(echo)(REQUEST)
    np.testing.assert_array_equal(prediction.outputs["doubled"], INPUTS["features"] * 2)
    assert prediction.outputs["doubled"].dtype == np.float32
    assert (prediction.id, prediction.version) == (REQUEST.id, "3")
    assert (prediction.served_by, prediction.reason) == ("default", "timeout")


async def test_who_asked_is_passed_on() -> None:
    seen: list[httpx.Headers] = []
    predict = asking(lambda request: seen.append(request.headers) or echo(request))  # type: ignore[func-returns-value]
    await predict(REQUEST)
    await predict(replace(REQUEST, context=Context(language="ja", client="kiosk")))
    assert "x-client" not in seen[0]
    assert (seen[1]["accept-language"], seen[1]["x-client"]) == ("ja", "kiosk")


async def test_hosts_take_turns() -> None:
    asked: list[str] = []
    predict = asking(lambda request: asked.append(str(request.url)) or echo(request))  # type: ignore[func-returns-value]
    for _ in range(3):
        await predict(REQUEST)
    paths = [f"http://{host}:1/v2/models/tiny/infer" for host in ("a", "b", "a")]
    assert asked == paths


async def test_an_address_may_name_the_model() -> None:
    asked: list[str] = []
    predict = asking(
        lambda request: asked.append(request.url.path) or echo(request),  # type: ignore[func-returns-value]
        "http://a:1/v2/models/image_quick",
    )
    await predict(REQUEST)
    assert asked == ["/v2/models/image_quick/infer"]


async def test_a_host_that_is_away_is_skipped() -> None:
    def half(request: httpx.Request) -> httpx.Response:
        if request.url.host == "a":
            raise httpx.ConnectError("refused", request=request)
        return echo(request)

    predict = asking(half)
    assert [(await predict(REQUEST)).version for _ in range(2)] == ["3", "3"]


async def test_with_all_hosts_away_the_model_is_unavailable() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unavailable, match="No host of tiny"):
        await asking(away)(REQUEST)


async def test_a_late_host_is_a_timeout_and_not_asked_twice() -> None:
    asked: list[str] = []

    def late(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        raise httpx.ReadTimeout("late", request=request)

    with pytest.raises(TimeoutError):
        await asking(late)(REQUEST)
    assert asked == ["a"]


async def test_a_refusal_is_the_callers() -> None:
    body = orjson.dumps({"title": "The input is not valid.", "detail": "inputs.features: missing"})
    with pytest.raises(RemoteRefused, match="missing") as refused:
        await asking(lambda _: httpx.Response(422, content=body))(REQUEST)
    assert refused.value.status == 422


async def test_a_failing_host_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await asking(lambda _: httpx.Response(500, text="oops"))(REQUEST)
