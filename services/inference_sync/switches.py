"""Repository load and unload: an operator's word, kept in the database, that every replica follows.

A model that was unloaded gives its memory back and is not ready; who asks gets its declared default, marked `unloaded`,
as for every other reason that a model does not answer. Loading it again takes what the registry's champion is by then.
"""

import logging

from services.chassis.database import Database
from services.chassis.errors import Unavailable
from services.predictors import Predictor, Predictors

log = logging.getLogger(__name__)


class NoSwitches(Unavailable):
    """This host has no database to keep it in: set DATABASE_URL."""


class Switches:
    """Which models are out of service."""

    def __init__(self, database: Database | None, predictors: Predictors) -> None:
        self._database, self._predictors = database, predictors

    async def unload(self, predictor: Predictor, by: str) -> None:
        """Out of service, here at once and in other replicas at their next look."""
        async with self._given().connection() as connection:
            await connection.execute(
                "INSERT INTO unloaded (model, by) VALUES (%s, %s) ON CONFLICT (model) DO NOTHING",
                (predictor.name, by),
            )
        log.info("%s unloaded by %s", predictor.name, by, extra={"action": "model.unload", "model": predictor.name})
        await self.follow()

    async def load(self, predictor: Predictor, by: str) -> None:
        """Back into service: here before this returns, if the registry or the disk has a version."""
        async with self._given().connection() as connection:
            await connection.execute("DELETE FROM unloaded WHERE model = %s", (predictor.name,))
        log.info("%s loaded by %s", predictor.name, by, extra={"action": "model.load", "model": predictor.name})
        await self.follow()

    async def follow(self) -> None:
        """Do what the rows say."""
        async with self._given().connection() as connection:
            rows = await (await connection.execute("SELECT model FROM unloaded")).fetchall()
        unloaded = {row["model"] for row in rows}
        for name, predictor in self._predictors.items():
            await predictor.source.switch(on=name not in unloaded)

    def _given(self) -> Database:
        if self._database is None:
            raise NoSwitches
        return self._database
