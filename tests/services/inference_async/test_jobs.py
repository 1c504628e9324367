"""Asking for later: nothing accepted is lost, no answer counts twice, and nobody sees another's job."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry
from psycopg import OperationalError

from services.chassis.settings import Unusable
from services.inference_async.callbacks import Callbacks
from services.inference_async.job_metrics import JobMetrics
from services.inference_async.jobs import Asked, Jobs
from services.prediction import NOBODY
from tests.conftest import MakeDatabase
from tests.services.inference_async.conftest import FakePredictor, Running, Start

TEXT = {"text": "こんにちは"}
ASK = "/v2/models/text_violation/async"
Headers = dict[str, str]


@pytest.fixture
def owner(signed_in: Any) -> Headers:
    return dict(signed_in(sub=uuid4()))


async def ask(process: Running, headers: Headers, **more: str) -> dict[str, Any]:
    answer = await process.http.post(ASK, json=TEXT, headers=headers | more)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def ended(process: Running, job: dict[str, Any], headers: Headers) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            answer = await process.http.get(f"/v2/jobs/{job['id']}", params={"wait": 1}, headers=headers)
            if answer.status_code != 202:
                return dict(answer.json())


async def test_a_job_is_accepted_and_then_done(start: Start, owner: Headers) -> None:
    process = await start()
    answer = await process.http.post(ASK, json=TEXT, headers=owner)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v2/jobs/{job['id']}"
    assert (job["state"], job["prediction"]) == ("pending", None)
    done = await ended(process, job, owner)
    assert (done["state"], done["error"]) == ("done", None)
    assert done["prediction"]["served_by"] == "model"
    assert done["prediction"]["id"] == job["id"]
    assert done["prediction"]["violation"]["label"] == "ok"
    assert done["expires_at"]


async def test_four_different_answers(start: Start, owner: Headers, model: FakePredictor) -> None:
    process = await start()
    good = await ended(process, await ask(process, owner), owner)
    bad = await process.http.post(ASK, json={"text": "unreadable"}, headers=owner)
    failed = await ended(process, bad.json(), owner)
    model.may_answer.clear()
    pending = await process.http.get(f"/v2/jobs/{(await ask(process, owner))['id']}", headers=owner)
    unknown = await process.http.get(f"/v2/jobs/{uuid4()}", headers=owner)
    assert (good["state"], failed["state"], pending.json()["state"]) == ("done", "failed", "pending")
    assert failed["error"] == "it cannot be read"
    assert (pending.status_code, unknown.status_code) == (202, 404)


async def test_who_waits_no_longer_gets_the_default_and_the_job_goes_on(
    start: Start, owner: Headers, model: FakePredictor
) -> None:
    process = await start()
    model.may_answer.clear()
    job = await ask(process, owner)
    answer = await process.http.get(f"/v2/jobs/{job['id']}", params={"wait": 0.05}, headers=owner)
    default = answer.json()["prediction"]
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert (default["served_by"], default["reason"], default["version"]) == ("default", "deadline", "default")
    assert process.metric("job_defaults_total", model="text_violation") == 1
    model.may_answer.set()
    assert (await ended(process, job, owner))["prediction"]["served_by"] == "model"


async def test_waiting_ends_when_the_job_does(start: Start, owner: Headers, model: FakePredictor) -> None:
    process = await start()
    model.may_answer.clear()
    job = await ask(process, owner)
    waiting = asyncio.create_task(process.http.get(f"/v2/jobs/{job['id']}", params={"wait": 10}, headers=owner))
    while not model.asked:
        await asyncio.sleep(0)
    model.may_answer.set()
    async with asyncio.timeout(5):
        assert (await waiting).json()["state"] == "done"


async def test_tensors_are_answered_with_tensors(start: Start, owner: Headers) -> None:
    process = await start()
    tensor = {"name": "features", "datatype": "FP32", "shape": [2, 16384], "data": [0.0] * (2 * 16384)}
    answer = await process.http.post(ASK, json={"id": "mine", "inputs": [tensor]}, headers=owner)
    done = await ended(process, answer.json(), owner)
    assert done["prediction"]["id"] == "mine"
    assert done["prediction"]["outputs"][0]["shape"] == [2, 3]


@pytest.mark.parametrize(
    "body",
    [
        b"no picture, no JSON",
        b"{",
        b'{"text": 1}',
        '{"text": "Продам велосипед"}'.encode(),
        b'{"inputs": []}',
        b'{"inputs": [{"name": "features", "datatype": "FP16", "shape": [1, 2], "data": [0, 0]}]}',
    ],
)
async def test_what_breaks_the_contract_is_refused_at_once(start: Start, owner: Headers, body: bytes) -> None:
    process = await start()
    answer = await process.http.post(ASK, content=body, headers=owner)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


async def test_an_unknown_model_is_not_found(start: Start, owner: Headers) -> None:
    process = await start()
    assert (await process.http.post("/v2/models/nobody/async", json=TEXT, headers=owner)).status_code == 404


async def test_a_key_makes_asking_twice_the_same_as_once(start: Start, owner: Headers, signed_in: Any) -> None:
    process = await start()
    key = {"Idempotency-Key": "k"}
    both = await asyncio.gather(*(ask(process, owner, **key) for _ in range(5)))
    assert len({job["id"] for job in both}) == 1
    other = await process.http.post(ASK, json={"text": "something else"}, headers=owner | key)
    assert other.status_code == 409
    somebody = await ask(process, dict(signed_in(sub=uuid4())), **key)
    assert somebody["id"] != both[0]["id"]


async def test_a_job_is_its_owners(start: Start, owner: Headers, signed_in: Any) -> None:
    process = await start()
    job = await ask(process, owner)

    async def seen(headers: Headers) -> list[int]:
        paths = (f"/v2/jobs/{job['id']}", f"/v2/jobs/{job['id']}/events")
        return [(await process.http.get(path, headers=headers)).status_code for path in paths]

    await ended(process, job, owner)
    assert await seen(owner) == [200, 200]
    assert await seen(dict(signed_in(roles=("moderator",)))) == [200, 200]
    assert await seen(dict(signed_in(sub=uuid4()))) == [404, 404]
    assert await seen({}) == [404, 404]


async def test_a_job_of_a_dead_process_is_taken_up_by_another(start: Start, owner: Headers) -> None:
    stuck, quick = FakePredictor(), FakePredictor()
    quick.may_answer.set()
    dying = await start(with_model=stuck, job_lease_seconds=0.3)
    job = await ask(dying, owner)
    while not stuck.asked:
        await asyncio.sleep(0.01)
    await dying.die()
    living = await start(with_model=quick, job_lease_seconds=0.3)
    done = await ended(living, job, owner)
    assert (done["state"], done["attempts"]) == ("done", 2)
    assert len(quick.asked) == 1


async def test_a_slow_model_keeps_its_job_as_long_as_its_process_lives(start: Start, owner: Headers) -> None:
    slow, other = FakePredictor(), FakePredictor()
    first = await start(with_model=slow, job_lease_seconds=2)
    job = await ask(first, owner)
    while not slow.asked:
        await asyncio.sleep(0.01)
    second = await start(with_model=other, job_lease_seconds=2)
    await second.http.get(f"/v2/jobs/{job['id']}", params={"wait": 4}, headers=owner)
    slow.may_answer.set()
    assert (await ended(second, job, owner))["attempts"] == 1
    assert other.asked == []


async def test_who_could_not_renew_a_lease_does_not_take_up_its_own_job(start: Start, owner: Headers) -> None:
    slow = FakePredictor()
    process = await start(with_model=slow, job_lease_seconds=600)
    job = await ask(process, owner)
    while not slow.asked:
        await asyncio.sleep(0.01)
    async with process.service.backends.database.connection() as connection:
        await connection.execute("UPDATE jobs SET due_at = now() - interval '1 minute'")  # as if it had been silent
    await ask(process, owner)
    while len(slow.asked) < 2:  # what waits is looked for again, and the first job would be the first in turn
        await asyncio.sleep(0.01)
    slow.may_answer.set()
    assert (await ended(process, job, owner))["attempts"] == 1
    assert len(slow.asked) == 2


async def test_an_answer_that_comes_after_another_took_over_counts_for_nothing(start: Start, owner: Headers) -> None:
    late, quick = FakePredictor(), FakePredictor()
    quick.may_answer.set()
    first = await start(with_model=late, job_lease_seconds=600)
    job = await ask(first, owner)
    while not late.asked:
        await asyncio.sleep(0.01)
    async with first.service.backends.database.connection() as connection:
        await connection.execute("UPDATE jobs SET due_at = now()")  # as if it had been silent
    second = await start(with_model=quick)
    done = await ended(second, job, owner)
    late.answers = ["switched_off"]
    late.may_answer.set()
    assert (await ended(first, job, owner))["prediction"] == done["prediction"]
    assert first.metric("jobs_ended_total", model="text_violation", outcome="done") == 0


async def test_who_lost_a_job_does_not_hold_it_for_its_new_holder(database: MakeDatabase) -> None:
    hour = timedelta(hours=1)
    pool = await database("inference_async")
    silent = Jobs(pool, lease=timedelta(0), keep=hour, most=9, most_each=9)
    patient = Jobs(pool, lease=hour, keep=hour, most=9, most_each=9)
    asked = Asked("someone", "text_violation", "raw", 1, b"{}", NOBODY, b"digest")
    await silent.add(asked)
    lost = await silent.take(1, besides=[])
    found = await silent.take(1, besides=[])
    await patient.hold(lost)
    taken = await silent.take(1, besides=[])  # nobody has prolonged it
    await patient.hold(taken)
    assert [job.attempts for job in (*lost, *found, *taken)] == [1, 2, 3]
    assert await silent.take(1, besides=[]) == []


async def test_what_kills_three_processes_has_failed(start: Start, owner: Headers) -> None:
    poison = FakePredictor()
    job: dict[str, Any] = {}
    for number in range(3):
        process = await start(with_model=poison, job_lease_seconds=0.2)
        job = job or await ask(process, owner)
        while len(poison.asked) <= number:
            await asyncio.sleep(0.01)
        await process.die()
    assert (await ended(await start(with_model=poison), job, owner))["state"] == "failed"


async def test_weather_is_waited_out_and_a_fault_is_tried_three_times(
    start: Start, owner: Headers, model: FakePredictor
) -> None:
    process = await start()
    model.answers = [*[OperationalError("away")] * 4, "model"]
    assert (await ended(process, await ask(process, owner), owner))["state"] == "done"
    model.answers = [ZeroDivisionError("a bug")]
    failed = await ended(process, await ask(process, owner), owner)
    assert failed["state"] == "failed"
    assert "ZeroDivisionError" in failed["error"]
    assert process.metric("job_retries_total", model="text_violation") == 4 + 2


@pytest.mark.parametrize(("patience", "served_by"), [(60.0, "model"), (0.0, "default")])
async def test_a_job_waits_for_its_model_before_it_takes_the_default(
    start: Start, owner: Headers, model: FakePredictor, patience: float, served_by: str
) -> None:
    process = await start(job_patience_seconds=patience)
    model.answers = ["not_loaded", "model"]
    assert (await ended(process, await ask(process, owner), owner))["prediction"]["served_by"] == served_by


async def test_a_result_expires(start: Start, owner: Headers) -> None:
    process = await start(job_keep_seconds=0.001)
    job = await ask(process, owner)
    async with asyncio.timeout(10):
        while (await process.http.get(f"/v2/jobs/{job['id']}", headers=owner)).status_code != 404:
            await asyncio.sleep(0.01)


async def test_too_many_jobs_are_refused(start: Start, owner: Headers, signed_in: Any, model: FakePredictor) -> None:
    model.may_answer.clear()
    process = await start(jobs_most_open_each=2, jobs_most_open=3)
    for _ in range(2):
        await ask(process, owner)
    refused = await process.http.post(ASK, json=TEXT, headers=owner)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    other = dict(signed_in(sub=uuid4()))
    await ask(process, other)
    assert (await process.http.post(ASK, json=TEXT, headers=other)).status_code == 429


async def test_events_tell_of_the_end(start: Start, owner: Headers, model: FakePredictor) -> None:
    process = await start()
    model.may_answer.clear()
    job = await ask(process, owner)
    hearing = asyncio.create_task(process.http.get(f"/v2/jobs/{job['id']}/events", headers=owner))
    while not model.asked:
        await asyncio.sleep(0.01)
    model.may_answer.set()
    async with asyncio.timeout(10):
        heard = await hearing
    assert heard.headers["content-type"].startswith("text/event-stream")
    states = [line for line in heard.text.splitlines() if line.startswith("data:")]
    assert '"pending"' in states[0] or '"done"' in states[0]
    assert '"done"' in states[-1]


class Receiver:
    """Somebody who wants to be told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.heard: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 204)


async def told(process: Running, job: dict[str, Any], owner: Headers, state: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            now = (await process.http.get(f"/v2/jobs/{job['id']}", headers=owner)).json()
            if now["callback"]["state"] == state:
                return dict(now["callback"])
            await asyncio.sleep(0.02)


async def test_a_callback_is_signed_and_repeated_until_it_arrives(start: Start, owner: Headers, tmp_path: Any) -> None:
    import base64
    import hashlib
    import hmac

    key = tmp_path / "callback"
    key.write_bytes(b"a secret\n")
    receiver = Receiver(503, 302)
    process = await start(httpx.MockTransport(receiver), callback_hosts="shop.example:8443", callback_key_file=key)
    job = await ask(process, owner, **{"Callback-Url": "https://shop.example:8443/heard?of=it"})
    said = await told(process, job, owner, "delivered")
    assert (said["attempts"], said["status"], len(receiver.heard)) == (3, 204, 3)
    request = receiver.heard[-1]
    assert request.url.path == "/heard"
    content = f"{job['id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    signature = base64.b64encode(hmac.new(b"a secret", content, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{signature}"
    assert '"done"' in request.content.decode()


async def test_while_no_host_may_be_called_a_callback_waits(start: Start, owner: Headers, tmp_path: Any) -> None:
    key, model, receiver = tmp_path / "callback", FakePredictor(), Receiver()
    key.write_bytes(b"a secret\n")
    settings = {"callback_hosts": "shop.example", "callback_key_file": key}
    first = await start(httpx.MockTransport(receiver), with_model=model, job_lease_seconds=0.3, **settings)
    job = await ask(first, owner, **{"Callback-Url": "https://shop.example/heard"})
    await first.die()
    model.may_answer.set()
    without = await start(httpx.MockTransport(receiver), with_model=model)
    await ended(without, job, owner)
    await asyncio.sleep(1.2)  # twice as long as until callbacks are looked for, where they are
    assert (await told(without, job, owner, "due"))["attempts"] == 0
    await without.die()
    await told(await start(httpx.MockTransport(receiver), with_model=model, **settings), job, owner, "delivered")
    assert len(receiver.heard) == 1


async def test_a_slow_receiver_holds_nobody_up(database: MakeDatabase) -> None:
    pool, quick, heard = await database("inference_async"), asyncio.Event(), list[str]()

    async def receiver(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/quick":
            quick.set()
        await quick.wait()
        heard.append(request.url.path)
        return httpx.Response(204)

    async def body(job_id: UUID) -> bytes:
        return b"{}"

    async with pool.connection() as connection:
        for name, age in (("slow", 2), ("quick", 1)):
            await connection.execute(
                """
                WITH job AS (INSERT INTO jobs (id, subject, model, form) VALUES (%s, '', 'any', 'raw') RETURNING id)
                INSERT INTO callbacks (job_id, url, state, due_at)
                SELECT id, %s, 'due', now() - make_interval(secs => %s) FROM job
                """,
                (uuid4(), f"https://shop.example/{name}", age),
            )
    async with httpx.AsyncClient(transport=httpx.MockTransport(receiver)) as http:
        callbacks = Callbacks(pool, http, JobMetrics(CollectorRegistry()), key=b"a secret", hosts=["shop.example"])
        assert await callbacks.deliver_due(body) == 2
    assert sorted(heard) == ["/quick", "/slow"]


@pytest.mark.parametrize(
    "url",
    [
        "http://postgres:8320/",
        "http://shop.example@evil.example/",
        "http://shop.example:8320/",
        "file:///etc/passwd",
        "http://user:secret@shop.example/",
        "http://shop.example:99999/",
        "//shop.example/",
        "http://SHOP.example.evil/",
    ],
)
async def test_nobody_else_is_called(start: Start, owner: Headers, tmp_path: Any, url: str) -> None:
    (tmp_path / "callback").write_bytes(b"a secret")
    process = await start(callback_hosts="shop.example", callback_key_file=tmp_path / "callback")
    answer = await process.http.post(ASK, json=TEXT, headers=owner | {"Callback-Url": url})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["allowed"] == "shop.example"


async def test_without_a_key_nobody_can_be_called(start: Start) -> None:
    with pytest.raises(Unusable, match="CALLBACK_KEY_FILE"):
        await start(callback_hosts="shop.example")
