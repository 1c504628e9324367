"""Alertmanager's word is kept: once, whatever the order, and for operators only."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.chassis.service import Service
from tests.conftest import MakeClient
from tests.services.monitoring.conftest import Header, Listed

STARTED, ENDED, NEVER = "2026-03-01T10:00:00.123Z", "2026-03-01T10:05:00Z", "0001-01-01T00:00:00Z"


def alert(name: str = "ItemsSlow", status: str = "firing", **more: Any) -> dict[str, Any]:
    """One alert as Alertmanager sends it."""
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "warning", "service": "items"},
        "annotations": {"summary": "Items take long to be found."},
        "startsAt": STARTED,
        "endsAt": ENDED if status == "resolved" else NEVER,
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"{abs(hash(name)):x}"[:16],
    } | more


def notification(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A group of alerts as Alertmanager sends it."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="ItemsSlow"}',
        "truncatedAlerts": 0,
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "receiver": "platform",
        "groupLabels": {"alertname": "ItemsSlow"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:8360",
        "alerts": list(alerts),
    } | more


@pytest.fixture
def http(client: MakeClient, monitoring: Callable[[], Service]) -> httpx.AsyncClient:
    return client(monitoring())


async def tell(http: httpx.AsyncClient, *alerts: dict[str, Any]) -> None:
    answer = await http.post("/api/monitoring/alerts", json=notification(*alerts))
    assert answer.status_code == 204, answer.text


async def test_an_alert_fires_and_ends(http: httpx.AsyncClient, listed: Listed) -> None:
    await tell(http, alert())
    (found,) = await listed(http, "alerts")
    assert (found["name"], found["severity"], found["status"]) == ("ItemsSlow", "warning", "firing")
    assert (found["starts_at"], found["ends_at"]) == ("2026-03-01T10:00:00.123000Z", None)
    await tell(http, alert(status="resolved"))
    (found,) = await listed(http, "alerts")
    assert (found["status"], found["ends_at"]) == ("resolved", ENDED)


async def test_the_same_word_twice_and_late_changes_nothing(http: httpx.AsyncClient, listed: Listed) -> None:
    for status in ("firing", "firing", "resolved", "resolved", "firing"):
        await tell(http, alert(status=status))
    (found,) = await listed(http, "alerts")
    assert (found["status"], found["ends_at"]) == ("resolved", ENDED)


async def test_firing_again_is_another_alert_and_comes_first(http: httpx.AsyncClient, listed: Listed) -> None:
    await tell(http, alert(status="resolved", startsAt="2026-03-02T00:00:00Z", endsAt="2026-03-02T01:00:00Z"))
    await tell(http, alert())
    found = await listed(http, "alerts")
    assert [one["status"] for one in found] == ["firing", "resolved"]
    assert [one["status"] for one in await listed(http, "alerts?status=firing")] == ["firing"]
    assert len(await listed(http, "alerts?limit=1")) == 1


async def test_a_group_is_kept_whole_and_counted(http: httpx.AsyncClient, listed: Listed) -> None:
    await tell(http, alert("One"), alert("Two"), alert("Three", "resolved"))
    assert {one["name"] for one in await listed(http, "alerts")} == {"One", "Two", "Three"}
    metrics = (await http.get("/metrics")).text
    assert 'alerts_received_total{alert="One",status="firing"} 1.0' in metrics
    assert 'alerts_received_total{alert="Three",status="resolved"} 1.0' in metrics


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"version": "3"}, "body.version"),
        ({"alerts": "none"}, "body.alerts"),
        ({"alerts": [alert(startsAt="yesterday")]}, "body.alerts.0.startsAt"),
        ({"alerts": [alert(startsAt="2026-03-01T10:00:00")]}, "body.alerts.0.startsAt"),
        ({"alerts": [alert(status="perhaps")]}, "body.alerts.0.status"),
        ({"alerts": [alert(fingerprint="")]}, "body.alerts.0.fingerprint"),
        ({"alerts": [alert(startsAt="0001-01-01T00:00:00+23:00")]}, "body.alerts.0.startsAt"),
        ({"alerts": [alert(startsAt="9999-12-31T23:59:59-23:00")]}, "body.alerts.0.startsAt"),
        ({"alerts": [alert(labels={"alertname": "a\0"})]}, "body.alerts.0.labels.alertname"),
        ({"alerts": [alert(annotations={"summary": "\0"})]}, "body.alerts.0.annotations.summary"),
    ],
)
async def test_what_is_no_such_notification_is_refused(
    http: httpx.AsyncClient, listed: Listed, change: dict[str, Any], where: str
) -> None:
    answer = await http.post("/api/monitoring/alerts", json=notification(alert()) | change)
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [where]
    assert await listed(http, "alerts") == []


@pytest.mark.parametrize("what", ["alerts", "annotations"])
async def test_only_operators_look(http: httpx.AsyncClient, signed_in: Header, what: str) -> None:
    assert (await http.get(f"/api/monitoring/{what}")).status_code == 401
    for roles in (("user",), ("user", "moderator")):
        assert (await http.get(f"/api/monitoring/{what}", headers=signed_in(roles=roles))).status_code == 403
    assert (await http.get(f"/api/monitoring/{what}", headers=signed_in(roles=("operator",)))).status_code == 200
