"""Our synchronous host behind the gateway: what the way through it costs, what the limit does, and what the log holds.

    scripts/bench edge [--rounds 5] [--seconds 4] [--rate 1000]

Two replicas with the small model, and an Envoy with the configuration that the platform renders, which asks them over
Unix sockets as on one machine; every request carries a token. The model is declared to be light (LIGHT_MODELS), so one
replica answers as long as it is well. Beside it the same over TCP as in containers, and without that declaration.
"""

import base64
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from scripts.benchmarks import generators
from scripts.benchmarks.contenders import OPEN_INFERENCE, OURS, ROOT, SERVED, Command, Contender, Place, ours
from scripts.benchmarks.generators import Measured, at_rate, wrk
from scripts.benchmarks.iris import artefact
from scripts.benchmarks.servers import answers, ended, serving, started
from scripts.benchmarks.serving import machine
from scripts.benchmarks.tables import Bound, markdown, table

HOST_PORT, GATEWAY_PORT, CONNECTIONS = 17400, 17600, 64
SOCKETS = "sockets"
DIRECT, THROUGH, TCP, TURNS = "direct", "through the gateway", "the same, hosts by TCP", "the same, hosts in turn"
AUDIENCE, ISSUER = "platform", "identity"


class Keys:
    """A key pair of this run, as `identity` has one."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> str:
        """The public half."""
        numbers = self._key.public_key().public_numbers()
        x, y = (base64.urlsafe_b64encode(n.to_bytes(32)).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
        entry = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench", "x": x, "y": y}
        return json.dumps({"keys": [entry]})

    def token(self) -> str:
        """A user's token."""
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(uuid4()), "name": "bench", "roles": [], "iat": now}
        body |= {"exp": now + 3600, "jti": str(uuid4())}
        return jwt.encode(body, self._key, algorithm="ES256", headers={"kid": "bench"})


@contextlib.contextmanager
def host(folder: Path, jwks: Path, patterns: str) -> Iterator[Place]:
    """Two replicas that check tokens."""
    given = {"JWKS_FILE": str(jwks), "SOCKET_FOLDER": str(folder / SOCKETS)}

    def start(place: Place) -> list[Command]:
        commands = ours(patterns)(place)
        return [replace(command, environment={**command.environment, **given}) for command in commands]

    models = folder / "models"
    place = Place(folder / "edge", artefact(models), models, HOST_PORT)
    contender = Contender(OURS, "", start, SERVED, OPEN_INFERENCE, ports=lambda port: [port, port + 1])
    with serving(contender, place):
        yield place


@contextlib.contextmanager
def gateway(folder: Path, jwks: Path, per_second: int, way: str = THROUGH) -> Iterator[int]:
    """Envoy in front of the replicas, as on one machine or in one of the other ways; gives its port."""
    config = folder / "envoy.yaml"
    hosts = ",".join(f"http://127.0.0.1:{HOST_PORT + at}" for at in range(2))
    given = {
        "JWKS_FILE": str(jwks),
        "ENVOY_CONFIG": str(config),
        "INFERENCE_SYNC_URL": hosts,
        "PREDICTIONS_PER_SECOND": str(per_second),
        "PORT_OFFSET": str(GATEWAY_PORT - 8080),
        "LISTEN_HOST": "127.0.0.1",
    }
    if way != TCP:
        given["SOCKET_FOLDER"] = str(folder / SOCKETS)
    if way != TURNS:
        given["LIGHT_MODELS"] = "iris"
    words = [sys.executable, "-m", "services", "gateway-config"]
    subprocess.run(words, cwd=ROOT, env={**os.environ, **given}, check=True, capture_output=True)
    envoy = str(Path(sys.executable).with_name("envoy"))
    log = folder / "envoy.log"
    with log.open("wb") as output:
        running = Command([envoy, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"])
        process = started(running, output.fileno())
        try:
            reachable(GATEWAY_PORT, process)
            yield GATEWAY_PORT
        finally:
            ended([process])


def reachable(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until it answers anything."""
    while process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
            return
        time.sleep(0.05)
    raise SystemExit("bench: the gateway did not start: see envoy.log")


def passage(folder: Path, jwks: Path, token: str, rounds: int, seconds: float) -> tuple[list[list[str]], Bound]:
    """Direct and through the gateway, in turn; the breaker is off.

    One Envoy is up to a tenth faster than the next with the same configuration: each round starts its own.
    """
    found: dict[str, list[Measured]] = {DIRECT: [], THROUGH: [], TCP: [], TURNS: []}
    for number in range(rounds):
        sys.stderr.write(f"progress round={number + 1}/{rounds} what=gateway\n")
        with host(folder, jwks, "prediction_log,fallback") as place:
            found[DIRECT].append(warm([place.port, place.port + 1], token, seconds))
            for way in random.sample((THROUGH, TCP, TURNS), 3):
                with gateway(folder, jwks, 0, way) as port:
                    found[way].append(warm([port], token, seconds))
    usual = {way: statistics.median(one.rps for one in measured) for way, measured in found.items()}
    rows = []
    for way, measured in found.items():
        rates, late = [one.rps for one in measured], statistics.median(one.p99_ms for one in measured)
        spread, errors = f"{min(rates):,.0f} to {max(rates):,.0f}", sum(one.errors for one in measured)
        beside = f"{usual[way] / usual[DIRECT]:.2f}"
        rows.append([way, f"{usual[way]:,.0f}", spread, beside, f"{late:.1f}", str(errors)])
    return rows, Bound("through the gateway beside direct", usual[THROUGH] / usual[DIRECT], 0.4)


def warm(ports: Sequence[int], token: str, seconds: float) -> Measured:
    """After a second of the same, in which connections are opened and caches filled."""
    wrk(ports, SERVED, OPEN_INFERENCE, CONNECTIONS, 1, token)
    return wrk(ports, SERVED, OPEN_INFERENCE, CONNECTIONS, seconds, token)


def limit(folder: Path, jwks: Path, token: str, rate: int, seconds: float) -> tuple[list[list[str]], list[Bound]]:
    """More than the limit is offered: everything is answered, what is beyond it by the default."""
    body = folder / "body.json"
    body.write_text(OPEN_INFERENCE)
    headers = ["content-type: application/json", f"authorization: Bearer {token}"]
    with host(folder, jwks, "prediction_log,fallback,circuit_breaker") as place, gateway(folder, jwks, 300) as port:
        answers(f"http://127.0.0.1:{place.port}{SERVED}", OPEN_INFERENCE, [], place.folder / "log")
        measured, statuses = at_rate(port, SERVED, body, headers, rate, seconds)
        served = served_by(place)
    offered = int(rate * seconds)
    row = [f"{rate:,} a second", f"{measured.answered:,} of {offered:,}", f"{served.get('model', 0):,}"]
    row += [f"{served.get('default', 0):,}", f"{measured.p50_ms:.1f}", f"{measured.p99_ms:.1f}", str(dict(statuses))]
    failed = sum(count for status, count in statuses.items() if status.startswith("5") or status == "-1")
    bounds = [
        Bound("offered over the limit, part answered", measured.answered / offered, 1.0),
        Bound("offered over the limit, 5xx or broken", failed, 0, most=True),
        Bound("offered over the limit, p99 in ms", measured.p99_ms, 50, most=True),
    ]
    return [row], bounds


def served_by(place: Place) -> dict[str, int]:
    """Who answered, from the hosts' own metrics."""
    found: dict[str, int] = {}
    for at in range(2):
        for line in httpx.get(f"http://127.0.0.1:{place.port + at}/metrics").text.splitlines():
            if line.startswith("predictions_total{"):
                who = line.partition('served_by="')[2].partition('"')[0]
                found[who] = found.get(who, 0) + int(float(line.rsplit(" ", 1)[1]))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bound was kept."""
    parser = generators.options(__doc__)
    parser.set_defaults(rounds=5)
    parser.add_argument("--rate", type=int, default=1000)
    given = generators.ready(parser, arguments)
    folder = Path(os.environ.get("STATE_DIR", ".state")).absolute() / "bench"
    (folder / "edge").mkdir(parents=True, exist_ok=True)
    keys, jwks = Keys(), folder / "jwks.json"
    jwks.write_text(keys.jwks())
    rows, bound = passage(folder, jwks, keys.token(), given.rounds, given.seconds)
    ways = table(("way", "c=64 rps", "lowest to highest", "beside direct", "p99 ms", "errors"), rows)
    print(ways, flush=True)
    rows, bounds = limit(folder, jwks, keys.token(), given.rate, 10)
    limited = table(("offered", "answered", "by the model", "by the default", "p50 ms", "p99 ms", "statuses"), rows)
    print(limited, flush=True)
    kept = [bound, *bounds]
    for one in kept:
        print(one)
    if given.page:
        markdown(given.page, "edge", [f"{machine(given.cores)}.", ways, limited, *map(str, kept)])
    return 0 if all(one.kept for one in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
