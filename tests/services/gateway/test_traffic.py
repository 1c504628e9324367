"""Bodies, streams, failures and what is written about them: a real Envoy in front of stubs."""

import json
import socket
import subprocess
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from services.chassis.addresses import Address, NotAnAddress
from services.gateway_config.main import GatewaySettings, render, run
from services.gateway_config.routes import AFFINITY, JSON_LIMIT, UPLOAD_LIMIT
from services.gateway_config.upstreams import Upstream
from tests.servers import eventually
from tests.services.gateway.conftest import Gateway, gateway_to
from tests.services.gateway.test_rules import GOOD, is_problem
from tests.tokens import token

# ---- the configuration ----------------------------------------------------------------------------


LIMIT = "envoy.filters.http.local_ratelimit"
TWO = "http://127.0.0.1:8200,http://127.0.0.1:8201"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"inference_sync_url": TWO},
        {"inference_sync_url": TWO, "socket_folder": Path("/s"), "light_models": "iris,other_2"},
    ],
)
def test_envoy_takes_the_configuration(envoy: str, jwks_file: Path, tmp_path: Path, given: dict[str, Any]) -> None:
    file = tmp_path / "envoy.yaml"
    file.write_text(render(GatewaySettings(jwks_file=jwks_file, **given)))
    found = subprocess.run([envoy, "--mode", "validate", "-c", file], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]


def test_the_one_shot_writes_it(jwks_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWKS_FILE", str(jwks_file))
    monkeypatch.setenv("ENVOY_CONFIG", str(tmp_path / "envoy.yaml"))
    assert run([]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["envoy.yaml"]
    assert 'socket_address: { address: "0.0.0.0", port_value: 8080 }' in (tmp_path / "envoy.yaml").read_text()


def test_the_gateway_may_listen_elsewhere(jwks_file: Path) -> None:
    settings = GatewaySettings(jwks_file=jwks_file, listen_host="127.0.0.1", gateway_host="192.0.2.1")
    assert 'socket_address: { address: "192.0.2.1", port_value: 8080 }' in render(settings)


def test_addresses() -> None:
    one = Upstream.of("a", "http://a:8110")
    several = Upstream.of("b", "http://127.0.0.1:8200, http://127.0.0.1:8201/")
    assert (one.endpoints, one.discovery) == ((Address("a", 8110),), "STRICT_DNS")
    assert (several.endpoints[1], several.discovery) == (Address("127.0.0.1", 8201), "STATIC")


def test_what_is_on_this_machine_is_asked_over_its_socket() -> None:
    folder = Path("/s")
    by_socket = Upstream.of("b", "http://127.0.0.1:8200,http://192.0.2.1:8201", folder)
    assert list(by_socket.places()) == [
        {"pipe": {"path": "/s/8200"}},
        {"socket_address": {"address": "192.0.2.1", "port_value": 8201}},
    ]
    for other in (Upstream.of("b", "http://b:8200", folder), Upstream.of("b-grpc", "http://127.0.0.1:8220", folder)):
        assert all("socket_address" in place for place in other.places())


@pytest.mark.parametrize("address", ["", "a:80", "https://a", "http://", "http://a/path", "http://a:x"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        Upstream.of("a", address)
    assert issubclass(NotAnAddress, ValueError)


def test_all_predictions_have_one_limit_and_nothing_else_has_any(jwks_file: Path) -> None:
    settings = GatewaySettings(jwks_file=jwks_file, light_models="light", predictions_per_second=7)
    listener = yaml.safe_load(render(settings))["static_resources"]["listeners"][0]
    host = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]
    assert host["typed_per_filter_config"][LIMIT]["token_bucket"]["max_tokens"] == 7
    own = {route["route"]["cluster"]: route["typed_per_filter_config"].get(LIMIT) for route in host["routes"][:3]}
    assert own == {AFFINITY: None, "inference-sync": None, "inference-sync-grpc": None}
    assert all(route["typed_per_filter_config"][LIMIT]["disabled"] for route in host["routes"][3:])


def test_names_of_light_models_are_names(jwks_file: Path) -> None:
    with pytest.raises(ValueError, match="light_models"):
        GatewaySettings(jwks_file=jwks_file, light_models="light, .*")


# ---- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/items", JSON_LIMIT), ("/api/identity/token", JSON_LIMIT), ("/api/texts/terms", JSON_LIMIT),
        ("/api/images", UPLOAD_LIMIT), ("/api/search/similar", UPLOAD_LIMIT), ("/v2/models/a/predict", UPLOAD_LIMIT),
        ("/items", UPLOAD_LIMIT),
    ],
)  # fmt: skip
def test_bodies_have_a_limit(http: httpx.Client, path: str, limit: int) -> None:
    assert http.post(path, content=b"x" * (limit - 1), headers=GOOD).json()["body"] == limit - 1
    is_problem(http.post(path, content=b"x" * (limit + 1), headers=GOOD), 413)


def test_a_body_of_unknown_length_has_the_same_limit(http: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(JSON_LIMIT // 1024 + 1):
            yield b"x" * 1024

    is_problem(http.post("/api/items", content=pieces(), headers=GOOD), 413)


def test_long_headers_are_refused(http: httpx.Client) -> None:
    answer = http.get("/", headers={"x-long": "x" * 40_000})
    assert (answer.status_code, answer.headers["content-type"]) == (431, "application/problem+json")


def test_texts_are_compressed_and_streams_and_pictures_are_not(http: httpx.Client) -> None:
    def encoding(kind: str) -> str | None:
        return dict(http.get(f"/?size=5000&type={kind}").headers).get("content-encoding")

    for kind in ("text/html;charset=utf-8", "text/css", "text/javascript", "application/json"):
        assert encoding(kind) == "gzip", kind
    for kind in ("text/event-stream", "image/jpeg"):
        assert encoding(kind) is None, kind
    assert "content-encoding" not in http.get("/").headers


# ---- what browsers are told -----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/images/0a/large", "/api/unknown"])
def test_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("road", ["infer", "predict"])
def test_answers_of_models_are_for_programs(http: httpx.Client, road: str) -> None:
    headers = http.post(f"/v2/models/a/{road}?size=5000&type=application/json", headers=GOOD).headers
    assert "x-request-id" in headers
    assert not {"content-security-policy", "x-frame-options", "content-encoding"} & set(headers)


@pytest.mark.parametrize("path", ["/api/texts/terms", "/v2/models/a/infer"])
def test_the_gateway_says_what_a_service_leaves_to_it(http: httpx.Client, path: str) -> None:
    headers = http.post(path, headers=GOOD | {"x-request-id": "told"}).headers
    assert (headers["server"], headers["x-request-id"]) == ("envoy", "told")
    assert parsedate_to_datetime(headers["date"])


def test_a_service_may_say_otherwise(http: httpx.Client) -> None:
    answer = http.get("/?policy=default-src%20none")
    assert answer.headers.get_list("content-security-policy") == ["default-src none"]


# ---- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "service"), [("/api/items/1/events", "items"), ("/items/1/events", "web")])
def test_events_pass_at_once(http: httpx.Client, gateway: Gateway, path: str, service: str) -> None:
    stub = gateway.stubs[service]
    stub.go_on.clear()
    with http.stream("GET", path) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: first"
        stub.go_on.set()
        assert "data: second" in list(lines)


# ---- failures -------------------------------------------------------------------------------------


def asked(gateway: Gateway, service: str, method: str, path: str) -> int:
    return gateway.stubs[service].asked.count((method, path))


def test_reading_is_tried_again_and_writing_is_not(http: httpx.Client, gateway: Gateway) -> None:
    is_problem(http.get("/api/items/broken?break=1"), 503)
    assert asked(gateway, "items", "GET", "/api/items/broken") == 4
    refused = http.post("/api/items/broken?break=1", headers=GOOD)
    assert "connection" not in str(is_problem(refused, 503)["detail"])
    assert refused.headers["retry-after"] == "1"
    assert asked(gateway, "items", "POST", "/api/items/broken") == 1


@pytest.mark.parametrize("path", ["/api/texts/broken", "/api/search/broken"])
def test_questions_by_post_are_tried_again(http: httpx.Client, gateway: Gateway, path: str) -> None:
    is_problem(http.post(f"{path}?break=1", headers=GOOD), 503)
    assert asked(gateway, path.split("/")[2], "POST", path) == 4


def test_an_error_of_a_service_passes_unchanged(http: httpx.Client) -> None:
    answer = http.get("/api/items/1?status=503")
    assert (answer.status_code, answer.json()["service"]) == (503, "items")


def test_a_browser_gets_a_page_that_comes_back_by_itself(http: httpx.Client) -> None:
    answer = http.get("/page?break=1", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert 'http-equiv="refresh"' in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_who_waits_too_long_is_told(envoy: str, jwks_file: Path, tmp_path: Path, gateway: Gateway) -> None:
    items = gateway.stubs["items"]
    items.go_on.clear()

    def settings() -> GatewaySettings:
        return GatewaySettings(jwks_file=jwks_file, listen_host="127.0.0.1", items_url=items.url)

    with gateway_to(envoy, tmp_path, settings, replacing=('"15s"', '"0.1s"')) as impatient:
        is_problem(httpx.get(f"{impatient.url}/api/items/late?wait=1"), 504)
        items.go_on.set()


@pytest.mark.parametrize("path", ["/api/texts/terms", "/v2/models/a/infer"])
def test_who_stops_in_the_middle_of_a_body_is_told(envoy: str, jwks_file: Path, tmp_path: Path, path: str) -> None:
    def settings() -> GatewaySettings:
        return GatewaySettings(jwks_file=jwks_file, listen_host="127.0.0.1")

    head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nAuthorization: {GOOD['Authorization']}\r\n\r\n"
    with (
        gateway_to(envoy, tmp_path, settings, replacing=("60s", "0.1s")) as impatient,
        socket.create_connection(("127.0.0.1", impatient.port), timeout=20) as client,
    ):
        client.sendall(head.encode() + b"half")
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_silence_has_a_limit_on_every_route(jwks_file: Path) -> None:
    listener = yaml.safe_load(render(GatewaySettings(jwks_file=jwks_file)))["static_resources"]["listeners"][0]
    routes = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
    for limits in (route["route"] for route in routes if "route" in route):
        assert {limits.get("timeout"), limits.get("idle_timeout")} - {"0s", None}, limits


def test_a_browser_with_a_huge_picture_gets_a_page_that_says_so(http: httpx.Client) -> None:
    answer = http.post("/items", content=b"x" * (UPLOAD_LIMIT + 1), headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "12 MB" in answer.text
    assert "retry-after" not in answer.headers


# ---- the log --------------------------------------------------------------------------------------


def test_what_is_refused_is_logged_without_secrets(http: httpx.Client, gateway: Gateway) -> None:
    http.get("/api/search?token=secret", headers={"x-request-id": "went-well"})
    http.post("/api/items?token=secret", headers={"x-request-id": "went-wrong"})

    def lines() -> list[dict[str, object]]:
        return [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]

    eventually(lambda: any(line["request_id"] == "went-wrong" for line in lines()), "a line in the log")
    (line,) = (line for line in lines() if line["request_id"] == "went-wrong")
    assert (line["status"], line["method"], line["path"]) == (401, "POST", "/api/items")
    assert line["action"] == "request.refused"
    assert "secret" not in gateway.log.read_text()
    assert "went-well" not in gateway.log.read_text()


def test_the_log_says_whose_request_was_refused(http: httpx.Client, gateway: Gateway) -> None:
    me = uuid4()
    mine = {"authorization": f"Bearer {token(sub=me)}", "x-token-subject": "somebody-else", "x-request-id": "whose"}
    http.get("/api/nothing", headers=mine)

    def lines() -> list[dict[str, object]]:
        found = (json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in found if line["request_id"] == "whose"]

    eventually(lambda: bool(lines()), "a line in the log")
    assert lines()[0]["user"] == str(me)


def test_nobody_says_whose_prediction_it_is(http: httpx.Client) -> None:
    for path in ("/v2/models/a/infer", "/v2/models/a/predict"):
        answer = http.post(path, headers=GOOD | {"x-token-subject": "somebody-else"})
        assert "x-token-subject" not in answer.json()["headers"]
