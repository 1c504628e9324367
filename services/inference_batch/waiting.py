"""Jobs whose model has no champion yet wait: a window is run once, and a run without its model would use it up."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from services.champions import Champions
from services.chassis.errors import Conflict

log = logging.getLogger(__name__)


@dataclass
class Waiting:
    """Jobs that are named like the model they need. What had a champion once is not asked about again."""

    champions: Champions | None
    jobs: Iterable[str]
    there: set[str] = field(default_factory=set)

    async def now(self) -> set[str]:
        """Those that have to wait still; while MLflow does not answer, whoever is not known to be there."""
        return {job for job in self.jobs if not await self._is_there(job)}

    async def refuse(self, job: str) -> None:
        """Raises Conflict where somebody asks for a run of a job that has to wait."""
        if job in self.jobs and not await self._is_there(job):
            raise Conflict(f"{job} has no champion yet: scripts/train {job} makes one.")

    async def _is_there(self, job: str) -> bool:
        if self.champions is None or job in self.there:
            return True
        try:
            if await self.champions.has(job):
                self.there.add(job)
        except httpx.HTTPError as error:
            log.warning(
                "MLflow does not say whether %s has a champion: %r", job, error, extra={"action": "batch.waits"}
            )
        return job in self.there
