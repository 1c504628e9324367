"""Quick now, better later: nothing is lost, and the four answers about a job are four."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from services.proxy.jobs import Asked, Jobs
from tests.conftest import MakeDatabase
from tests.services.proxy.conftest import Predictors, Running, Start

PICTURE = b"a picture"


async def ask(proxy: Running, body: bytes = PICTURE, headers: dict[str, str] | None = None) -> httpx.Response:
    return await proxy.http.post("/api/proxy/predict", content=body, headers=headers)


async def ended(proxy: Running, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    async with asyncio.timeout(10):
        while True:
            answer = await proxy.http.get(f"/api/proxy/jobs/{job_id}")
            if answer.status_code == 200:
                return dict(answer.json())
            assert answer.status_code == 202, answer.text
            await asyncio.sleep(0.01)


async def test_the_quick_answer_now_and_the_slow_one_by_asking_again(start: Start, predictors: Predictors) -> None:
    proxy = await start()
    first = await ask(proxy)
    told = first.json()
    assert (first.status_code, told["state"], told["slow"]) == (202, "pending", None)
    assert told["fast"]["model"] == "quick"
    assert first.headers["location"] == f"/api/proxy/jobs/{told['id']}"
    assert (await proxy.http.get(first.headers["location"])).status_code == 202
    predictors.go_on.set()
    job = await ended(proxy, told["id"])
    assert (job["state"], job["slow"]["model"], job["fast"]["model"], job["error"]) == ("done", "slow", "quick", None)


async def test_the_row_is_there_before_the_answer_and_what_was_sent_goes_with_the_end(
    start: Start, predictors: Predictors
) -> None:
    proxy = await start()
    told = (await ask(proxy)).json()

    async def body() -> bytes | None:
        async with proxy.service.backends.database.connection() as connection:
            found = await connection.execute("SELECT body FROM jobs WHERE id = %s", (told["id"],))
            row = await found.fetchone()
            assert row
            return row["body"]  # type: ignore[no-any-return]

    assert await body() == PICTURE
    predictors.go_on.set()
    await ended(proxy, told["id"])
    assert await body() is None


async def test_server_sent_events_tell_the_end(start: Start, predictors: Predictors) -> None:
    proxy = await start()
    told = (await ask(proxy)).json()
    asyncio.get_running_loop().call_later(0.05, predictors.go_on.set)
    async with asyncio.timeout(10):
        text = (await proxy.http.get(f"/api/proxy/jobs/{told['id']}/events")).text
    states = [orjson.loads(line[6:])["state"] for line in text.splitlines() if line.startswith("data: ")]
    assert states == ["pending", "done"]


@pytest.mark.parametrize("swapped", [False, True])
async def test_roles_are_swapped_by_the_settings_alone(
    start: Start, predictors: Predictors, monkeypatch: pytest.MonkeyPatch, swapped: bool
) -> None:
    a, b = ("http://a/quick", "predict"), ("http://b/slow", "async")
    (svc_a, ep_a), (svc_b, ep_b) = (b, a) if swapped else (a, b)
    for name, value in {"SVC_A": svc_a, "SVC_A_EP": ep_a, "SVC_B": svc_b, "SVC_B_EP": ep_b}.items():
        monkeypatch.setenv(name, value)
    predictors.go_on.set()
    proxy = await start()
    told = (await ask(proxy)).json()
    job = await ended(proxy, told["id"])
    names = ("slow", "quick") if swapped else ("quick", "slow")
    assert (job["fast"]["model"], job["slow"]["model"]) == names


async def test_a_dead_proxy_loses_nothing(start: Start, predictors: Predictors) -> None:
    first = await start()
    ids = [(await ask(first, f"picture {number}".encode())).json()["id"] for number in range(20)]
    await first.killed()
    predictors.go_on.set()
    second = await start()
    jobs = [await ended(second, job_id) for job_id in ids]
    assert {job["state"] for job in jobs} == {"done"}
    keys = {request.headers["idempotency-key"] for request in predictors.to("slow")}
    assert keys == set(ids)


async def test_a_job_that_is_held_is_not_taken_by_another(
    start: Start, predictors: Predictors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEASE_SECONDS", "2")
    first, second = await start(), await start()
    told = (await ask(first)).json()
    await asyncio.sleep(4)  # two leases
    predictors.go_on.set()
    await ended(second, told["id"])
    assert len(predictors.to("slow")) == 1


async def test_who_lost_a_job_does_not_hold_it_for_its_new_holder(database: MakeDatabase) -> None:
    pool = await database("proxy")
    silent = Jobs(pool, lease_seconds=0, keep_seconds=3600, cache_seconds=0)
    patient = Jobs(pool, lease_seconds=3600, keep_seconds=3600, cache_seconds=0)
    await silent.book(Asked("someone", b"picture", "image/jpeg", b"digest"))
    lost = await silent.take(1, besides=[])
    found = await silent.take(1, besides=[])
    await patient.hold(lost)
    taken = await silent.take(1, besides=[])  # nobody has prolonged it
    await patient.hold(taken)
    assert [job.attempts for job in (*lost, *found, *taken)] == [1, 2, 3]
    assert await silent.take(1, besides=[]) == []


async def test_while_the_slow_predictor_is_away_the_job_waits(start: Start, predictors: Predictors) -> None:
    predictors.slow = 0
    predictors.go_on.set()
    proxy = await start()
    told = (await ask(proxy)).json()
    assert told["fast"]
    predictors.slow = 503
    assert (await proxy.http.get(f"/api/proxy/jobs/{told['id']}")).status_code == 202
    predictors.slow = 200
    assert (await ended(proxy, told["id"]))["state"] == "done"


async def test_while_the_quick_predictor_is_away_the_slow_one_answers(start: Start, predictors: Predictors) -> None:
    predictors.quick = 0
    predictors.go_on.set()
    proxy = await start()
    answer = await ask(proxy)
    assert (answer.status_code, answer.json()["fast"]) == (202, None)
    assert (await ended(proxy, answer.json()["id"]))["slow"]["model"] == "slow"


async def test_what_the_quick_predictor_refuses_is_no_job(start: Start, predictors: Predictors) -> None:
    predictors.quick = 422
    proxy = await start()
    answer = await ask(proxy)
    assert (answer.status_code, answer.json()["detail"]) == (422, "quick says no")
    assert answer.json()["errors"] == [{"where": "body", "what": "no picture", "allowed": "a picture"}]
    async with proxy.service.backends.database.connection() as connection:
        assert await (await connection.execute("SELECT id FROM jobs")).fetchall() == []


@pytest.mark.parametrize("how", ["refused", "failed"])
async def test_what_the_slow_predictor_cannot_answer_has_failed(start: Start, predictors: Predictors, how: str) -> None:
    proxy = await start()
    predictors.slow = 422 if how == "refused" else 200
    told = (await ask(proxy)).json()
    predictors.jobs[told["id"]] = "failed"
    predictors.go_on.set()
    job = await ended(proxy, told["id"])
    assert (job["state"], job["slow"]) == ("failed", None)
    assert job["error"] == ("slow says no" if how == "refused" else "three failures")


async def test_an_unknown_job_and_somebody_elses_are_not_told_apart(
    start: Start, signed_in: Callable[..., dict[str, str]]
) -> None:
    proxy = await start()
    told = (await ask(proxy)).json()
    url = f"/api/proxy/jobs/{told['id']}"
    unknown = await proxy.http.get(f"/api/proxy/jobs/{uuid4()}")
    other = await proxy.http.get(url, headers=signed_in())
    assert (unknown.status_code, other.status_code) == (404, 404)
    assert unknown.json()["title"] == other.json()["title"]
    assert (await proxy.http.get(url, headers=signed_in(roles=("moderator",)))).status_code == 202
    del proxy.http.headers["authorization"]
    assert (await proxy.http.get(url)).status_code == 401
    assert (await ask(proxy)).status_code == 401


async def test_results_expire(start: Start, predictors: Predictors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEP_SECONDS", "0.05")
    predictors.go_on.set()
    proxy = await start()
    told = (await ask(proxy)).json()
    async with asyncio.timeout(10):
        while (await proxy.http.get(f"/api/proxy/jobs/{told['id']}")).status_code != 404:
            await tidied(proxy)
            await asyncio.sleep(0.02)


async def tidied(proxy: Running) -> None:
    async with proxy.service.backends.database.connection() as connection:
        await connection.execute("DELETE FROM jobs WHERE expires_at < now()")


async def test_the_same_question_gets_both_answers_at_once(start: Start, predictors: Predictors) -> None:
    predictors.go_on.set()
    proxy = await start()
    first = (await ask(proxy)).json()
    await ended(proxy, first["id"])
    asked = len(predictors.asked)
    again = await ask(proxy)
    job = again.json()
    assert (again.status_code, job["state"], job["cached"]) == (200, "done", True)
    assert job["id"] != first["id"]
    assert (job["fast"]["model"], job["slow"]["model"]) == ("quick", "slow")
    assert len(predictors.asked) == asked
    assert (await ask(proxy, b"another")).json()["cached"] is False


async def test_defaults_are_not_kept_for_the_next(start: Start, predictors: Predictors) -> None:
    predictors.go_on.set()
    predictors.served_by = "default"
    proxy = await start()
    await ended(proxy, (await ask(proxy)).json()["id"])
    assert (await ask(proxy)).json()["cached"] is False


async def test_who_asks_is_passed_on_to_the_quick_predictor_alone(start: Start, predictors: Predictors) -> None:
    predictors.go_on.set()
    proxy = await start()
    told = (await ask(proxy, headers={"x-client": "kiosk", "content-type": "image/jpeg"})).json()
    await ended(proxy, told["id"])
    quick, slow = predictors.to("quick")[0], predictors.to("slow")[0]
    assert quick.headers["x-client"] == "kiosk"
    assert "authorization" in quick.headers
    assert "authorization" not in slow.headers
    assert quick.headers["content-type"] == slow.headers["content-type"] == "image/jpeg"
    metrics = (await proxy.http.get("/metrics")).text
    assert 'time_shifted_answers_total{outcome="model",which="fast"} 1.0' in metrics
    assert 'time_shifted_answers_total{outcome="model",which="slow"} 1.0' in metrics
