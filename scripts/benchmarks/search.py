"""Search over 100,000 items: how fast, and how near to the exact answer.

    scripts/bench search [--items 100000] [--rounds 5] [--queries 60]

A PostgreSQL of its own, on the loopback interface, is filled with made-up items (`corpus.py`) through the code
that indexes real ones, and asked through the code that answers people, words included. Beside similar pictures
stands the exact search over all of them; beside a common word, ranking all it matches.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import orjson
import psutil
import psycopg
from pgvector import Vector

from models.image_screening.contract import EMBEDDING_VERSION
from scripts.benchmarks.corpus import Corpus, Questions
from scripts.benchmarks.generators import pinned
from scripts.benchmarks.own_postgres import own_postgres
from scripts.benchmarks.serving import machine
from scripts.benchmarks.tables import Bound, markdown, table
from services.chassis.backends import Backends
from services.chassis.database import Database, database
from services.chassis.settings import Settings
from services.search import indexing
from services.search.asking import Asking
from services.search.finding import Finder
from services.search.lexemes import WEIGHTS, all_of
from services.search.words import Filed, Words
from services.texts.main import build as build_texts
from services.texts.terms import Terms

T = TypeVar("T")
PAGE, NEAREST = 24, 10
EF = (10, 20, 40, 100, 200, 400)
USED_EF = 100
"""What SEARCH_EF is unless somebody sets it."""

SIMILAR_MS, TEXT_MS, RECALL = 20.0, 30.0, 0.95
COMMON = "common word"
COLUMNS = (
    "item_id", "revision", "sequence", "likes_sequence", "searchable", "published_at", "owner_id", "owner_name",
    "image_id", "title", "description", "category", "tags", "likes", "plain", "terms", "vocabulary", "embedding",
    "embedding_version", "shows",
)  # fmt: skip
INDICES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'documents' AND indexname <> 'documents_pkey'
"""
EXACT = """
SELECT item_id FROM visible WHERE embedding_version = %(version)s
ORDER BY embedding OPERATOR(public.<=>) %(picture)s LIMIT %(most)s
"""
ALL_RANKED = f"""
SELECT item_id FROM visible WHERE terms @@ %(query)s::tsquery
ORDER BY ts_rank('{WEIGHTS}', terms, %(query)s::tsquery) DESC, published_at DESC LIMIT %(most)s
"""  # noqa: S608


def told(things: Iterable[T], total: int, what: str, each: int = 1) -> Iterator[T]:
    """The same things, saying now and then how far it is."""
    for number, thing in enumerate(things):
        if number % each == 0:
            sys.stderr.write(f"progress what={what!r} done={number} total={total}\n")
        yield thing


def fill(address: str, corpus: Corpus) -> float:
    """Every item as indexing would write it, then the migrations' indices; returns how long those took."""
    with psycopg.connect(address, autocommit=True) as connection:
        indices = connection.execute(INDICES).fetchall()
        for name, _ in indices:
            connection.execute(f"DROP INDEX {name}".encode())
        rows = f"COPY documents ({', '.join(COLUMNS)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(rows.encode()) as copy:
            for row in told(_rows(corpus), corpus.items, "items", 10_000):
                copy.write_row([row[column] for column in COLUMNS])
        connection.execute("SET maintenance_work_mem = '256MB'")
        began = time.perf_counter()
        for _, made in told(indices, len(indices), "indices"):
            connection.execute(made.encode())
        seconds = time.perf_counter() - began
        connection.execute("VACUUM ANALYZE documents")
    return seconds


def _rows(corpus: Corpus) -> Iterator[dict[str, Any]]:
    terms, known = Terms(), dict[str, list[str]]()

    def filed(text: str) -> list[str]:
        if text not in known:
            known[text] = terms.of_text(text)[1]
        return known[text]

    for item in corpus:
        texts = indexing.texts(item.title, item.description, item.category, item.tags)
        found = Filed(vocabulary=terms.version, terms=[filed(text) for text in texts])
        row = item.model_dump() | indexing.derived(item, found) | {"likes_sequence": item.sequence, "searchable": True}
        yield row | {"embedding": orjson.dumps(item.embedding).decode()}


def processor_ms(server: int) -> float:
    """Of this process and the server's one behind its connection: other work on the machine changes it little."""
    finest = Path(f"/proc/{server}/schedstat")
    if finest.is_file():
        return 1000 * time.process_time() + int(finest.read_text().split()[0]) / 1e6
    times = psutil.Process(server).cpu_times()
    return 1000 * (time.process_time() + times.user + times.system)


@dataclass
class Timed:
    """How long answers took, round by round, what processor time they took (both in ms), and whether they found any."""

    rounds: list[list[float]] = field(default_factory=list)
    processor: list[list[float]] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)

    def took(self, part: float) -> float:
        """A quantile, of which the median over the rounds: a slow minute of the machine is one round."""
        return statistics.median(float(np.quantile(one, part)) for one in self.rounds)

    def processor_ms(self, part: float) -> float:
        """The same of the processor time."""
        return statistics.median(float(np.quantile(one, part)) for one in self.processor)

    def cells(self) -> list[str]:
        """As HEADER says."""
        values = (self.took(0.5), self.took(0.95), self.processor_ms(0.5), self.processor_ms(0.95))
        return [f"{value:.1f}" for value in values]


HEADER = ("p50 ms", "p95 ms", "of the processor p50", "p95")


class Bench:
    """The questions, and where the answers' times are kept."""

    def __init__(self, pool: Database, server: int, words: Words, corpus: Corpus, queries: int) -> None:
        self.pool, self.words, self.corpus = pool, words, corpus
        self._server = server
        self.asking = Asking(Finder(pool, USED_EF), words)
        self.texts = Questions(corpus, seed=2).asked(queries)
        self.pictures = self._pictures(queries)
        self.text = {kind: Timed() for kind in self.texts}
        self.similar = {ef: Timed() for ef in EF}
        self.exact, self.unbounded, self.nothing = Timed(), Timed(), Timed()
        self.recall: dict[int, list[float]] = {ef: [] for ef in EF}

    def _pictures(self, queries: int) -> list[Vector]:
        """Near pictures that are there, but none of them."""
        rng = np.random.default_rng(3)
        chosen = self.corpus.embeddings[rng.integers(self.corpus.items, size=queries)]
        moved = chosen + 0.3 * rng.normal(size=chosen.shape) / np.sqrt(chosen.shape[1])
        return [Vector(row / np.linalg.norm(row)) for row in moved]

    async def round(self) -> None:
        """Everything once."""
        for kind, asked in self.texts.items():
            pages = await self._timed(self.text[kind], asked, self._page)
            self.text[kind].found += [bool(page.results) for page in pages]
        await self._timed(self.nothing, self.pictures, lambda _: self._plainly("SELECT 1 AS item_id", {}))
        await self._timed(self.unbounded, self.texts[COMMON], self._all_ranked)
        nearest = await self._timed(self.exact, self.pictures, self._exactly)
        for ef in EF:
            found = await self._timed(self.similar[ef], self.pictures, partial(self._alike, Finder(self.pool, ef)))
            pairs = zip(found, nearest, strict=True)
            self.recall[ef] += [len(set(got[:NEAREST]) & set(wanted)) / NEAREST for got, wanted in pairs]

    async def _timed(self, timing: Timed, asked: Sequence[T], ask: Callable[[T], Awaitable[Any]]) -> list[Any]:
        """One round, one question after the other; returns the answers."""
        took, processor, answers = list[float](), list[float](), []
        for one in asked:
            began, before = time.perf_counter(), processor_ms(self._server)
            answers.append(await ask(one))
            took.append((time.perf_counter() - began) * 1000)
            processor.append(processor_ms(self._server) - before)
        timing.rounds.append(took)
        timing.processor.append(processor)
        return answers

    async def _page(self, query: str) -> Any:
        return await self.asking.page(query, None, PAGE, None)

    async def _alike(self, finder: Finder, picture: Vector) -> list[Any]:
        return [one.item_id for one in await finder.similar(picture, EMBEDDING_VERSION, PAGE)]

    async def _exactly(self, picture: Vector) -> list[Any]:
        """The nearest of all, without an index."""
        values = {"version": EMBEDDING_VERSION, "picture": picture, "most": NEAREST}
        return await self._plainly(EXACT, values, "enable_indexscan")

    async def _all_ranked(self, query: str) -> list[Any]:
        """Every match of a word ranked, as one would write it first."""
        groups = (await self.words.asked(query)).groups
        return await self._plainly(ALL_RANKED, {"query": all_of(groups), "most": PAGE})

    async def _plainly(self, query: str, values: dict[str, Any], without: str = "") -> list[Any]:
        async with self.pool.connection() as connection, connection.transaction():
            if without:
                await connection.execute(f"SET LOCAL {without} = off".encode())
            found = await connection.execute(query.encode(), values, prepare=False)
            return [row["item_id"] for row in await found.fetchall()]

    def tables(self) -> list[str]:
        """What was measured."""
        texts = [
            [kind, asked[0], *self.text[kind].cells(), f"{np.mean(self.text[kind].found):.0%}"]
            for kind, asked in self.texts.items()
        ]
        texts.append([f"{COMMON}, all matches ranked", self.texts[COMMON][0], *self.unbounded.cells(), ""])
        texts.append(["nothing: the way there and back", "SELECT 1", *self.nothing.cells(), ""])
        pictures = [[_name(ef), *self.similar[ef].cells(), f"{np.mean(self.recall[ef]):.3f}"] for ef in EF]
        pictures.append(["exact, without an index", *self.exact.cells(), "1.000"])
        return [
            table(("query", "for example", *HEADER, "found something"), texts),
            table(("similar pictures", *HEADER, f"recall@{NEAREST}"), pictures),
        ]

    def bounds(self) -> list[Bound]:
        """What must hold."""
        pictures, recall = self.similar[USED_EF], float(np.mean(self.recall[USED_EF]))
        beside = pictures.processor_ms(0.5) / self.exact.processor_ms(0.5)
        worst = max(timed.processor_ms(0.95) for timed in self.text.values())
        return [
            *(Bound(f"{kind}, p95 in ms", self.text[kind].took(0.95), TEXT_MS, most=True) for kind in self.texts),
            Bound("similar pictures, p95 in ms", pictures.took(0.95), SIMILAR_MS, most=True),
            Bound("slowest kind of words, p95 of the processor's ms", worst, TEXT_MS, most=True),
            Bound("similar pictures, p95 of the processor's ms", pictures.processor_ms(0.95), SIMILAR_MS, most=True),
            Bound(f"similar pictures, recall@{NEAREST}", recall, RECALL),
            Bound("similar pictures beside exact search, processor time", beside, 0.2, most=True),
        ]


def _name(ef: int) -> str:
    return f"HNSW, ef_search {ef}{' (as set)' if ef == USED_EF else ''}"


@asynccontextmanager
async def _opened(address: str) -> AsyncIterator[tuple[Database, int]]:
    """A pool of one connection, and the id of the server's process behind it."""
    pool = database(Settings(database_url=address, database_vectors=True, database_pool_size=1))
    await pool.open(wait=True, timeout=30)
    try:
        async with pool.connection() as connection:
            row = await (await connection.execute("SELECT pg_backend_pid() AS pid")).fetchone()
        assert row
        yield pool, row["pid"]
    finally:
        await pool.close()


async def measure(address: str, corpus: Corpus, rounds: int, queries: int) -> Bench:
    """All rounds; one before them, which fills caches, does not count."""
    transport = httpx.ASGITransport(build_texts(Backends(http=httpx.AsyncClient())).app)
    async with httpx.AsyncClient(transport=transport) as http, _opened(address) as (pool, server):
        words = Words(http, "http://texts")
        await Bench(pool, server, words, corpus, min(queries, 10)).round()
        bench = Bench(pool, server, words, corpus, queries)
        for _ in told(range(rounds), rounds, "rounds"):
            await bench.round()
        return bench


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=60, help="of each kind, in each round")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown page")
    given = parser.parse_args(arguments)
    pinned(given.cores)
    corpus = Corpus(given.items)
    with own_postgres() as addresses:
        seconds = fill(addresses["search"], corpus)
        bench = asyncio.run(measure(addresses["search"], corpus, given.rounds, given.queries))
    measured = f"{given.items:,} items, {given.rounds} rounds of {given.queries} queries of each kind"
    busy = f"load average {', '.join(f'{load:.0f}' for load in os.getloadavg())} when it ended"
    first = f"{measured}, {machine(given.cores)}, {busy}. Making all indices: {seconds:.0f} s."
    shown, bounds = bench.tables(), bench.bounds()
    print(first, *shown, "\n".join(map(str, bounds)), sep="\n\n")
    if given.page:
        markdown(given.page, "search", [first, *shown, *map(str, bounds)])
    return 0 if all(bound.kept for bound in bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
