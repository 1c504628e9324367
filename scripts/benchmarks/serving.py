"""Our synchronous host beside the model servers people use, on the same machine, in the same run.

    scripts/bench serving [--rounds 3] [--seconds 4] [--cores 2] [--only NAME ...] [--page FILE]

Peers are installed into virtual environments of their own under STATE_DIR/bench. Rounds are
interleaved, so that a slow minute of the machine meets everybody; figures are medians, with the
lowest and the highest beside them.
"""

import os
import platform
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks import generators
from scripts.benchmarks.contenders import CONTENDERS, MODEL_SERVERS, OURS, TRITON, Contender, Place, triton
from scripts.benchmarks.generators import Measured, wrk
from scripts.benchmarks.iris import artefact
from scripts.benchmarks.servers import DidNotStart, installed, memory_mb, serving
from scripts.benchmarks.tables import Bound, markdown, table

CONNECTIONS = (1, 16, 64)
BARE, FASTAPI = "bare ASGI handler", "FastAPI"
FIRST_PORT, PORTS_EACH = 17000, 40


@dataclass
class Results:
    """Everything measured about one contender."""

    rounds: dict[int, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    memory_mb: list[float] = field(default_factory=list)
    trouble: str = ""

    def median(self, connections: int, figure: str) -> float:
        """The median of `rps`, `p50_ms` or `p99_ms`; nan where nothing was measured."""
        values = [getattr(measured, figure) for measured in self.rounds.get(connections, [])]
        return statistics.median(values) if values else float("nan")

    def spread(self, connections: int) -> str:
        """Lowest and highest requests a second."""
        values = [measured.rps for measured in self.rounds.get(connections, [])]
        return f"{min(values):,.0f} to {max(values):,.0f}" if values else ""

    @property
    def errors(self) -> int:
        """Requests that were not answered well."""
        return sum(measured.errors for rounds in self.rounds.values() for measured in rounds)


def measured(contenders: Sequence[Contender], folder: Path, rounds: int, seconds: float) -> dict[str, Results]:
    """Every contender in every round."""
    models = folder / "models"
    onnx = artefact(models)
    places = {
        contender.name: Place(folder / contender.slug, onnx, models, FIRST_PORT + at * PORTS_EACH)
        for at, contender in enumerate(contenders)
    }
    results = {contender.name: Results() for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            sys.stderr.write(f"progress round={number}/{rounds} server={contender.name!r}\n")
            one_round(contender, places[contender.name], seconds, results[contender.name])
    return results


def one_round(contender: Contender, place: Place, seconds: float, results: Results) -> None:
    """Start it, load it at every number of connections, end it."""
    try:
        installed(contender, place.folder)
        with serving(contender, place) as processes:
            load = loader(contender, place)
            load(16, 1.0)
            for connections in CONNECTIONS:
                results.rounds[connections].append(load(connections, seconds))
            results.memory_mb.append(memory_mb(processes))
    except DidNotStart as trouble:
        results.trouble = str(trouble)


def loader(contender: Contender, place: Place) -> Callable[[int, float], Measured]:
    """Load on all its ports."""
    ports = contender.ports(place.port)
    return lambda connections, seconds: wrk(
        ports, contender.path, contender.body, connections, seconds, host=contender.host
    )


def rows(contenders: Sequence[Contender], results: dict[str, Results]) -> list[list[str]]:
    """The table's lines, slowest last."""
    found = [[contender.name, *cells(results[contender.name])] for contender in contenders]
    return sorted(found, key=lambda row: -results[row[0]].median(64, "rps") if not results[row[0]].trouble else 0)


def cells(result: Results) -> list[str]:
    """One line's figures."""
    if not result.rounds:
        return [*["-"] * 8, f"did not start: {result.trouble}"]
    return [
        f"{result.median(1, 'rps'):,.0f}",
        f"{result.median(1, 'p50_ms'):.2f}",
        f"{result.median(16, 'rps'):,.0f}",
        f"{result.median(16, 'p99_ms'):.1f}",
        f"{result.median(64, 'rps'):,.0f}",
        result.spread(64),
        f"{result.median(64, 'p99_ms'):.1f}",
        f"{statistics.median(result.memory_mb):.0f}" if any(result.memory_mb) else "-",
        str(result.errors),
    ]


HEADER = (
    *("server", "c=1 rps", "p50 ms", "c=16 rps", "p99 ms", "c=64 rps", "lowest to highest", "p99 ms"),
    *("memory MB", "errors"),
)


def bounds(results: dict[str, Results]) -> list[Bound]:
    """What must be reached, from the same run."""
    ours, bare = results[OURS], results[BARE]
    servers = [results[name] for name in MODEL_SERVERS if name in results and results[name].rounds]
    best = max(servers, key=lambda result: result.median(64, "rps"), default=None)
    found = [
        Bound("REST c=64 beside the bare handler", ours.median(64, "rps") / bare.median(64, "rps"), 0.7),
        Bound(
            "p50 at c=1 beside the bare handler", ours.median(1, "p50_ms") / bare.median(1, "p50_ms"), 1.5, most=True
        ),
    ]
    if FASTAPI in results:
        ratio = ours.median(64, "rps") / results[FASTAPI].median(64, "rps")
        found.append(Bound("REST c=64 beside plain FastAPI", ratio, 2.0))
    if TRITON in results and results[TRITON].rounds:
        ratio = ours.median(64, "rps") / results[TRITON].median(64, "rps")
        found.append(Bound("REST c=64 beside Triton's C++ server", ratio, 0.5))
    if best:
        ratio = ours.median(64, "rps") / best.median(64, "rps")
        found.append(Bound("REST c=64 beside the best model server", ratio, 5.0))
        least = min(result.median(64, "p99_ms") for result in servers)
        ratio = ours.median(64, "p99_ms") / best.median(64, "p99_ms")
        found.append(Bound("p99 at c=64 beside the best model server", ratio, 0.5, most=True))
        found.append(Bound("p99 at c=64 beside the lowest of all", ours.median(64, "p99_ms") / least, 0.5, most=True))
    return found


def told(page: Path | None, name: str, shown: str, bounds: Sequence[Bound]) -> int:
    """Print a bench's table and bounds, and put them into a page; 0 when every bound was kept."""
    print(shown, *bounds, sep="\n")
    if page:
        cores = len(os.sched_getaffinity(0))
        markdown(page, name, [f"{machine(cores)}.", shown, *map(str, bounds)])
    return 0 if all(bound.kept for bound in bounds) else 1


def machine(cores: int) -> str:
    """What it was measured on, as far as it matters."""
    return f"{cores} cores of {os.cpu_count()}, {platform.machine()}, Python {platform.python_version()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bound was kept."""
    parser = generators.options(__doc__)
    parser.add_argument("--only", nargs="*", default=None, help="names, or the beginnings of names")
    parser.add_argument("--triton", metavar="HOST:PORT", help="a Triton that serves the bench's model as iris")
    given = generators.ready(parser, arguments)
    chosen = [c for c in CONTENDERS if given.only is None or c.name.startswith(tuple(given.only))]
    chosen += [triton(given.triton)] if given.triton else []
    folder = Path(os.environ.get("STATE_DIR", ".state")).absolute() / "bench"
    results = measured(chosen, folder, given.rounds, given.seconds)
    found = rows(chosen, results)
    print(table(HEADER, found), flush=True)
    kept = bounds(results) if {OURS, BARE} <= results.keys() and results[OURS].rounds else []
    for bound in kept:
        print(bound, flush=True)
    if given.page:
        setups = [[contender.name, contender.setup] for contender in chosen]
        told = f"{given.rounds} interleaved rounds of {given.seconds:g} s, medians, {machine(given.cores)}."
        markdown(
            given.page, "serving", [told, table(HEADER, found), table(("server", "set up"), setups), *map(str, kept)]
        )
    return 0 if kept and all(bound.kept for bound in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
