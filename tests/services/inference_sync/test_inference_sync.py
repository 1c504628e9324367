"""The host over the Open Inference Protocol: what it serves, and what it refuses with the reason."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis.http import App
from services.inference_sync import main
from services.predictors import Predictors, declared_models
from tests.conftest import MakeBackends, MakeClient

TENSOR: dict[str, Any] = {"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2.5, 3, 4]}
INFER = "/v2/models/tiny/infer"


async def test_the_host_says_what_it_is(http: httpx.AsyncClient) -> None:
    assert {"name", "version", "extensions"} <= (await http.get("/v2")).json().keys()
    assert (await http.get("/v2/health/live")).json() == {"live": True}
    assert (await http.get("/v2/health/ready")).json() == {"ready": True}
    assert (await http.get("/health/ready")).status_code == 200


async def test_a_model_is_ready_once_it_is_loaded(host: tuple[App, Predictors], http: httpx.AsyncClient) -> None:
    before = await http.get("/v2/models/tiny/ready")
    assert (before.status_code, before.json()["ready"]) == (400, False)
    await host[1]["tiny"].source.look()
    after = await http.get("/v2/models/tiny/ready")
    assert (after.status_code, after.json()) == (200, {"name": "tiny", "ready": True})
    assert (await http.get("/v2/models/tiny/versions/1/ready")).status_code == 200
    assert (await http.get("/v2/models/tiny/versions/2/ready")).status_code == 400


async def test_metadata_is_the_contract(loaded: httpx.AsyncClient) -> None:
    metadata = (await loaded.get("/v2/models/tiny/versions/1")).json()
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"][0] == {
        "name": "features",
        "datatype": "FP32",
        "shape": [-1, 4],
        "parameters": {"meaning": "numbers", "minimum": 0.0, "maximum": 100.0, "language": ["en"]},
    }
    assert metadata["outputs"][0]["parameters"]["labels"] == ["ok", "spam", "abuse"]
    assert metadata["parameters"]["default"] == {"violation": [1.0, 0.0, 0.0]}


async def test_the_index_names_version_and_state(http: httpx.AsyncClient, host: tuple[App, Predictors]) -> None:
    (line,) = (await http.post("/v2/repository/index")).json()
    assert (line["name"], line["state"], line["version"]) == ("tiny", "UNAVAILABLE", "")
    assert (await http.post("/v2/repository/index", json={"ready": True})).json() == []
    await host[1]["tiny"].source.look()
    (line,) = (await http.post("/v2/repository/index", json={"ready": True})).json()
    assert (line["state"], line["version"], line["reason"]) == ("READY", "1", "")


@pytest.mark.parametrize("body", [b"[]", b"{", b"5"])
async def test_a_strange_index_request_is_no_crash(loaded: httpx.AsyncClient, body: bytes) -> None:
    assert (await loaded.post("/v2/repository/index", content=body)).status_code == 422


async def test_infer_answers_with_version_and_origin(loaded: httpx.AsyncClient) -> None:
    answer = await loaded.post(INFER, json={"id": "mine", "inputs": [TENSOR]})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["id"], body["model_name"], body["model_version"]) == ("mine", "tiny", "1")
    assert body["parameters"]["served_by"] == "model"
    (output,) = body["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("violation", "FP32", [1, 3])
    assert sum(output["data"]) == pytest.approx(1, abs=1e-5)


async def test_nested_data_is_the_same_as_flat(loaded: httpx.AsyncClient) -> None:
    rows = {"shape": [2, 4], "data": [1, 2, 3, 4, 5, 6, 7, 8]}
    nested = {"shape": [2, 4], "data": [[1, 2, 3, 4], [5, 6, 7, 8]]}
    answers = [(await loaded.post(INFER, json={"inputs": [TENSOR | data]})).json() for data in (rows, nested)]
    assert answers[0]["outputs"] == answers[1]["outputs"]
    assert answers[0]["outputs"][0]["shape"] == [2, 3]


async def test_outputs_can_be_selected(loaded: httpx.AsyncClient) -> None:
    chosen = {"inputs": [TENSOR], "outputs": [{"name": "violation"}]}
    assert [output["name"] for output in (await loaded.post(INFER, json=chosen)).json()["outputs"]] == ["violation"]


async def test_before_a_model_is_loaded_the_default_answers(http: httpx.AsyncClient) -> None:
    body = (await http.post(INFER, json={"inputs": [TENSOR]})).json()
    assert body["model_version"] == "default"
    assert body["parameters"] | {"served_by": "default", "reason": "not_loaded"} == body["parameters"]
    assert body["outputs"][0]["data"] == [1.0, 0.0, 0.0]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "float16 for float32": ({"datatype": "FP16"}, "inputs.features.datatype", "is FP16"),
    "integers for floats": ({"datatype": "INT64", "data": [1, 2, 3, 4]}, "inputs.features.datatype", "is INT64"),
    "no such datatype": ({"datatype": "FP8"}, "inputs.features.datatype", "is FP8"),
    "too few values": ({"data": [1]}, "inputs.features.data", "holds 1 values"),
    "another nesting": ({"data": [[1, 2], [3, 4]]}, "inputs.features.data", "not nested as its shape at depth 0"),
    "an uneven nesting": ({"data": [[1, 2, 3], [4]]}, "inputs.features.data", "not nested as its shape at depth 0"),
    "another shape": ({"shape": [4], "data": [1, 2, 3, 4]}, "inputs.features.shape", "is [4]"),
    "a negative shape": ({"shape": [-1, 4]}, "inputs.features.shape", "is [-1, 4]"),
    "no rows": ({"shape": [0, 4], "data": []}, "inputs.features.shape", "is [0, 4]"),
    "too many rows": ({"shape": [9, 4], "data": [1] * 36}, "inputs.features.shape", "9 rows"),
    "a value out of range": ({"data": [1, 2, 3, 101]}, "inputs.features.data", "largest value is 101.0"),
    "a number that overflows": ({"data": [1, 2, 3, 1e39]}, "inputs.features.data", "too large for FP32"),
    "a huge integer": ({"data": [1, 2, 3, 10**30]}, "inputs.features.data", "largest value"),
    "a fraction as integer": ({"datatype": "INT32"}, "inputs.features.datatype", "is INT32"),
    "texts": ({"data": ["1", "2", "3", "4"]}, "inputs.features.data", "holds str"),
    "booleans": ({"data": [True, False, True, 1]}, "inputs.features.data", "holds bool"),
    "nulls": ({"data": [None, 1, 2, 3]}, "inputs.features.data", "holds NoneType"),
    "objects": ({"data": [{}, 1, 2, 3]}, "inputs.features.data", "holds dict"),
    "no data": ({"data": None}, "inputs.features.data", "missing"),
    "a number for a list": ({"data": 5}, "inputs.features.data", "is no list"),
    "another name": ({"name": "pixels"}, "inputs.pixels", "unknown input"),
    "a shape of texts": ({"shape": ["1", 4]}, "inputs.0.shape.0", "integer"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_breaks_the_contract_is_refused_with_the_reason(loaded: httpx.AsyncClient, what: str) -> None:
    changes, where, reason = REFUSED[what]
    answer = await loaded.post(INFER, content=json.dumps({"inputs": [TENSOR | changes]}))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (fault,) = answer.json()["errors"]
    assert fault["where"] == where
    assert reason in fault["what"]
    assert fault["allowed"]


def tensor(data: bytes, shape: bytes = b"[1,4]") -> bytes:
    """An input as raw JSON, for what Python's own JSON would not write."""
    return b'{"name":"features","datatype":"FP32","shape":%s,"data":%s}' % (shape, data)


def inputs(*tensors: bytes) -> bytes:
    """A request of such inputs."""
    return b'{"inputs":[%s]}' % b",".join(tensors)


BODIES = {
    "NaN": inputs(tensor(b"[1,2,3,NaN]")),
    "Infinity": inputs(tensor(b"[1,2,3,Infinity]")),
    "an exponent that overflows": inputs(tensor(b"[1,2,3,1e999]")),
    "no JSON": b"\x00\xff",
    "nothing": b"",
    "a list": b"[]",
    "no inputs": inputs(),
    "an input twice": inputs(tensor(b"[1,2,3,4]"), tensor(b"[1,2,3,4]")),
    "an unknown output": inputs(tensor(b"[1,2,3,4]"))[:-1] + b',"outputs":[{"name":"colour"}]}',
    "deep nesting": inputs(tensor(b"[" * 900 + b"]" * 900)),
    "lists without end": inputs(tensor(b"[" + b"[]," * 50_000 + b"1]")),
    "bottomless nesting": b"[" * 100_000,
    "a size that no memory holds": inputs(tensor(b"[]", b"[99999999999,99999999999]")),
}


@pytest.mark.parametrize("what", BODIES)
async def test_a_broken_body_is_refused(loaded: httpx.AsyncClient, what: str) -> None:
    answer = await loaded.post(INFER, content=BODIES[what])
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


async def test_an_error_has_the_member_that_clients_of_the_protocol_read(loaded: httpx.AsyncClient) -> None:
    assert "is FP16" in (await loaded.post(INFER, json={"inputs": [TENSOR | {"datatype": "FP16"}]})).json()["error"]


async def test_a_large_body_is_decoded_in_the_same_way(loaded: httpx.AsyncClient) -> None:
    answer = await loaded.post(INFER, json={"inputs": [TENSOR], "parameters": {"filler": "x" * 70_000}})
    assert (answer.status_code, answer.json()["parameters"]["served_by"]) == (200, "model")


async def test_a_body_over_the_limit_is_refused(loaded: httpx.AsyncClient) -> None:
    answer = await loaded.post(INFER, content=b" " * 300_001)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("path", ["/v2/models/unicorn", "/v2/models/tiny/versions/9", "/v2/models/unicorn/ready"])
async def test_what_is_not_served_is_not_found(loaded: httpx.AsyncClient, path: str) -> None:
    answer = await loaded.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_text_is_answered_in_words(loaded: httpx.AsyncClient) -> None:
    answer = await loaded.post("/v2/models/tiny/predict", json={"text": "Two cats!"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["model"], body["version"], body["served_by"]) == ("tiny", "1", "model")
    assert body["violation"]["label"] in ("ok", "spam", "abuse")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'"text"', b'{"text": 5}', b'{"text": " "}', b"\xff\xd8\xff"])
async def test_what_is_no_text_is_refused(loaded: httpx.AsyncClient, body: bytes) -> None:
    answer = await loaded.post("/v2/models/tiny/predict", content=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_text_in_another_language_is_refused_with_the_reason(loaded: httpx.AsyncClient) -> None:
    answer = await loaded.post("/v2/models/tiny/predict", json={"text": "Продам кота"})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault == {"where": "body.text", "what": "is written in CYRILLIC", "allowed": "a text in en"}


async def test_predictions_are_counted(loaded: httpx.AsyncClient) -> None:
    await loaded.post(INFER, json={"inputs": [TENSOR]})
    metrics = (await loaded.get("/metrics")).text
    assert 'predictions_total{model="tiny",reason="",served_by="model",version="1"} 1.0' in metrics
    assert 'model_info{model="tiny",version="1"} 1.0' in metrics


async def test_every_model_under_models_is_offered(
    backends: MakeBackends, client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE", str(tmp_path))
    http = client(main.build(backends()))
    index = {line["name"] for line in (await http.post("/v2/repository/index")).json()}
    assert index == {model.manifest.name for model in declared_models()}
    assert "text_violation" in index
