"""Remote: the model runs in another host and is asked over the Open Inference Protocol."""

import itertools
from collections.abc import Sequence

import httpx
import orjson

from services.chassis.errors import Problem, Unavailable
from services.chassis.logs import request_id
from services.open_inference import read_answer, write_request
from services.prediction import Predict, Prediction, PredictionRequest

UNREACHABLE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError)


class RemoteRefused(Problem):
    """The host that runs the model refused the request."""


def remote(http: httpx.AsyncClient, addresses: str, *, timeout_seconds: float = 2.0) -> Predict:
    """Ask the hosts in turn (comma-separated base addresses); one that cannot be reached is skipped.

    An address may name the model itself (`http://host/v2/models/NAME`).
    """
    hosts = [address.strip().rstrip("/") for address in addresses.split(",") if address.strip()]
    turn = itertools.count()

    async def predict(request: PredictionRequest) -> Prediction:
        first = next(turn) % len(hosts)
        return await _first_answer(http, hosts[first:] + hosts[:first], request, timeout_seconds)

    return predict


async def _first_answer(
    http: httpx.AsyncClient, hosts: Sequence[str], request: PredictionRequest, timeout_seconds: float
) -> Prediction:
    body = write_request(request)
    headers = _headers(request)
    for host in hosts:
        address = host if "/v2/models/" in host else f"{host}/v2/models/{request.model}"
        try:
            response = await http.post(f"{address}/infer", content=body, headers=headers, timeout=timeout_seconds)
        except UNREACHABLE:
            continue
        except httpx.TimeoutException as error:
            raise TimeoutError(f"{host} did not answer in {timeout_seconds} s") from error
        return _answered(response, request)
    raise Unavailable(f"No host of {request.model} can be reached.")


def _headers(request: PredictionRequest) -> dict[str, str]:
    """Who asked is passed on, so that the other host can choose by it too."""
    told = {"accept-language": request.context.language, "x-client": request.context.client}
    always = {"content-type": "application/json", "x-request-id": request_id.get() or str(request.id)}
    return always | {name: value for name, value in told.items() if value}


def _answered(response: httpx.Response, request: PredictionRequest) -> Prediction:
    if response.status_code == 200:
        return read_answer(response.content, request)
    if response.status_code >= 500:
        raise Unavailable(f"{response.url} answered {response.status_code}")
    raise RemoteRefused(_detail(response), status=response.status_code)


def _detail(response: httpx.Response) -> str:
    try:
        return str(orjson.loads(response.content).get("detail", ""))
    except (ValueError, AttributeError):
        return response.text[:200]
