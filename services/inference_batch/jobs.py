"""What a job is: something that turns rows into results, chunk by chunk, for one window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.chassis.database import Connection


@dataclass(frozen=True)
class Row:
    """One thing to work on; rows are taken in the order of their keys."""

    key: str
    content: Any


@dataclass(frozen=True)
class Outcome:
    """What came of a row: a result, or why there is none."""

    row: Row
    result: Any = None
    error: str = ""


class Job(Protocol):
    """One kind of batch work. Reading sees what was known at `moment`, the end of the run's window."""

    name: str

    async def count(self, connection: Connection, moment: datetime) -> int:
        """How many rows there are, for the progress; an estimate will do."""
        ...

    async def rows(self, connection: Connection, moment: datetime, after: str, limit: int) -> Sequence[Row]:
        """The next rows behind the key `after`; empty at the end."""
        ...

    async def some(self, connection: Connection, moment: datetime, keys: Sequence[str]) -> Sequence[Row]:
        """Just these rows, to try them again."""
        ...

    async def work(self, rows: Sequence[Row]) -> list[Outcome]:
        """The results, one a row. A row that fails is an outcome; an exception is trouble with everything."""
        ...

    async def keep(self, connection: Connection, run_id: UUID, outcomes: Sequence[Outcome]) -> None:
        """Write the results; called in the transaction that moves the run on."""
        ...

    async def forget(self, connection: Connection, run_id: UUID) -> None:
        """Take every result of a run back, before all of it is done again."""
        ...

    async def tell(self, connection: Connection, run_id: UUID, limit: int) -> int:
        """Once every row is done: say what follows from the results, at most so many; 0 when all is said."""
        ...
