"""What the seed puts in, and who owns it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

EXPECTED = {"publish": "published", "published": "published", "reject": "rejected", "rejected": "rejected"}


class Entry(BaseModel):
    """One line of items.jsonl."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    picture: str = Field(description="File beside items.jsonl.")
    title: str
    description: str = ""
    category: str | None = None
    owner: int = Field(1, ge=1, description="1 is the first of the accounts that have no special role.")
    expected: str | None = Field(None, description="`published` or `rejected`.")

    @property
    def key(self) -> str:
        """The same for the same entry, so that a second run registers nothing twice."""
        content = json.dumps([self.picture, self.title, self.description, self.category, self.owner])
        return f"seed-{hashlib.sha256(content.encode()).hexdigest()[:40]}"

    @property
    def state(self) -> str | None:
        """The state it should end in, if somebody said so."""
        return EXPECTED.get(self.expected or "")

    @property
    def words(self) -> tuple[str, str]:
        """What it is recognised by among its owner's items, spelt as the platform keeps it."""
        return self.title.strip(), self.description.strip()


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    name: str
    password: str


def read_entries(folder: Path) -> list[Entry]:
    """The entries of a folder; none when there is no folder."""
    file = folder / "items.jsonl"
    if not file.is_file():
        return []
    return [Entry.model_validate_json(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def read_owners(file: Path) -> list[Account]:
    """The accounts without a special role."""
    accounts: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return [Account(one["name"], one["password"]) for one in accounts if set(one["roles"]) <= {"user"}]


def owner_of(entry: Entry, owners: Sequence[Account]) -> Account:
    """Who owns it; with fewer accounts than owners they take turns."""
    return owners[(entry.owner - 1) % len(owners)]
