"""The images that image-builder has pushed: real pulls from the real registry, and a container that serves."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.containers.conftest import Containers, docker
from tests.platform import Platform, eventually

MODEL = "text_violation"
OCI = "application/vnd.oci.image.manifest.v1+json"
HOST = "inference-in-image"
BESIDE = """
import httpx, json
host = "http://{host}:8230"
answer = httpx.post(host + "/v2/models/{model}/predict", json={{"text": "a small cat"}}, timeout=20)
lines = httpx.get(host + "/metrics").text.splitlines()
logged = sum(float(line.split()[-1]) for line in lines if line.startswith("predictions_logged_total"))
print(json.dumps([answer.raise_for_status().json(), logged]))
"""
LOCKED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp")


@pytest.fixture(scope="module")
def operator(containers: Containers, platform: Platform) -> httpx.Client:
    """Whoever may build."""
    return platform.user("operator").http


@pytest.fixture(scope="module")
def registry(containers: Containers) -> str:
    """`localhost:PORT`, as Docker on this machine pulls from it."""
    return f"localhost:{containers.compose('port', 'registry', '8380').strip().rpartition(':')[2]}"


@pytest.fixture(scope="module")
def image(operator: httpx.Client, registry: str) -> Iterator[dict[str, Any]]:
    """The champion's image: it is there already, because champions are followed."""

    def there() -> dict[str, Any] | None:
        images = operator.get("/api/image-builder/images", params={"name": MODEL}).json()["images"]
        return next((image for image in images if image["kind"] == "image"), None)

    found = eventually(there, "the champion's image", 60)
    yield found
    docker("image", "rm", "--force", found["reference"])


def test_the_registry_has_the_digest_that_was_written_down(image: dict[str, Any], registry: str) -> None:
    url = f"http://{registry}/v2/models/{MODEL}/manifests/{image['tag']}"
    assert httpx.head(url, headers={"accept": OCI}).headers["docker-content-digest"] == image["digest"]


def test_building_again_sends_nothing_and_changes_nothing(operator: httpx.Client, image: dict[str, Any]) -> None:
    wanted = {"model": MODEL, "version": image["version"]}
    answer = operator.post("/api/image-builder/images", json=wanted)
    assert answer.status_code == 200
    assert (answer.json()["digest"], answer.json()["bytes_pushed"]) == (image["digest"], 0)


def test_it_is_pulled_and_serves_without_a_network(containers: Containers, image: dict[str, Any]) -> None:
    by_digest = f"{image['reference'].rpartition(':')[0]}@{image['digest']}"
    docker("pull", "--quiet", by_digest)
    name = docker("run", "--detach", *LOCKED, "--network=none", by_digest).strip()
    try:
        eventually(lambda: containers.health(name) == "healthy", "health", 120)
        program = (
            "import json, urllib.request as u;"
            f"print(u.urlopen('http://127.0.0.1:8200/v2/models/{MODEL}').read().decode())"
        )
        told = json.loads(docker("exec", name, "python", "-c", program))
        assert told["versions"] == [image["version"]]
        assert docker("exec", name, "id", "-u").strip() == "10001"
    finally:
        docker("rm", "--force", name)


def test_the_profile_runs_it_beside_the_other_hosts(
    containers: Containers, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_IMAGE", f"{image['reference'].rpartition(':')[0]}@{image['digest']}")
    profile = ("--profile", "model-in-image")
    try:
        containers.compose(*profile, "up", "--detach", "--wait", "--no-deps", HOST)
        done = containers.inside("web", BESIDE.format(host=HOST, model=MODEL))
        assert done.returncode == 0, done.stderr
        answer, logged = json.loads(done.stdout)
        assert (answer["version"], answer["served_by"]) == (image["version"], "model")
        assert logged >= 1
    finally:
        containers.compose(*profile, "rm", "--stop", "--force", HOST)


def test_its_labels_lead_back_to_data_and_people(image: dict[str, Any]) -> None:
    docker("pull", "--quiet", image["reference"])
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", image["reference"]))
    assert labels["model.manifest.sha256"] == image["manifest_sha256"]
    wanted = ("git.commit", "data.sha256", "parameters", "metrics", "versions", "author", "purpose", "approver")
    assert all(labels[f"model.{name}"] for name in wanted)


def test_a_second_model_pulls_its_own_layer_only(operator: httpx.Client, image: dict[str, Any]) -> None:
    images = operator.get("/api/image-builder/images").json()["images"]
    others = [it for it in images if it["kind"] == "image" and it["base"] == image["base"] and it["name"] != MODEL]
    assert others
    docker("pull", "--quiet", image["reference"])
    for other in others:
        if docker("image", "ls", "--quiet", other["reference"]).strip():
            docker("image", "rm", "--force", other["reference"])
    began = time.monotonic()
    docker("pull", "--quiet", others[0]["reference"])
    print(f"pull with the base there: {time.monotonic() - began:.2f} s")
    shared = {layer["digest"] for layer in image["layers"]} & {layer["digest"] for layer in others[0]["layers"]}
    assert len(shared) == 3
    docker("image", "rm", "--force", others[0]["reference"])
