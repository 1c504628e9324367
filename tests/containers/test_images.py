"""What is inside the images: all that is needed, and nothing that only training needs."""

import json
import re
import subprocess

import pytest

from scripts.containers.project import megabytes
from tests.containers.conftest import ROOT, Containers, docker, in_image

LIMIT_MB = 650
LOCKED = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
NEVER_LOCKED = {"torch", "torchvision", "triton", "nvidia-cublas", "nvidia-cudnn-cu12"}
OF_THE_BASE = {"pip", "setuptools", "wheel"}
INSTALLED = r"find / -xdev -name '*.dist-info' -exec basename {} .dist-info ';' | sed 's/-[^-]*$//'"
REVISION = "org.opencontainers.image.revision"
LABELS = {"source", "revision", "version"}
COMMIT = """
from pathlib import Path
from pipelines.lineage import git_folder, head
print(head(git_folder(Path("/app"))))
"""
MAINS = """
import importlib, pathlib
names = sorted(path.parent.name for path in pathlib.Path("/app/services").glob("*/main.py"))
for name in names:
    if name != "trainer":
        importlib.import_module(f"services.{name}.main")
print(len(names))
"""


def locked(name: str) -> set[str]:
    return set(map(plain, LOCKED.findall((ROOT / "requirements" / f"{name}.txt").read_text())))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def tracked(image: str, *folders: str) -> set[str]:
    """Files of the commit that an image was built from, as far as they are still there."""
    revision = docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{REVISION}"}}}}', image).strip()
    command = ["git", "ls-tree", "-r", "-z", "--name-only", revision, *folders]
    listed = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    return {path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()}


def files(image: str) -> set[str]:
    listed = in_image(image, "find", "/app", "-type", "f", "-not", "-path", "*/node_modules/*")
    return {path.removeprefix("/app/") for path in listed.splitlines()}


def test_the_service_image_has_nothing_that_only_training_needs(containers: Containers) -> None:
    installed = set(map(plain, in_image(containers.image("service"), "sh", "-c", INSTALLED).split()))
    assert locked("services") - {"colorama", "tzdata"} <= installed
    training_only = (locked("training") | NEVER_LOCKED) - locked("services") - OF_THE_BASE
    assert len(training_only) > 50
    assert installed & training_only == set()


def test_the_same_look_finds_them_where_they_are(containers: Containers) -> None:
    installed = set(map(plain, in_image(containers.image("trainer"), "sh", "-c", INSTALLED).split()))
    assert {"torch", "dvc", "scikit-learn", "mlflow-skinny", "onnx"} <= installed
    assert not {name for name in installed if name.startswith(("nvidia", "triton"))}


def test_every_service_can_be_imported_in_it(containers: Containers) -> None:
    assert int(in_image(containers.image("service"), "python", "-c", MAINS)) > 10
    in_image(containers.image("trainer"), "python", "-c", "import services.trainer.main")
    in_image(containers.image("mlflow"), "python", "-c", "import services.mlflow.main, mlflow.server")


def test_what_was_left_out_is_not_needed(containers: Containers) -> None:
    program = "import onnxruntime, zstandard as z; print(onnxruntime.get_available_providers(), z.backend)"
    told = in_image(containers.image("service"), "python", "-c", program)
    assert "CPUExecutionProvider" in told
    assert "cext" in told


def test_it_is_small(containers: Containers) -> None:
    assert 300 < megabytes(containers.image("service")) <= LIMIT_MB


def test_it_has_no_compiler(containers: Containers) -> None:
    look = "for name in cc gcc g++ clang make ld cargo uv npm node; do command -v $name; done; true"
    assert in_image(containers.image("service"), "sh", "-c", look).split() == []


@pytest.mark.parametrize("target", ["service", "mlflow", "trainer"])
def test_it_runs_as_nobody_in_particular_and_says_what_it_is(containers: Containers, target: str) -> None:
    assert in_image(containers.image(target), "id", "-u").strip() == "10001"
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", containers.image(target)))
    assert config["Entrypoint"] == ["python", "-m", "services"]
    said = {f"org.opencontainers.image.{label}" for label in LABELS}
    assert said <= config["Labels"].keys()
    assert re.fullmatch(r"[0-9a-f]{40}", config["Labels"][REVISION])


@pytest.mark.parametrize("target", ["service", "mlflow", "trainer"])
def test_every_place_for_a_volume_is_the_users(containers: Containers, target: str) -> None:
    places = "/keys/* /run/keys /config /files /models /artifacts /trainer"
    owners = in_image(containers.image(target), "sh", "-c", f"stat -c %u {places}")
    assert set(owners.split()) == {"10001"}
    assert len(owners.split()) > 15


def test_the_sources_are_in_the_images(containers: Containers) -> None:
    service, trainer = containers.image("service"), containers.image("trainer")
    assert len(tracked(service, "services", "models")) > 100
    assert tracked(service, "services", "models", "dashboards") <= files(service)
    assert tracked(trainer, "services", "models", "pipelines", "data", "requirements") <= files(trainer)


def test_the_service_image_has_no_sources_of_training(containers: Containers) -> None:
    tops = {path.partition("/")[0] for path in files(containers.image("service"))}
    assert tops == {"dashboards", "models", "services", "static"}


def test_the_trainer_knows_the_commit_and_no_secrets(containers: Containers) -> None:
    told = in_image(containers.image("trainer"), "python", "-c", COMMIT).strip()
    assert re.fullmatch(r"[0-9a-f]{40}", told)
    assert ".git/config" not in files(containers.image("trainer"))
