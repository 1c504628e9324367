"""Two lanes, one answer: whatever is sent to `infer`, the fast lane answers as FastAPI's does."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.service import Service
from services.prediction import PredictionRequest
from services.predictors import Predictors
from tests import tokens
from tests.services.inference_sync.conftest import MAX_BYTES
from tests.services.inference_sync.test_inference_sync import BODIES, INFER, REFUSED, TENSOR, inputs, tensor

Lanes = tuple[httpx.AsyncClient, httpx.AsyncClient]
GOOD = json.dumps({"id": "mine", "inputs": [TENSOR]}).encode()
FLOATS = np.array([[1, 2.5, 3, 4]], np.float32)


def binary(array: np.ndarray[Any, Any], *, tail: bytes | None = None, **more: Any) -> tuple[bytes, dict[str, str]]:
    """A body with a raw tensor behind its JSON, and the header that says so."""
    raw = array.tobytes() if tail is None else tail
    one = {
        "name": "features",
        "datatype": "FP32",
        "shape": list(array.shape),
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"id": "mine", "inputs": [one | more.pop("tensor", {})], **more}).encode()
    return head + raw, {"Inference-Header-Content-Length": str(len(head))}


WANTED: dict[str, Any] = {"outputs": [{"name": "violation", "parameters": {"binary_data": True}}]}
BINARY: dict[str, tuple[bytes, dict[str, str]]] = {
    "raw in, JSON out": binary(FLOATS),
    "raw in, raw out": binary(FLOATS, parameters={"binary_data_output": True}),
    "one output raw": binary(FLOATS, **WANTED),
    "JSON in, raw out": (json.dumps({"id": "mine", "inputs": [TENSOR], **WANTED}).encode(), {}),
    "cut short": binary(FLOATS, tail=FLOATS.tobytes()[:-1]),
    "too long": binary(FLOATS, tail=FLOATS.tobytes() + b"\0"),
    "bytes left over": (binary(FLOATS)[0] + b"\0", binary(FLOATS)[1]),
    "less than it says": (binary(FLOATS)[0][:-2], binary(FLOATS)[1]),
    "float16": binary(FLOATS.astype(np.float16), tensor={"datatype": "FP16"}),
    "float16 that calls itself float32": binary(FLOATS.astype(np.float16)),
    "NaN": binary(np.array([[1, 2, np.nan, 4]], np.float32)),
    "infinity": binary(np.array([[1, 2, -np.inf, 4]], np.float32)),
    "out of range": binary(FLOATS * 1000),
    "data twice": binary(FLOATS, tensor={"data": [1, 2, 3, 4]}),
    "a negative size": binary(FLOATS, tensor={"parameters": {"binary_data_size": -1}}),
    "a size of text": binary(FLOATS, tensor={"parameters": {"binary_data_size": "16"}}),
    "a size that is true": binary(FLOATS, tensor={"parameters": {"binary_data_size": True}}),
    "no JSON at all": (b"", {"Inference-Header-Content-Length": "0"}),
    "a header beyond the body": (GOOD, {"Inference-Header-Content-Length": "9999"}),
    "a header that is no number": (GOOD, {"Inference-Header-Content-Length": "x"}),
    "a negative header": (GOOD, {"Inference-Header-Content-Length": "-5"}),
}
MORE: dict[str, bytes] = {
    "the usual": GOOD,
    "no id": inputs(tensor(b"[1,2,3,4]")),
    "an id of null": b'{"id":null,"inputs":[%s]}' % tensor(b"[1,2,3,4]"),
    "an id of 5": b'{"id":5,"inputs":[%s]}' % tensor(b"[1,2,3,4]"),
    "an id without end": b'{"id":"%s","inputs":[%s]}' % (b"x" * 201, tensor(b"[1,2,3,4]")),
    "parameters": json.dumps({"inputs": [TENSOR], "parameters": {"priority": 1}}).encode(),
    "parameters of null": json.dumps({"inputs": [TENSOR], "parameters": None}).encode(),
    "parameters of a tensor": json.dumps({"inputs": [TENSOR | {"parameters": {"x": 1}}]}).encode(),
    "strange parameters of a tensor": json.dumps({"inputs": [TENSOR | {"parameters": 5}]}).encode(),
    "a size without a header": json.dumps({"inputs": [TENSOR | {"parameters": {"binary_data_size": 16}}]}).encode(),
    "outputs of null": json.dumps({"inputs": [TENSOR], "outputs": None}).encode(),
    "outputs": json.dumps({"inputs": [TENSOR], "outputs": [{"name": "violation"}]}).encode(),
    "what nobody knows": json.dumps({"inputs": [TENSOR | {"colour": [1]}], "weather": {"a": [[]]}}).encode(),
    "a shape of true": inputs(tensor(b"[1,2,3,4]", b"[true,4]")),
    "a shape of 1.0": inputs(tensor(b"[1,2,3,4]", b"[1.0,4]")),
    "two tensors": inputs(tensor(b"[1,2,3,4]"), tensor(b"[1,2,3,4]").replace(b"features", b"more")),
    "33 tensors": inputs(*[tensor(b"[1,2,3,4]")] * 33),
    "white space": b" \n" + GOOD + b"\n ",
    "something behind it": GOOD + b"x",
    "a key twice": b'{"inputs":[],"inputs":[%s]}' % tensor(b"[1,2,3,4]"),
    "no text": GOOD.replace(b"mine", b"\xff\xfe"),
    "half a surrogate": GOOD.replace(b"mine", b"\\ud800"),
    "too large for 32 bits": inputs(tensor(b"[1,2,3,3.5e38]")),
    "a body over the limit": b" " * (MAX_BYTES + 1),
    "the largest body": GOOD + b" " * (MAX_BYTES - len(GOOD)),
}  # fmt: skip
SENT: dict[str, tuple[bytes, dict[str, str]]] = {
    **{what: (json.dumps({"inputs": [TENSOR | changes]}).encode(), {}) for what, (changes, *_) in REFUSED.items()},
    **{what: (body, {}) for what, body in (BODIES | MORE).items()},
    **{f"binary: {what}": sent for what, sent in BINARY.items()},
}
FLOWING = ("id", "prediction_id", "request_id")
"""What is another one in every answer."""


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All of an answer that must not depend on the lane."""
    size = answer.headers.get("inference-header-content-length")
    body = json.loads(answer.content[: int(size) if size else None])
    if answer.is_success:
        tail = answer.content[int(size) :] if size else b""
        kept = {**body, "parameters": body["parameters"] | {"prediction_id": ""}}
        return (
            answer.status_code,
            answer.headers["content-type"],
            tail,
            kept | ({} if body["id"] == "mine" else {"id": ""}),
        )
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, {name: value for name, value in body.items() if name not in FLOWING}


@pytest.mark.parametrize("what", SENT)
async def test_both_lanes_give_the_same_answer(lanes: Lanes, what: str) -> None:
    body, headers = SENT[what]
    fast, slow = [await lane.post(INFER, content=body, headers=headers | {"x-request-id": "r"}) for lane in lanes]
    assert told(fast) == told(slow)
    assert fast.headers["x-request-id"] == slow.headers["x-request-id"] == "r"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=6), st.integers(0, len(GOOD)), st.integers(0, 3))
async def test_both_lanes_agree_about_damage(lanes: Lanes, noise: bytes, place: int, lost: int) -> None:
    body = GOOD[:place] + noise + GOOD[place + lost :]
    fast, slow = [await lane.post(INFER, content=body) for lane in lanes]
    if fast.is_success:
        assert fast.json()["outputs"] == slow.json()["outputs"]
    else:
        assert told(fast) == told(slow)


async def test_float16_is_refused_with_the_reason(lanes: Lanes) -> None:
    """Who was trained in float32 and is asked in float16 answers, and wrongly: nobody notices for weeks."""
    for lane in lanes:
        for body, headers in (
            BINARY["float16"],
            (json.dumps({"inputs": [TENSOR | {"datatype": "FP16"}]}).encode(), {}),
        ):
            (fault,) = (await lane.post(INFER, content=body, headers=headers)).json()["errors"]
            assert fault == {"where": "inputs.features.datatype", "what": "is FP16", "allowed": "FP32"}


async def test_raw_tensors_give_the_same_numbers_as_json(lanes: Lanes) -> None:
    for lane in lanes:
        body, headers = BINARY["raw in, raw out"]
        raw = await lane.post(INFER, content=body, headers=headers)
        head = int(raw.headers["inference-header-content-length"])
        (output,) = json.loads(raw.content[:head])["outputs"]
        assert output["parameters"]["binary_data_size"] == 12
        numbers = np.frombuffer(raw.content[head:], np.float32)
        expected = (await lane.post(INFER, content=GOOD)).json()["outputs"][0]["data"]
        np.testing.assert_allclose(numbers, expected, rtol=1e-6)


async def test_the_fast_lane_takes_the_usual_request_in_itself(
    lanes: Lanes, service: tuple[Service, Predictors], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all of the above would compare FastAPI's decoder with itself."""
    monkeypatch.setattr("services.inference_sync.fast_lane.decoded_anywhere", None)
    assert (await lanes[0].post(INFER, content=GOOD)).status_code == 200
    metrics = (await lanes[0].get("/metrics")).text
    assert 'http_requests_total{method="POST",route="/v2/models/{name}/infer",status="200"} 1.0' in metrics


async def test_both_lanes_tell_who_asked(service: tuple[Service, Predictors], lanes: Lanes) -> None:
    seen: list[PredictionRequest] = []
    predictor = service[1]["tiny"]
    real = predictor.predict

    async def noting(request: PredictionRequest) -> Any:
        seen.append(request)
        return await real(request)

    def noting_at_once(request: PredictionRequest) -> Any:
        seen.append(request)
        assert predictor_at_once
        return predictor_at_once(request)

    predictor_at_once = predictor.at_once
    object.__setattr__(predictor, "predict", noting)
    object.__setattr__(predictor, "at_once", noting_at_once)
    subject = "018f0000-0000-7000-8000-000000000001"
    token = tokens.token(sub=subject, simulated=True)  # type: ignore[arg-type]
    headers = {
        "authorization": f"Bearer {token}", "accept-language": "ja-JP,en;q=0.5", "x-client": "kiosk",
        "x-request-id": "r1", "x-over-limit": "true",
    }  # fmt: skip
    for lane in lanes:
        await lane.post(INFER, content=GOOD, headers=headers)
        await lane.post(INFER, content=GOOD, headers={"authorization": "Bearer forged"})
        await lane.post(INFER, json={"inputs": [TENSOR], "parameters": {"over_limit": True, "mine": 1}})
    for told_about, forged, own in (seen[:3], seen[3:]):
        context = told_about.context
        assert (context.subject, context.simulated) == (subject, True)
        assert (context.language, context.client, context.request_id) == ("ja-JP", "kiosk", "r1")
        assert told_about.parameters == {"over_limit": True}
        assert (forged.context.subject, forged.context.simulated) == ("", False)
        assert own.parameters == {"mine": 1}


async def test_over_the_limit_the_default_answers(lanes: Lanes) -> None:
    for lane in lanes:
        body = (await lane.post(INFER, content=GOOD, headers={"x-over-limit": "true"})).json()
        assert body["parameters"]["served_by"] == "default"
        assert body["parameters"]["reason"] == "over_limit"


async def test_a_bug_is_no_silence(lanes: Lanes, service: tuple[Service, Predictors]) -> None:
    async def broken(request: PredictionRequest) -> Any:
        raise RuntimeError("a bug")

    def broken_at_once(request: PredictionRequest) -> Any:
        raise RuntimeError("a bug")

    object.__setattr__(service[1]["tiny"], "predict", broken)
    object.__setattr__(service[1]["tiny"], "at_once", broken_at_once)
    fast, slow = [await lane.post(INFER, content=GOOD) for lane in lanes]
    assert fast.status_code == 500
    assert told(fast) == told(slow)


@pytest.mark.parametrize(
    "path", ["/v2/models/unicorn/infer", "/v2/models/tiny/versions/1/infer", "/v2/models/tiny/versions/2/infer"]
)
async def test_what_the_lane_does_not_know_goes_past_it(lanes: Lanes, path: str) -> None:
    fast, slow = [await lane.post(path, content=GOOD) for lane in lanes]
    assert told(fast) == told(slow)
    assert (await lanes[0].get(INFER)).status_code == 405
