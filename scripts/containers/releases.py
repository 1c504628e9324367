"""Model-in-image against model-load: bytes pulled and seconds until the model is ready, with and without the base.

scripts/compare-release [MODEL] [--project NAME]

Real pulls from the platform's own registry, through a port that counts. Images of models are removed from Docker
and pulled again; what runs is left alone.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from scripts.containers.project import Failed, engine, output
from scripts.containers.pulling import Counted, counting
from scripts.runner.site import ROOT, site

READY_SECONDS = 300
HOST_PORT = "8200/tcp"
LOCKED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp")
RECEIVED = """
from pathlib import Path
interfaces = [path for path in Path("/sys/class/net").iterdir() if path.name != "lo"]
print(sum(int((path / "statistics/rx_bytes").read_text()) for path in interfaces))
"""


@dataclass(frozen=True)
class Row:
    """One way to bring a version to a machine."""

    what: str
    base: str
    pulled: int
    pull_seconds: float
    ready_seconds: float

    @property
    def seconds(self) -> tuple[float, float]:
        """To pull, and from the start until it is ready."""
        return self.pull_seconds, self.ready_seconds

    def cells(self) -> list[str]:
        total = sum(self.seconds)
        return [
            self.what, self.base, f"{self.pulled / 1e6:.1f}", f"{self.pull_seconds:.1f}",
            f"{self.ready_seconds:.1f}", f"{total:.1f}",
        ]  # fmt: skip


HEAD = ["release", "base on the machine", "MB pulled", "s pull", "s to ready", "s in all"]


@dataclass(frozen=True)
class Comparison:
    """What is compared, and where it comes from."""

    model: str
    image: str
    base: str
    lowest: str
    network: str
    counted: Counted

    @property
    def registry(self) -> str:
        return f"localhost:{self.counted.port}"

    def rows(self) -> Iterator[Row]:
        """Without the base, then with it; each from nothing."""
        for warm in (False, True):
            self.forget(base=not warm)
            yield self.in_image("warm" if warm else "none")
        for warm in (False, True):
            self.forget(base=not warm)
            yield self.loaded("warm" if warm else "none")

    def forget(self, *, base: bool) -> None:
        """Docker has nothing of the images, by whatever name they were pulled; or the base alone."""
        remove(standing_on(self.lowest))
        if not base:
            self._pull(self.base)
        self.counted.taken()

    def in_image(self, base: str) -> Row:
        """Pull the image with the model inside, start it."""
        pull = self._pull(self.image)
        size = self.counted.taken()
        with container(f"{self.registry}/{self.image}", []) as name:
            return Row("model-in-image", base, size, pull, ready(name, self.model))

    def loaded(self, base: str) -> Row:
        """Pull the base if need be, start it, let it fetch the model from MLflow."""
        pull = 0.0 if base == "warm" else self._pull(self.base)
        size = self.counted.taken()
        settings = ["--env=MLFLOW_TRACKING_URI=http://mlflow:8300", "--volume=/models"]
        with container(f"{self.registry}/{self.base}", settings, self.network) as name:
            seconds = ready(name, self.model)
            received = int(output(["docker", "exec", name, "python", "-c", RECEIVED]))
        return Row("model-load", base, size + received, pull, seconds)

    def _pull(self, image: str) -> float:
        began = time.monotonic()
        output(["docker", "pull", "--quiet", f"{self.registry}/{image}"])
        return time.monotonic() - began


def standing_on(layer: str) -> list[str]:
    """Every image on this machine whose lowest layer it is."""
    ids = sorted(set(output(["docker", "image", "ls", "--quiet", "--no-trunc"]).split()))
    told = output(["docker", "image", "inspect", "--format", "{{.Id}} {{json .RootFS.Layers}}", *ids]) if ids else ""
    lines = (line.partition(" ") for line in told.splitlines())
    return [name for name, _, layers in lines if (json.loads(layers) or [""])[0] == layer]


def remove(images: Sequence[str]) -> None:
    """Docker refuses what a container runs, and says which."""
    if images:
        output(["docker", "image", "rm", "--force", *images])


@contextmanager
def container(image: str, options: Sequence[str], network: str = "") -> Iterator[str]:
    """One that is started now and removed afterwards; with a second network where it needs one."""
    command = ["docker", "create", *LOCKED, *options, "--publish=127.0.0.1::8200", image]
    name = output(command).strip()
    try:
        if network:
            output(["docker", "network", "connect", network, name])
        output(["docker", "start", name])
        yield name
    finally:
        output(["docker", "rm", "--force", "--volumes", name])


def ready(name: str, model: str) -> float:
    """Seconds since the container was told to start, until the model is loaded."""
    began = time.monotonic()
    published = json.loads(output(["docker", "inspect", "--format", "{{json .NetworkSettings.Ports}}", name]))
    url = f"http://127.0.0.1:{published[HOST_PORT][0]['HostPort']}/v2/models/{model}/ready"
    said = ""
    with httpx.Client(timeout=2) as client:
        while time.monotonic() - began < READY_SECONDS:
            try:
                answer = client.get(url)
                if answer.status_code == 200:
                    return time.monotonic() - began
                said = answer.text
            except httpx.TransportError as error:
                said = repr(error)
            time.sleep(0.02)
    raise Failed(f"{model} was not ready after {READY_SECONDS} s: {said}\n{logs(name)}")


def logs(name: str) -> str:
    """What a container said last."""
    done = subprocess.run(["docker", "logs", "--tail=10", name], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def registry_port(project: str) -> int:
    """Where the registry of a project is published."""
    command = ["docker", "compose", "--project-name", project, "port", "registry", "8380"]
    try:
        return int(output(command, ROOT).strip().rpartition(":")[2])
    except (Failed, ValueError) as problem:
        raise Failed(
            f"the registry of {project} is not up; `docker compose up --wait` starts it\n{problem}"
        ) from problem


def newest(address: str, model: str) -> tuple[str, str, str]:
    """The image of the newest version of a model, the base it stands on, and the lowest layer of both."""
    answer = httpx.get(f"{address}/v2/models/{model}/tags/list")
    tags = [tag for tag in answer.json().get("tags") or [] if tag.isdigit()] if answer.is_success else []
    if not tags:
        raise Failed(f"there is no image of {model} in the registry; `scripts/build-image {model}` makes one")
    tag, blobs = max(tags, key=int), f"{address}/v2/models/{model}"
    accept = {"accept": "application/vnd.oci.image.manifest.v1+json"}
    manifest = httpx.get(f"{blobs}/manifests/{tag}", headers=accept).raise_for_status().json()
    config = httpx.get(f"{blobs}/blobs/{manifest['config']['digest']}").raise_for_status().json()
    base = str(manifest["annotations"]["org.opencontainers.image.base.name"])
    return f"models/{model}:{tag}", base, str(config["rootfs"]["diff_ids"][0])


def shown(rows: Iterator[Row]) -> Iterator[Row]:
    """Each as it comes: pulling takes its time."""
    for row in rows:
        print(f"  {row.what}, base {row.base}: {row.pulled / 1e6:.1f} MB, {sum(row.seconds):.1f} s", flush=True)
        yield row


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads; numbers to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/compare-release", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", default="image_quick", help="a model with an image in the registry")
    parser.add_argument("--project", help="the Compose project; else COMPOSE_PROJECT_NAME")
    options = parser.parse_args(arguments)
    named = options.project or site().environment.get("COMPOSE_PROJECT_NAME") or ROOT.name.lower()
    try:
        engine()
        port = registry_port(named)
        image, base, lowest = newest(f"http://127.0.0.1:{port}", options.model)
        print(f"{image} on {base}, from the registry of {named}", flush=True)
        with counting(port) as counted:
            comparison = Comparison(options.model, image, base, lowest, f"{named}_services", counted)
            try:
                print(table([HEAD, *(row.cells() for row in shown(comparison.rows()))]))
            finally:
                comparison.forget(base=True)
    except (Failed, httpx.HTTPError) as problem:
        print(f"compare-release: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
