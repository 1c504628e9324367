"""Model-load: a new champion is live within seconds without one failed request; what does not fit changes nothing."""

import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.chassis.ports import PORTS
from tests.platform import Platform, User, eventually, photo

LIVE_WITHIN_SECONDS = 10
MODEL = "image_quick"


@dataclass
class Registry:
    """The platform's MLflow, to which a version of a model can be added."""

    http: httpx.Client
    replicas: list[str]

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.http.request(method, f"/api/2.0/{path}", **options)
        assert answer.is_success, answer.text
        return answer.json()

    def champion(self) -> dict[str, Any]:
        found = self.call("GET", "mlflow/registered-models/alias", params={"name": MODEL, "alias": "champion"})
        return dict(found["model_version"])

    def copied(self, *, spoilt: bool = False) -> str:
        """The champion registered once more, or as if its manifest had been tampered with; the new number."""
        champion = self.champion()
        body = {"name": MODEL, "source": champion["source"], "run_id": champion["run_id"], "tags": champion["tags"]}
        if spoilt:
            body["tags"] = [{"key": "manifest_sha256", "value": "0" * 64}]
        return str(self.call("POST", "mlflow/model-versions/create", json=body)["model_version"]["version"])

    def metrics(self) -> list[str]:
        """What each replica of the host shows."""
        return [httpx.get(f"http://{replica}/metrics", timeout=10).text for replica in self.replicas]


@pytest.fixture
def registry(platform: Platform) -> Iterator[Registry]:
    replicas = platform.inside("inference-sync")
    if not replicas:
        pytest.skip("the registry of a platform that was not started here cannot be reached")
    assert len(replicas) == 2
    with httpx.Client(base_url=f"http://127.0.0.1:{PORTS['mlflow'] + platform.offset}", timeout=20) as http:
        found = Registry(http, replicas)
        before = found.champion()["version"]
        yield found
        promote(before)
        eventually(lambda: live(found, before), f"version {before} again")


def promote(version: str) -> None:
    subprocess.run(["scripts/promote", MODEL, version], check=True, capture_output=True)


def live(registry: Registry, version: str) -> bool:
    line = f'model_info{{model="{MODEL}",version="{version}"}} 1.0'
    return all(line in text for text in registry.metrics())


@dataclass
class Load:
    """Users who ask through the gateway until they are told to stop."""

    platform: Platform
    versions: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, users: int = 4) -> Iterator[None]:
        stop, picture = threading.Event(), photo("cat")

        def ask(user: User) -> None:
            while not stop.is_set():
                try:
                    answer = user.http.post(f"/v2/models/{MODEL}/predict", content=picture)
                    body = answer.json()
                    good = answer.status_code == 200 and body["served_by"] == "model"
                    if good:
                        self.versions[body["version"]] += 1
                    else:
                        self.failed.append(answer.text[:300])
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))

        threads = [threading.Thread(target=ask, args=(self.platform.user(),)) for _ in range(users)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_new_champion_is_live_soon_and_nobody_notices(platform: Platform, registry: Registry) -> None:
    before, version = registry.champion()["version"], registry.copied()
    load = Load(platform)
    with load.running():
        eventually(lambda: load.versions[before] > 20, "answers of the old champion")
        promote(version)
        promoted = time.monotonic()
        eventually(lambda: live(registry, version), f"version {version} in both replicas", LIVE_WITHIN_SECONDS)
        seconds, seen = time.monotonic() - promoted, load.versions[version]
        eventually(lambda: load.versions[version] > seen + 20, "answers of the new champion")
    assert not load.failed, load.failed[:3]
    print(f"live in both replicas after {seconds:.1f} s, {load.versions.total()} answers, none failed")


def test_what_does_not_fit_leaves_the_old_one_serving_and_raises_the_alarm(
    platform: Platform, registry: Registry
) -> None:
    before, load = registry.champion()["version"], Load(platform)
    spoilt = registry.copied(spoilt=True)
    with load.running(users=1):
        promote(spoilt)

        def alarmed() -> bool:
            behind = f'model_champion_refused{{model="{MODEL}"}} 1.0'
            refused = re.compile(rf'model_refused_total{{model="{MODEL}",reason="manifest"}} [1-9]')
            return all(behind in text and refused.search(text) for text in registry.metrics())

        eventually(alarmed, "the alarm in both replicas", LIVE_WITHIN_SECONDS + 10)
        seen = load.versions[before]
        eventually(lambda: load.versions[before] > seen + 5, "answers of the old champion")
    assert set(load.versions) == {before}
    assert not load.failed, load.failed[:3]
    promote(before)
    calm = f'model_champion_refused{{model="{MODEL}"}} 0.0'
    eventually(lambda: all(calm in text for text in registry.metrics()), "the end of the alarm")
