"""Small pictures twice as large, on request: made by super_resolution in its host, once, and kept.

Where the model is away, late, overloaded or switched off, a formula answers; that is marked and not kept, so that
the model is asked again the next time. The original is never touched.
"""

import asyncio
import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image
from prometheus_client import Counter, Gauge, Histogram

from models.pictures import open_picture
from models.super_resolution.contract import FACTOR, MOST
from services.chassis.database import Database
from services.chassis.errors import Problem
from services.chassis.files import FileNotStored, FileStore
from services.chassis.metrics import Metrics
from services.circuit import Circuit
from services.contracts import picture_path
from services.images.keeping import Kept
from services.images.line import Line
from services.images.model_host import ModelHost, NoModel
from services.prediction import CircuitOpen

log = logging.getLogger(__name__)
ENLARGED = "enlarged"
FORMULA = "bicubic"
FAILURES, REST_SECONDS = 3, 10.0


class LargeEnough(Problem):
    """The picture is too large to be enlarged."""

    status = 409


@dataclass(frozen=True)
class Enlarged:
    """A PNG file, and who made it: a version of the model, or nobody but a formula."""

    content: bytes
    version: str | None
    reason: str | None = None

    @property
    def by(self) -> str:
        """In words."""
        return f"super_resolution/{self.version}" if self.version else FORMULA


class EnlargingMetrics:
    """Who enlarged, how long it took, and how many small pictures somebody has looked at enlarged."""

    def __init__(self, metrics: Metrics) -> None:
        self.looks = metrics.made(
            Counter,
            "enlarged_pictures_total",
            "Enlarged pictures shown: kept, made now, by a formula.",
            ["by", "reason"],
        )
        self.seconds = metrics.made(Histogram, "enlarge_duration_seconds", "Time to enlarge a picture.", ["by"])
        self.small = metrics.made(
            Gauge, "small_pictures", "Pictures small enough to be enlarged, and whether they ever were.", ["enlarged"]
        )


class Enlarging:
    """Makes enlarged pictures: each once, and only a few at the same time."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        line: Line,
        host: ModelHost,
        metrics: Metrics,
        *,
        most: int = MOST,
        at_once: int = 2,
        seconds: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most, self._at_once, self._seconds, self._clock = most, at_once, seconds, clock
        self._database, self._files, self._line, self._host = database, files, line, host
        self._metrics = EnlargingMetrics(metrics)
        self._circuit = Circuit(FAILURES, REST_SECONDS, clock, lambda is_open: None)
        self._making: dict[str, asyncio.Task[Enlarged]] = {}

    def takes(self, width: int, height: int) -> bool:
        """Whether a picture of that size is small."""
        return max(width, height) <= self.most

    async def version(self, picture_id: str) -> str | None:
        """Who made the one that is kept, if there is one."""
        async with self._database.connection() as connection:
            found = await connection.execute("SELECT model_version FROM enlarged WHERE picture_id = %s", (picture_id,))
            row = await found.fetchone()
        return str(row["model_version"]) if row else None

    async def of(self, picture: Kept, version: str | None) -> Enlarged:
        """The picture enlarged: the kept one if a version has made it, else made now; raises LargeEnough."""
        if not self.takes(picture.width, picture.height):
            what = f"It has {picture.width} x {picture.height} pixels; up to {self.most} x {self.most} are enlarged."
            raise LargeEnough(what)
        kept = await self._kept(picture.id, version) if version else None
        enlarged = kept or await self._made(picture)
        by = "kept" if kept else "model" if enlarged.version else FORMULA
        self._metrics.looks.labels(by, enlarged.reason or "").inc()
        return enlarged

    async def _kept(self, picture_id: str, version: str) -> Enlarged | None:
        try:
            return Enlarged(await self._files.read(picture_path(picture_id, ENLARGED)), version)
        except FileNotStored:  # somebody tidied up; it is made again
            return None

    async def _made(self, picture: Kept) -> Enlarged:
        """Made for all who wait for it, even when the first of them has left."""
        task = self._making.get(picture.id)
        if task is None:
            task = asyncio.create_task(self._make(picture, busy=len(self._making) >= self._at_once))
            self._making[picture.id] = task
            task.add_done_callback(lambda _: self._making.pop(picture.id, None))
        return await asyncio.shield(task)

    async def _make(self, picture: Kept, *, busy: bool) -> Enlarged:
        started, original = self._clock(), await self._files.read(picture_path(picture.id))
        try:
            enlarged = await self._by_model(original, picture, busy=busy)
        except NoModel as why:
            enlarged = Enlarged(await self._line.work(plainly, original), None, why.reason)
        else:
            await self._keep(picture.id, enlarged)
        self._metrics.seconds.labels("model" if enlarged.version else FORMULA).observe(self._clock() - started)
        return enlarged

    async def _by_model(self, original: bytes, picture: Kept, *, busy: bool) -> Enlarged:
        """What the model makes of it in time; raises NoModel. Failing again and again it is left alone for a while."""
        if busy:
            raise NoModel("busy")
        try:
            tries = self._circuit.enter()
        except CircuitOpen as error:
            raise NoModel(error.reason) from error
        failed = True
        try:
            size = FACTOR * picture.width, FACTOR * picture.height
            content, version = await self._host.enlarged(original, size, self._seconds)
            failed = False
            return Enlarged(content, version)
        except NoModel as why:
            log.info("super_resolution does not answer: %s", why, extra={"action": "enlarge.plain"})
            raise
        finally:
            self._circuit.note(failed=failed)
            if tries:
                self._circuit.trying = False

    async def _keep(self, picture_id: str, enlarged: Enlarged) -> None:
        """The file first, then the row, so that a row has its file."""
        await self._files.write(picture_path(picture_id, ENLARGED), enlarged.content)
        async with self._database.connection() as connection:
            await connection.execute(
                """
                INSERT INTO enlarged (picture_id, model_version) VALUES (%s, %s)
                ON CONFLICT (picture_id) DO UPDATE SET model_version = excluded.model_version, created_at = now()
                """,
                (picture_id, enlarged.version),
            )

    async def count(self) -> None:
        """How many small pictures there are, and how many of them were ever looked at enlarged."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                """
                SELECT count(*) AS pictures, count(enlarged.picture_id) AS enlarged
                FROM pictures LEFT JOIN enlarged ON picture_id = id WHERE greatest(width, height) <= %s
                """,
                (self.most,),
            )
            row = await found.fetchone()
        assert row
        self._metrics.small.labels("yes").set(row["enlarged"])
        self._metrics.small.labels("no").set(row["pictures"] - row["enlarged"])


def plainly(raw: bytes) -> bytes:
    """Twice as large by a formula."""
    picture, file = open_picture(raw), io.BytesIO()
    larger = picture.resize((FACTOR * picture.width, FACTOR * picture.height), Image.Resampling.BICUBIC)
    larger.save(file, "PNG", compress_level=1)
    return file.getvalue()
