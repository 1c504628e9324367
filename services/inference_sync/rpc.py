"""The Open Inference Protocol over gRPC, from open_inference.proto: same contract, same patterns, same errors."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import grpc
from fastapi import Request
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from models.contract import Arrays, Manifest, check
from models.refusal import ContractBroken
from services.chassis import errors, ports
from services.chassis.auth import operator
from services.chassis.errors import NotSignedIn
from services.chassis.ids import as_text, new_id
from services.chassis.logs import request_id
from services.chassis.metrics import LATENCY_BUCKETS
from services.chassis.service import Service
from services.chassis.tallies import Counts, Timings
from services.inference_sync import open_inference_pb2
from services.inference_sync.asking import ABOUT, Askers, asked_by, parameters
from services.inference_sync.health import EXTENSIONS
from services.inference_sync.infer import check_form, check_wanted
from services.inference_sync.known import known
from services.inference_sync.repository import indexed
from services.inference_sync.rpc_answer import FIELDS, written
from services.inference_sync.rpc_usual import Usual, usual_inputs
from services.inference_sync.switches import Switches
from services.open_inference import raw_tensor, typed_tensor
from services.prediction import PredictionRequest
from services.predictors import Predictors

log = logging.getLogger(__name__)

protocol: Any = open_inference_pb2
NAME = "inference.GRPCInferenceService"
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""What an HTTP status is called here."""


class Rpc:
    """Every method of the service; the name of each is the protocol's."""

    def __init__(
        self, service: Service, predictors: Predictors, askers: Askers, switches: Switches, *, max_batch: int
    ) -> None:
        self._service, self._predictors, self._askers = service, predictors, askers
        self._switches, self._max_batch = switches, max_batch
        self.usual = Usual(predictors, askers, max_batch)

    async def ServerLive(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """The process answers."""
        return protocol.ServerLiveResponse(live=True)

    async def ServerReady(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Requests are answered, be it by declared defaults."""
        return protocol.ServerReadyResponse(ready=True)

    async def ModelReady(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Whether a version of the model is loaded."""
        predictor = known(self._predictors, asked.name)
        ready = predictor.version is not None and asked.version in ("", predictor.version)
        return protocol.ModelReadyResponse(ready=ready)

    async def ServerMetadata(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """The server and what it can do."""
        return protocol.ServerMetadataResponse(name=self._service.name, version="2", extensions=EXTENSIONS)

    async def ModelMetadata(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Inputs and outputs of a model."""
        predictor = known(self._predictors, asked.name, asked.version or None)
        tensor = protocol.ModelMetadataResponse.TensorMetadata
        return protocol.ModelMetadataResponse(
            name=predictor.name,
            versions=[predictor.version] if predictor.version else [],
            platform="onnxruntime_onnx",
            inputs=[tensor(name=s.name, datatype=s.datatype, shape=s.shape) for s in predictor.manifest.inputs],
            outputs=[tensor(name=s.name, datatype=s.datatype, shape=s.shape) for s in predictor.manifest.outputs],
        )

    async def ModelInfer(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Tensors in, tensors out."""
        predictor = known(self._predictors, asked.model_name, asked.model_version or None)
        inputs = self._inputs(predictor.manifest, asked)
        wanted = [output.name for output in asked.outputs]
        given = {name: _value(value) for name, value in asked.parameters.items()} if asked.parameters else None
        request = PredictionRequest(
            predictor.name,
            inputs,
            parameters=parameters(headers, given),
            context=self._askers.context(headers, request_id.get() or ""),
        )
        prediction = await predictor.predict(request)
        return written(prediction, asked.id, wanted, raw=bool(asked.raw_input_contents))

    async def RepositoryIndex(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Every model, and whether it is loaded."""
        lines = [indexed(p) for p in self._predictors.values() if p.version or not asked.ready]
        line = protocol.RepositoryIndexResponse.ModelIndex
        kept = ("name", "version", "state", "reason")
        return protocol.RepositoryIndexResponse(models=[line(**{name: each[name] for name in kept}) for each in lines])

    async def RepositoryModelLoad(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Take a model into service again, in every replica."""
        await self._switches.load(known(self._predictors, asked.model_name), await self._operator(headers))
        return protocol.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(self, asked: Any, headers: Mapping[bytes, bytes]) -> Any:  # noqa: N802
        """Take a model out of service, in every replica."""
        await self._switches.unload(known(self._predictors, asked.model_name), await self._operator(headers))
        return protocol.RepositoryModelUnloadResponse()

    async def _operator(self, headers: Mapping[bytes, bytes]) -> str:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn
        return (await operator(self._service.backends.verifier.caller(token))).name

    def _inputs(self, manifest: Manifest, asked: Any) -> Arrays:
        """The arrays of a request, held against the contract; raises ContractBroken."""
        if not asked.outputs and (quick := usual_inputs(manifest, asked, self._max_batch)):
            return quick
        check_wanted(manifest, [output.name for output in asked.outputs])
        raws: Sequence[bytes] = asked.raw_input_contents
        if raws and len(raws) != len(asked.inputs):
            raise ContractBroken("raw_input_contents", f"has {len(raws)} entries", "one for each input, or none")
        arrays: dict[str, NDArray[Any]] = {}
        for at, tensor in enumerate(asked.inputs):
            if tensor.name in arrays:
                raise ContractBroken(f"inputs.{tensor.name}", "given twice", "exactly one tensor of that name")
            check_form(manifest, tensor, self._max_batch)
            arrays[tensor.name] = _raw(tensor, raws[at]) if raws else _typed(tensor)
        check(manifest, arrays)
        return arrays


def _raw(tensor: Any, raw: bytes) -> NDArray[Any]:
    if tensor.HasField("contents"):
        raise ContractBroken(f"inputs.{tensor.name}", "has contents beside raw_input_contents", "one of the two")
    return raw_tensor(tensor.name, tensor.datatype, tensor.shape, memoryview(raw))


def _typed(tensor: Any) -> NDArray[Any]:
    held = [field.name for field, _ in tensor.contents.ListFields()]
    wanted = FIELDS[tensor.datatype]
    if held not in ([], [wanted]):
        raise ContractBroken(f"inputs.{tensor.name}.contents", f"has {', '.join(held)}", wanted)
    return typed_tensor(tensor.name, tensor.datatype, tensor.shape, getattr(tensor.contents, wanted))


def _value(parameter: Any) -> Any:
    chosen = parameter.WhichOneof("parameter_choice")
    return getattr(parameter, chosen) if chosen else None


Method = Callable[[Any, Mapping[bytes, bytes]], Awaitable[Any]]
Read = Callable[[bytes], Any]
Answered = Callable[[bytes, Any], Awaitable[bytes]]


class Calls:
    """What happens around every call: its id, its metrics, its errors."""

    def __init__(self, service: Service) -> None:
        self._service = service
        registry = service.metrics.registry
        self._total = Counts("grpc_requests_total", "Calls answered.", ["method", "code"], registry=registry)
        self._seconds = Timings(
            "grpc_request_duration_seconds",
            "Time to answer a call.",
            ["method"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )

    def around(self, name: str, method: Method, read: Read, usual: Usual | None = None) -> Answered:
        """The method as the server takes it: from bytes to bytes."""
        count, observe = self._total.labels, self._seconds.labels(name).observe

        async def answered(raw: bytes, call: Any) -> bytes:
            started, code = perf_counter(), "OK"
            headers = {key.encode(): _bytes(value) for key, value in call.invocation_metadata() or () if key in ABOUT}
            try:
                if usual and (quick := usual.at_once(headers, raw)):
                    return quick
                request_id.set(asked_by(headers) or as_text(new_id()))
                asked = _read(read, raw)
                answer: bytes = (await method(asked, headers)).SerializeToString()
                if usual:
                    usual.learn(asked, raw)
                return answer
            except Exception as error:
                code = await self._refuse(name, error, call)
                return b""
            finally:
                count(name, code).inc()
                observe(perf_counter() - started)

        return answered

    async def _refuse(self, name: str, error: Exception, call: Any) -> str:
        """Say what HTTP would say: the status as a code, the detail as text, the problem as trailing metadata."""
        scope = {"type": "http", "method": name, "path": f"/{NAME}/{name}", "headers": [], "query_string": b""}
        response = await errors.answer(Request(scope | {"app": self._service.app}), error)
        problem = json.loads(bytes(response.body))
        code = CODES.get(response.status_code, grpc.StatusCode.INTERNAL)
        call.set_code(code)
        call.set_details(problem.get("detail") or problem["title"])
        call.set_trailing_metadata((("problem-bin", bytes(response.body)), ("x-request-id", request_id.get() or "")))
        return str(code.name)


def _read(read: Read, raw: bytes) -> Any:
    try:
        return read(raw)
    except DecodeError as error:
        raise ContractBroken("message", "cannot be read", "the method's message in open_inference.proto") from error


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def server(service: Service, rpc: Rpc, *, max_bytes: int) -> Any:
    """The server, not started yet."""
    calls = Calls(service)
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            calls.around(
                method.name,
                getattr(rpc, method.name),
                getattr(protocol, method.input_type.name).FromString,
                rpc.usual if method.name == "ModelInfer" else None,
            )
        )
        for method in protocol.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods
    }
    options = (("grpc.max_receive_message_length", max_bytes), ("grpc.so_reuseport", 0))
    made = grpc.aio.server(options=options)
    made.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    return made


async def serve(made: Any, host: str) -> None:
    """As long as the service runs; calls under way at the end have three seconds."""
    port = ports.port("inference-sync-grpc")
    made.add_insecure_port(f"{host}:{port}")
    await made.start()
    log.info("serving gRPC", extra={"action": "service.started", "port": port})
    try:
        await made.wait_for_termination()
    finally:
        await asyncio.shield(made.stop(3))
