"""Keeps many small files (sprites, scenes) as one file of bytes and one index, quick to hash and to read."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def write_pack(folder: Path, name: str, rows: Iterable[tuple[Row, bytes]]) -> int:
    """Write NAME.bin and NAME.jsonl; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    offset = count = 0
    with (folder / f"{name}.bin").open("wb") as blobs, (folder / f"{name}.jsonl").open("w", encoding="utf-8") as index:
        for row, blob in rows:
            entry = {**row, "offset": offset, "length": len(blob)}
            index.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
            offset += blobs.write(blob)
            count += 1
    return count


class Pack:
    """Reads what `write_pack` wrote: `rows` is the index, `blob(i)` the bytes."""

    def __init__(self, folder: Path, name: str) -> None:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as index:
            self.rows: list[Row] = [json.loads(line) for line in index]
        self._bytes = (folder / f"{name}.bin").read_bytes()

    def __len__(self) -> int:
        return len(self.rows)

    def blob(self, index: int) -> bytes:
        """The bytes of one entry."""
        start = self.rows[index]["offset"]
        return self._bytes[start : start + self.rows[index]["length"]]
