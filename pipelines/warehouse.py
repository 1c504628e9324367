"""Fetches what the platform's users did, as the warehouse knew it at a moment: the first stage of what learns from use.

    python -m pipelines.warehouse --into data/search_ranking/snapshot impressions actions likes items
    python -m pipelines.warehouse --into FOLDER --until 2026-03-01T00:00:00Z likes

Each table becomes TABLE.parquet; `snapshot.json` beside them says of which moment they are, with rows and SHA-256 of
each. WAREHOUSE_URL is where the warehouse is; from outside the platform it is the gateway's, and needs --token.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 120.0
MANIFEST = "snapshot.json"


class NoWarehouse(Exception):
    """There is no warehouse to ask: WAREHOUSE_URL is missing, or nobody answers there."""


class Torn(Exception):
    """What arrived is not what was sent."""


@dataclass(frozen=True)
class Part:
    """One table of a snapshot."""

    table: str
    path: str
    """Below the snapshot's folder."""
    sha256: str
    rows: int


@dataclass(frozen=True)
class Snapshot:
    """Tables as they were known at a moment."""

    until: str
    parts: tuple[Part, ...]

    @property
    def sha256(self) -> str:
        """Of all of it: what a lineage names."""
        return hashlib.sha256("".join(f"{part.table} {part.sha256}\n" for part in self.parts).encode()).hexdigest()


def fetch(
    tables: Sequence[str],
    into: Path,
    until: datetime | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Snapshot:
    """Fetch the tables, all of the same moment (now, if none is given); raises NoWarehouse or Torn."""
    address = url or os.environ.get("WAREHOUSE_URL")
    if not address:
        raise NoWarehouse("WAREHOUSE_URL is missing")
    moment = (until or datetime.now(UTC)).astimezone(UTC).isoformat()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    into.mkdir(parents=True, exist_ok=True)
    try:
        with httpx.Client(
            base_url=address, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False, transport=transport
        ) as http:
            parts = tuple(_fetched(http, table, into, moment) for table in sorted(tables))
    except httpx.HTTPError as error:
        raise NoWarehouse(f"{address}: {error!r}") from error
    snapshot = Snapshot(moment, parts)
    (into / MANIFEST).write_text(json.dumps(asdict(snapshot) | {"sha256": snapshot.sha256}, indent=2) + "\n")
    return snapshot


def read(folder: Path) -> Snapshot:
    """The snapshot that lies in a folder; raises Torn where a file is not the one that was fetched."""
    told = json.loads((folder / MANIFEST).read_text())
    parts = tuple(Part(**part) for part in told["parts"])
    for part in parts:
        if hashlib.sha256((folder / part.path).read_bytes()).hexdigest() != part.sha256:
            raise Torn(f"{folder / part.path} has changed")
    return Snapshot(told["until"], parts)


def rows(file: Path, sql: str = "SELECT * FROM snapshot") -> Iterator[dict[str, Any]]:
    """The rows of one table, in its order, or of a statement about it; what is nested is JSON."""
    # Imported where it is needed: it is large, and a run without a warehouse does without.
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1, "autoinstall_known_extensions": False}) as connection:
        connection.read_parquet(str(file)).create_view("snapshot")
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        while some := found.fetchmany(1000):
            yield from (dict(zip(names, row, strict=True)) for row in some)


def _fetched(http: httpx.Client, table: str, into: Path, until: str) -> Part:
    path, digest = into / f"{table}.parquet", hashlib.sha256()
    partial = path.with_suffix(".partial")
    with http.stream("GET", f"/api/warehouse/snapshot/{table}", params={"until": until}) as answer:
        answer.raise_for_status()
        with partial.open("wb") as file:
            for piece in answer.iter_bytes():
                digest.update(piece)
                file.write(piece)
        told = answer.headers["repr-digest"]
    if told != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
        raise Torn(f"{table} did not arrive whole")
    partial.replace(path)
    return Part(table, path.name, digest.hexdigest(), int(answer.headers["x-rows"]))


def main() -> int:
    """Fetch what is named on the command line, and say what came."""
    parser = argparse.ArgumentParser(prog="pipelines.warehouse", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", metavar="TABLE")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--until", type=datetime.fromisoformat, metavar="TIME", help="with its zone; default: now")
    parser.add_argument("--url", metavar="URL", help="default: WAREHOUSE_URL")
    parser.add_argument("--token", help="an operator's, where the gateway is asked")
    given = parser.parse_args()
    try:
        snapshot = fetch(given.tables, given.into, given.until, url=given.url, token=given.token)
    except (NoWarehouse, Torn) as error:
        print(f"no snapshot: {error}", file=sys.stderr)
        return 1
    for part in snapshot.parts:
        print(f"{part.table}: {part.rows} rows, {part.sha256[:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
