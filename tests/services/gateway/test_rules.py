"""Who may pass the gateway, and where to: a real Envoy in front of stubs."""

import http.client
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.gateway_config.routes import ORIGIN
from tests import tokens
from tests.services.gateway.conftest import Gateway

Headers = dict[str, str]
GOOD = {"Authorization": f"Bearer {tokens.token()}"}
WRONG = {
    "expired": tokens.token(expires_in=-3600),
    "forged": tokens.token(key=ec.generate_private_key(ec.SECP256R1())),
    "for somebody else": tokens.token(aud="another platform"),
    "from somebody else": tokens.token(iss="another issuer"),
    "garbage": "garbage",
    "without a signature": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJpZGVudGl0eSIsImF1ZCI6InBsYXRmb3JtIn0.",
}


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Checks the one shape every error has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"].endswith((".", "try again."))
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


# ---- where to -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/identity/me", "identity"), ("/api/items/mine", "items"), ("/api/images/0a/large", "images"),
        ("/api/texts/query", "texts"), ("/api/search?q=%E3%81%AD", "search"), ("/api/search/similar", "search"),
        ("/api/trainer/runs", "trainer"), ("/api/monitoring/alerts", "monitoring"), ("/api/openapi.json", "web"),
        ("/", "web"), ("/items/1", "web"),
        ("/v2x", "web"), ("/apix", "web"), ("/health/ready", "web"),
    ],
)  # fmt: skip
def test_each_path_goes_to_its_service(http: httpx.Client, path: str, service: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert (answer.json()["service"], answer.json()["path"]) == (service, path)


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/models/image_screening/ready"])
def test_inference_is_shared_by_the_replicas(http: httpx.Client, path: str) -> None:
    names = {http.get(path, headers=GOOD).json()["service"] for _ in range(4)}
    assert len(names) == 2


@pytest.mark.parametrize("path", ["/metrics", "/api/unknown", "/api", "/api/itemsx", "/api/openapi.json/x"])
def test_what_is_not_for_the_outside_is_not_there(http: httpx.Client, path: str) -> None:
    body = is_problem(http.get(path), 404)
    assert body["instance"] == path


@pytest.mark.parametrize("headers", [{}, GOOD])
def test_nobody_tells_monitoring_anything_from_outside(http: httpx.Client, headers: dict[str, str]) -> None:
    body = is_problem(http.post("/api/monitoring/alerts", json={}, headers=headers), 404 if headers else 401)
    assert body["instance"] == "/api/monitoring/alerts"


# ---- programs: a token in the header --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/items/mine"), ("GET", "/api/search"), ("HEAD", "/api/search")]
)
def test_reading_needs_no_token(http: httpx.Client, method: str, path: str) -> None:
    assert http.request(method, path).status_code == 200


@pytest.mark.parametrize("path", ["/api/identity/token", "/api/identity/users"])
def test_signing_up_and_in_needs_no_token(http: httpx.Client, path: str) -> None:
    assert http.post(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/items"), ("PUT", "/api/items/1/like"), ("PATCH", "/api/items/1"), ("DELETE", "/api/items/1"),
        ("POST", "/api/images"), ("POST", "/api/search/similar"), ("PUT", "/api/identity/users/1/roles"),
        ("POST", "/api/identity/users/"), ("POST", "/api/identity/token/x"), ("PUT", "/api/identity/users"),
        ("GET", "/v2"), ("GET", "/v2/models/a"), ("POST", "/v2/models/a/infer"), ("GET", "/v2/health/ready"),
    ],
)  # fmt: skip
def test_the_rest_needs_one(http: httpx.Client, method: str, path: str) -> None:
    assert http.request(method, path, headers=GOOD).status_code == 200
    refused = http.request(method, path)
    body = is_problem(refused, 401)
    assert body["detail"].startswith("Jwt is missing")
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("why", WRONG)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/items"), ("GET", "/api/search"), ("GET", "/v2/models/a")])
def test_a_wrong_token_is_refused_everywhere(http: httpx.Client, method: str, path: str, why: str) -> None:
    answer = http.request(method, path, headers={"Authorization": f"Bearer {WRONG[why]}"})
    is_problem(answer, 403 if why == "for somebody else" else 401)


def test_services_get_the_token(http: httpx.Client) -> None:
    assert http.post("/api/items", headers=GOOD).json()["headers"]["authorization"] == GOOD["Authorization"]


@pytest.mark.parametrize(
    "path",
    ["//v2/models/a", "/x/../v2/models/a", "/./v2/models/a", "/x/%2e%2e/v2/models/a", "/%76%32/models/a", "/v2/../v2/"],
)
def test_no_spelling_of_a_path_avoids_the_rule(gateway: Gateway, path: str) -> None:
    assert raw(gateway, "GET", path)[0] == 401


@pytest.mark.parametrize("path", ["/v2%2fmodels/a", "/api%5citems", "/items/%00"])
def test_ambiguous_paths_are_refused(gateway: Gateway, path: str) -> None:
    status, headers = raw(gateway, "GET", path)
    assert (status, headers["content-type"]) == (400, "application/problem+json")


def raw(gateway: Gateway, method: str, path: str, headers: Headers | None = None) -> tuple[int, Headers]:
    """A request whose path nobody has tidied up."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


# ---- browsers: a token in the cookie --------------------------------------------------------------


def test_the_cookie_does_not_count_for_the_api(http: httpx.Client) -> None:
    cookie = {"Cookie": f"session={tokens.token()}"}
    is_problem(http.post("/api/items", headers=cookie), 401)
    is_problem(http.get("/v2/models/a", headers=cookie), 401)


@pytest.mark.parametrize("why", WRONG)
def test_the_pages_see_whatever_cookie_there_is(http: httpx.Client, why: str) -> None:
    answer = http.get("/", headers={"Cookie": f"session={WRONG[why]}"})
    assert answer.status_code == 200
    assert WRONG[why] in answer.json()["headers"]["cookie"]


def test_the_pages_take_forms_with_and_without_a_cookie(http: httpx.Client) -> None:
    assert http.post("/sign-in").json()["service"] == "web"
    cookie = {"Cookie": f"session={tokens.token()}; theme=dark"}
    assert http.post("/items", headers=cookie).json()["headers"]["cookie"] == cookie["Cookie"]


# ---- what a client claims about itself ------------------------------------------------------------


def test_a_request_id_is_made_kept_and_told(http: httpx.Client) -> None:
    made = http.get("/api/search")
    assert len(made.headers["x-request-id"]) == 36
    assert made.json()["headers"]["x-request-id"] == made.headers["x-request-id"]
    kept = http.get("/api/search", headers={"x-request-id": "from-outside"})
    assert kept.headers["x-request-id"] == kept.json()["headers"]["x-request-id"] == "from-outside"
    cut = http.get("/api/search", headers={"x-request-id": "x" * 1000})
    assert cut.headers["x-request-id"] == cut.json()["headers"]["x-request-id"] == "x" * 64


def test_headers_of_the_gateways_own_are_taken_away(http: httpx.Client) -> None:
    claims = {
        "x-envoy-internal": "true", "x-envoy-original-path": "/secret", "x-envoy-original-host": "secret",
        "x-envoy-external-address": "10.0.0.1", "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "99", "x-envoy-force-trace": "1", "x-envoy-decorator-operation": "x",
        "x-envoy-expected-rq-timeout-ms": "1", "x-envoy-ip-tags": "x", "x_under_score": "1",
    }  # fmt: skip
    seen = http.get("/api/search", headers=claims).json()["headers"]
    assert {name: seen[name] for name in claims if seen.get(name) == claims[name]} == {}


def test_a_client_cannot_hide_its_address(http: httpx.Client) -> None:
    seen = http.get("/api/search", headers={"x-forwarded-for": "1.2.3.4"}).json()["headers"]
    assert seen["x-forwarded-for"].split(",")[-1] != "1.2.3.4"


def test_a_prediction_does_not_tell_its_host_where_it_comes_from(http: httpx.Client) -> None:
    for path in ("/v2/models/a/infer", "/v2/models/a/predict"):
        assert not set(ORIGIN) & set(http.post(path, headers=GOOD).json()["headers"])
    assert set(ORIGIN) <= set(http.get("/api/search").json()["headers"])
