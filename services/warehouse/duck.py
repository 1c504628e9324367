"""Asks DuckDB, which is in a process of its own: started when there is something to do, ended when there is not."""

import asyncio
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from services.chassis.errors import Unavailable

log = logging.getLogger(__name__)

Parameters = Sequence[Any] | Mapping[str, Any]
Statement = tuple[str, Parameters]
Rows = list[dict[str, Any]]

LONGEST_ANSWER = 64 * 1024 * 1024
ENDING_SECONDS = 2.0


class NotDone(Exception):
    """DuckDB refused a statement."""


class Duck:
    """One process, one task at a time; whoever asks while it works waits."""

    def __init__(self, scratch: Path, memory: str = "320MB", idle_seconds: float = 20.0) -> None:
        self._scratch, self._memory, self._idle_seconds = scratch, memory, idle_seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._asked_at = 0.0

    async def ask(self, *statements: Statement) -> Rows:
        """The rows of the last of these; raises NotDone, or Unavailable when the process died over it."""
        async with self._turn:
            self._asked_at = time.monotonic()
            process = await self._running()
            try:
                answer = await self._answer(process, statements)
            except BaseException:
                await self._end()  # half an answer must not become the next one's
                raise
        if answer.get("passes"):
            raise Unavailable(answer["error"])
        if "error" in answer:
            raise NotDone(answer["error"])
        rows: Rows = answer["rows"]
        return rows

    async def rest(self) -> None:
        """End the process when nobody has asked for a while."""
        if self._process is not None and time.monotonic() - self._asked_at > self._idle_seconds:
            async with self._turn:
                await self._end()

    async def close(self) -> None:
        """End the process, whatever it does."""
        await self._end()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            words = ("-m", "services.warehouse.engine", self._memory, str(self._scratch))
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *words, stdin=PIPE, stdout=PIPE, limit=LONGEST_ANSWER
            )
        return self._process

    async def _answer(self, process: Process, statements: Sequence[Statement]) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(orjson.dumps(statements, default=str) + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except ConnectionError as error:
            raise Unavailable("The process with DuckDB in it is gone.") from error
        if not line.endswith(b"\n"):
            raise Unavailable("The process with DuckDB in it ended before it answered.")
        answer: dict[str, Any] = orjson.loads(line)
        return answer

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDING_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
