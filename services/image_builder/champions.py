"""Every champion gets its image by itself, so that the registry holds one whenever it is asked for."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry, Gauge

import models
from services.chassis.errors import Problem
from services.image_builder.building import Builder
from services.sources.mlflow_registry import Release

log = logging.getLogger(__name__)


def known_models() -> list[str]:
    """Every folder under `models/` that has a contract."""
    return sorted(path.parent.name for path in Path(models.__path__[0]).glob("*/contract.py"))


@dataclass
class Champions:
    """What was looked after already; a refusal is not tried again until the champion changes."""

    builder: Builder
    names: Sequence[str]
    without: Gauge
    settled: dict[str, Release] = field(default_factory=dict)

    @classmethod
    def of(cls, builder: Builder, registry: CollectorRegistry) -> "Champions":
        """All models there are."""
        gauge = Gauge("champion_image_missing", "1 while the champion has no image.", ["model"], registry=registry)
        return cls(builder, known_models(), gauge)

    async def look(self) -> None:
        """Build what is missing; one model's trouble is not another's."""
        for name in self.names:
            try:
                await self._look(name)
            except (httpx.HTTPError, Problem) as error:
                self.without.labels(name).set(1)
                log.warning("%s: %r", name, error, extra={"action": "champion.no_image", "model": name})

    async def _look(self, name: str) -> None:
        champion = await self.builder.models.named(name)
        if champion is None or champion == self.settled.get(name):
            return
        if not await self.builder.has(champion):
            try:
                await self.builder.build(champion, asked_by="champion")
            except Problem as problem:
                if problem.status < 500:
                    self.settled[name] = champion
                raise
        self.settled[name] = champion
        self.without.labels(name).set(0)
