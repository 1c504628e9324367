"""The protocol over gRPC: one contract with REST, the same answers, errors with a code, a place and a reason."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import httpx
import numpy as np
import pytest

from services.chassis.service import Service
from services.inference_sync import open_inference_pb2
from services.inference_sync.asking import Askers
from services.inference_sync.rpc import NAME, Rpc, server
from services.inference_sync.rpc_answer import written
from services.inference_sync.switches import Switches
from services.prediction import PredictionRequest
from services.predictors import Predictors
from tests import tokens
from tests.services.inference_sync.conftest import MAX_BATCH, MAX_BYTES
from tests.services.inference_sync.test_inference_sync import INFER, TENSOR

protocol: Any = open_inference_pb2
FLOATS = np.array([[1, 2.5, 3, 4]], np.float32)


class Client:
    """Asks one host."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    async def __call__(self, method: str, metadata: tuple[tuple[str, str], ...] = (), **fields: Any) -> Any:
        about = protocol.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name[method]
        call = self._channel.unary_unary(
            f"/{NAME}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(protocol, about.output_type.name).FromString,
        )
        return await call(getattr(protocol, about.input_type.name)(**fields), metadata=metadata)

    async def raw(self, body: bytes) -> Any:
        """Ask `ModelInfer` by these bytes."""
        call = self._channel.unary_unary(f"/{NAME}/ModelInfer")
        return protocol.ModelInferResponse.FromString(await call(body))


@pytest.fixture
async def client(service: tuple[Service, Predictors]) -> AsyncIterator[Client]:
    predictors = service[1]
    askers, switches = Askers(service[0].backends.maybe_verifier), Switches(None, predictors)
    made = server(service[0], Rpc(service[0], predictors, askers, switches, max_batch=MAX_BATCH), max_bytes=MAX_BYTES)
    port = made.add_insecure_port("127.0.0.1:0")
    await made.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Client(channel)
    await made.stop(None)


@pytest.fixture
async def loaded(client: Client, service: tuple[Service, Predictors]) -> Client:
    await service[1]["tiny"].source.look()
    return client


def raw(array: np.ndarray[Any, Any] = FLOATS, **changes: Any) -> dict[str, Any]:
    tensor = {"name": "features", "datatype": "FP32", "shape": list(array.shape)} | changes
    return {"model_name": "tiny", "inputs": [tensor], "raw_input_contents": [array.tobytes()]}


def typed(contents: Any = None, **changes: Any) -> dict[str, Any]:
    values = {"fp32_contents": [1, 2.5, 3, 4]} if contents is None else contents
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, 4], "contents": values} | changes
    return {"model_name": "tiny", "inputs": [tensor]}


async def test_the_host_says_what_it_is(client: Client) -> None:
    assert (await client("ServerLive")).live
    assert (await client("ServerReady")).ready
    assert (await client("ServerMetadata")).name == "inference-sync"


async def test_a_model_is_ready_once_it_is_loaded(client: Client, service: tuple[Service, Predictors]) -> None:
    assert not (await client("ModelReady", name="tiny")).ready
    (line,) = (await client("RepositoryIndex")).models
    assert (line.state, line.version) == ("UNAVAILABLE", "")
    await service[1]["tiny"].source.look()
    assert (await client("ModelReady", name="tiny")).ready
    assert (await client("ModelReady", name="tiny", version="1")).ready
    assert not (await client("ModelReady", name="tiny", version="2")).ready
    (line,) = (await client("RepositoryIndex", ready=True)).models
    assert (line.name, line.state, line.version) == ("tiny", "READY", "1")


async def test_metadata_is_the_contract(loaded: Client) -> None:
    metadata = await loaded("ModelMetadata", name="tiny")
    assert (metadata.name, list(metadata.versions)) == ("tiny", ["1"])
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs] == [("features", "FP32", [-1, 4])]
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.outputs] == [("violation", "FP32", [-1, 3])]


async def test_rest_and_grpc_give_the_same_answer(loaded: Client, service: tuple[Service, Predictors]) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service[0].front), base_url="http://host") as http:
        expected = (await http.post(INFER, json={"inputs": [TENSOR]})).json()["outputs"][0]["data"]
    by_bytes = await loaded("ModelInfer", **raw(), id="mine")
    by_type = await loaded("ModelInfer", **typed())
    np.testing.assert_allclose(np.frombuffer(by_bytes.raw_output_contents[0], np.float32), expected, rtol=1e-6)
    np.testing.assert_allclose(by_type.outputs[0].contents.fp32_contents, expected, rtol=1e-6)
    assert (by_bytes.id, by_bytes.model_name, by_bytes.model_version) == ("mine", "tiny", "1")
    assert by_bytes.parameters["served_by"].string_param == "model"
    assert list(by_bytes.outputs[0].shape) == [1, 3]


async def test_before_a_model_is_loaded_the_default_answers(client: Client) -> None:
    answer = await client("ModelInfer", **typed())
    assert answer.parameters["reason"].string_param == "not_loaded"
    assert list(answer.outputs[0].contents.fp32_contents) == [1, 0, 0]


async def test_over_the_limit_the_default_answers(loaded: Client) -> None:
    answer = await loaded("ModelInfer", (("x-over-limit", "true"),), **raw())
    assert answer.parameters["reason"].string_param == "over_limit"


NAN = np.array([[1, 2, np.nan, 4]], np.float32)
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "float16 for float32": (raw(FLOATS.astype(np.float16), datatype="FP16"), "inputs.features.datatype", "is FP16"),
    "float16 that calls itself float32": (raw(FLOATS.astype(np.float16)), "inputs.features.data", "holds 8 bytes"),
    "NaN": (raw(NAN), "inputs.features.data", "NaN"),
    "NaN, typed": (typed({"fp32_contents": [1, 2, float("nan"), 4]}), "inputs.features.data", "NaN"),
    "infinity": (raw(FLOATS * np.float32("inf")), "inputs.features.data", "NaN or infinity"),
    "out of range": (raw(FLOATS * 1000), "inputs.features.data", "largest value"),
    "another name": (raw(name="pixels"), "inputs.pixels", "unknown input"),
    "another shape": (raw(FLOATS[0]), "inputs.features.shape", "is [4]"),
    "a negative shape": (typed(shape=[-1, 4]), "inputs.features.shape", "is [-1, 4]"),
    "no rows": (typed({"fp32_contents": []}, shape=[0, 4]), "inputs.features.shape", "is [0, 4]"),
    "too many rows": (raw(np.ones((9, 4), np.float32)), "inputs.features.shape", "9 rows"),
    "too few values": (typed({"fp32_contents": [1]}), "inputs.features.data", "holds 1 values"),
    "no values": (typed({}), "inputs.features.data", "holds 0 values"),
    "values of another type": (typed({"fp64_contents": [1.0] * 4}), "inputs.features.contents", "fp64_contents"),
    "cut short": (raw() | {"raw_input_contents": [FLOATS.tobytes()[:-1]]}, "inputs.features.data", "holds 15 bytes"),
    "raw and typed": (typed() | {"raw_input_contents": [FLOATS.tobytes()]}, "inputs.features", "beside"),
    "too few raw": (raw() | {"inputs": raw()["inputs"] * 2}, "raw_input_contents", "1 entries"),
    "twice": (typed() | {"inputs": typed()["inputs"] * 2}, "inputs.features", "given twice"),
    "nothing": ({"model_name": "tiny"}, "inputs.features", "missing"),
    "an unknown output": (raw() | {"outputs": [{"name": "colour"}]}, "outputs.colour", "unknown output"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_breaks_the_contract_is_refused_with_the_reason(loaded: Client, what: str) -> None:
    fields, where, reason = REFUSED[what]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await loaded("ModelInfer", **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    (fault,) = json.loads(dict(caught.value.trailing_metadata())["problem-bin"])["errors"]
    assert fault["where"] == where
    assert reason in fault["what"]
    assert fault["allowed"]
    assert where in caught.value.details()


@pytest.mark.parametrize(
    ("method", "fields", "code"),
    [
        ("ModelReady", {"name": "unicorn"}, "NOT_FOUND"),
        ("ModelMetadata", {"name": "tiny", "version": "9"}, "NOT_FOUND"),
        ("ModelInfer", typed() | {"model_version": "9"}, "NOT_FOUND"),
        ("ModelInfer", raw(np.zeros((1, MAX_BYTES), np.float32)), "RESOURCE_EXHAUSTED"),
        ("RepositoryModelUnload", {"model_name": "tiny"}, "UNAUTHENTICATED"),
    ],
)
async def test_other_refusals_have_their_code(loaded: Client, method: str, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await loaded(method, **fields)
    assert caught.value.code().name == code


async def test_only_operators_unload(loaded: Client) -> None:
    for roles, code in (((), "PERMISSION_DENIED"), (("operator",), "UNAVAILABLE")):  # this host has no database
        header = (("authorization", f"Bearer {tokens.token(roles=roles)}"),)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await loaded("RepositoryModelUnload", header, model_name="tiny")
        assert caught.value.code().name == code


async def test_a_bug_is_an_internal_error(loaded: Client, service: tuple[Service, Predictors]) -> None:
    async def broken(request: Any) -> Any:
        raise RuntimeError("a bug")

    def broken_at_once(request: Any) -> Any:
        raise RuntimeError("a bug")

    await loaded("ModelInfer", **raw())
    object.__setattr__(service[1]["tiny"], "predict", broken)
    object.__setattr__(service[1]["tiny"], "at_once", broken_at_once)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await loaded("ModelInfer", **raw())
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "a bug" not in caught.value.details()


@pytest.fixture
async def known(loaded: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Has asked the usual question in one row and in three; what it asks now is not known by its bytes: it fails."""
    for rows in (1, 3):
        await loaded("ModelInfer", **raw(np.ones((rows, 4), np.float32)))
    monkeypatch.setattr("services.inference_sync.rpc.written", None)
    return loaded


@pytest.mark.parametrize("rows", [1, 3])
async def test_a_known_question_is_answered_as_protobuf_would(
    known: Client, service: tuple[Service, Predictors], rows: int
) -> None:
    array = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
    answers = [await known("ModelInfer", **raw(array)) for _ in range(2)]
    predictor = service[1]["tiny"]
    expected = await predictor.predict(PredictionRequest("tiny", {"features": array}))
    for answer in answers:
        told = answer.parameters["prediction_id"].string_param
        assert answer == written(replace(expected, id=UUID(told)), raw=True)
    assert answers[0].id != answers[1].id


async def test_a_known_question_gives_the_default_over_the_limit(known: Client) -> None:
    answer = await known("ModelInfer", (("x-over-limit", "true"),), **raw())
    assert answer.parameters["reason"].string_param == "over_limit"
    assert np.frombuffer(answer.raw_output_contents[0], np.float32).tolist() == [1, 0, 0]


async def test_numbers_that_break_the_contract_are_refused_in_a_known_question(known: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await known("ModelInfer", **raw(NAN))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "NaN" in caught.value.trailing_metadata()["problem-bin"].decode()


async def test_numbers_that_do_not_come_last_are_not_taken_for_those_that_do(loaded: Client) -> None:
    """Whoever writes an id behind the numbers, in the guise of numbers, is understood all the same."""
    question, decoy = raw(), b"\x3a\x10" + bytes([49]) * 16
    body = protocol.ModelInferRequest(**question).SerializeToString()
    asked = loaded.raw(body + b"\x1a" + bytes([len(decoy)]) + decoy)
    assert (await asked).id == decoy.decode()
    assert (await loaded.raw(body + b"\x1a" + bytes([len(decoy)]) + decoy)).id == decoy.decode()


async def test_what_is_no_message_is_the_callers_fault(loaded: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await loaded.raw(b"\xff\xff")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_calls_are_counted(loaded: Client, service: tuple[Service, Predictors]) -> None:
    await asyncio.gather(*(loaded("ModelInfer", **raw()) for _ in range(3)))
    value = service[0].metrics.registry.get_sample_value
    assert value("grpc_requests_total", {"method": "ModelInfer", "code": "OK"}) == 3


def test_the_code_is_made_from_the_published_protocol(tmp_path: Path) -> None:
    folder = Path(open_inference_pb2.__file__).parent
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={tmp_path}"]
    subprocess.run([*command, "open_inference.proto"], check=True, cwd=folder)
    made = (tmp_path / "open_inference_pb2.py").read_text()
    assert made == (folder / "open_inference_pb2.py").read_text(), "run scripts/protocol"
