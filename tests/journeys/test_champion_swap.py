"""Model-load: a new champion is live within seconds without one failed request; what does not fit changes nothing."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from scripts.benchmarks.swap import LIVE_WITHIN_SECONDS, MODEL, Registry
from services.chassis.ports import PORTS
from tests.platform import Platform, User, eventually, photo


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
        found.promote(before)
        eventually(lambda: found.live(before), f"version {before} again")


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
        registry.promote(version)
        promoted = time.monotonic()
        eventually(lambda: registry.live(version), f"version {version} in both replicas", LIVE_WITHIN_SECONDS)
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
        registry.promote(spoilt)

        def alarmed() -> bool:
            behind = f'model_champion_refused{{model="{MODEL}"}} 1.0'
            refused = re.compile(rf'model_refused_total{{model="{MODEL}",reason="manifest"}} [1-9]')
            return all(behind in text and refused.search(text) for text in registry.metrics())

        eventually(alarmed, "the alarm in both replicas", LIVE_WITHIN_SECONDS + 10)
        seen = load.versions[before]
        eventually(lambda: load.versions[before] > seen + 5, "answers of the old champion")
    assert set(load.versions) == {before}
    assert not load.failed, load.failed[:3]
    registry.promote(before)
    calm = f'model_champion_refused{{model="{MODEL}"}} 0.0'
    eventually(lambda: all(calm in text for text in registry.metrics()), "the end of the alarm")
