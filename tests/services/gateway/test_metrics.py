"""What the gateway counts is for Prometheus to read, and nothing can be done by that way."""

import httpx
import pytest

from services.chassis.ports import PORTS
from tests.services.gateway.conftest import Gateway


@pytest.fixture
def metrics(gateway: Gateway) -> str:
    return f"http://127.0.0.1:{gateway.admin - PORTS['gateway-admin'] + PORTS['gateway-metrics']}"


def test_requests_are_counted(gateway: Gateway, metrics: str) -> None:
    assert httpx.get(f"{gateway.url}/").status_code == 200
    told = httpx.get(f"{metrics}/stats/prometheus", params={"usedonly": ""})
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/plain")
    assert (
        'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="public"}'
        in told.text
    )


@pytest.mark.parametrize(("method", "path"), [("POST", "/quitquitquit"), ("GET", "/config_dump"), ("GET", "/")])
def test_nothing_else_is_there(metrics: str, method: str, path: str) -> None:
    assert httpx.request(method, f"{metrics}{path}").status_code == 404


def test_the_way_is_not_public(gateway: Gateway) -> None:
    assert "envoy_" not in httpx.get(f"{gateway.url}/stats/prometheus").text
