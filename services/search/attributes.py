"""What a picture shows besides words, as terms, and how well it is what a query wants.

Attributes rank, and leave nothing out. What is not known of a picture counts half, and so does what is nearly
right: one thing more or less, which is how often the model miscounts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

from pydantic import BaseModel, Field

from models.object_attributes.contract import MOST
from services.contracts import Attributes, Where
from services.search.lexemes import any_of, quoted, vector

Name = Literal["count", "where", "brightness", "place"]

SAID: Final = 0.75
"""A text that says it is no picture that shows it."""

HALF: Final = 0.5
LEAST: Final = 0.05
"""So much of what its words are worth is left of a document that is nothing of what is wanted."""

BESIDE: Final = {"dark": ["medium"], "medium": ["dark", "bright"], "bright": ["medium"]}


class Wanted(BaseModel):
    """The attributes a query asks for; nothing where it does not say."""

    count: int | None = None
    at_least: bool = Field(False, description="So many or more.")
    where: list[Where] = Field([], max_length=5)
    brightness: Literal["dark", "medium", "bright"] | None = None
    place: Literal["indoors", "outdoors"] | None = None
    said: dict[Name, list[str]] = Field({}, description="For each of them the terms of a text that says the same.")

    def names(self) -> list[Name]:
        """Which attributes are wanted."""
        return [one.name for one in self._each()]

    def sought(self) -> list["Sought"]:
        """Each of them, as it is looked for."""
        return list(self._each())

    def _each(self) -> Iterator["Sought"]:
        if self.count:
            count = min(self.count, MOST)
            right = range(count, MOST + 1 if self.at_least else count + 1)
            near = [n for n in (count - 1, count + 1) if n not in right]
            yield self._sought("count", any_of([_terms("count", right)]), _terms("count", near))
        if self.where:
            terms = _terms("where", self.where)
            yield self._sought("where", _all(map(quoted, terms)), terms if len(terms) > 1 else [])
        if self.brightness:
            near_light = _terms("brightness", BESIDE[self.brightness])
            yield self._sought("brightness", any_of([_terms("brightness", [self.brightness])]), near_light)
        if self.place:
            yield self._sought("place", any_of([_terms("place", [self.place])]))

    def _sought(self, name: Name, has: str, near: Sequence[str] = ()) -> "Sought":
        said = self.said.get(name)
        return Sought(name, has, any_of([near]) if near else "", any_of([said]) if said else "")


@dataclass(frozen=True)
class Sought:
    """One attribute as tsqueries: pictures that have it, pictures that nearly have it, texts that say it."""

    name: Name
    has: str
    near: str = ""
    said: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """Of the SQL below."""
        known = f"{quoted(f'{self.name} ')}:*"
        queries = {"has": self.has, "near": self.near, "said": self.said, "known": known}
        return {f"{self.name}_{what}": query for what, query in queries.items()}

    @property
    def had(self) -> str:
        """SQL: whether a document has it."""
        return self._any(("shows", "has"), *[("terms", "said")] * bool(self.said))

    @property
    def fit(self) -> str:
        """SQL: how well a document is that, 0 to 1."""
        said = f"WHEN {self._any(('terms', 'said'))} THEN {SAID}" if self.said else ""
        near = f"WHEN {self._any(('shows', 'near'))} THEN {HALF}" if self.near else ""
        unknown = f"WHEN NOT {self._any(('shows', 'known'))} THEN {HALF}"
        return f"CASE WHEN {self._any(('shows', 'has'))} THEN 1 {said} {near} {unknown} ELSE 0 END"

    def _any(self, *tests: tuple[str, str]) -> str:
        return " OR ".join(f"{column} @@ %({self.name}_{query})s::tsquery" for column, query in tests)


def shown(attributes: Attributes | None) -> str:
    """The tsvector of what a picture shows; nothing where no model noticed anything."""
    if attributes is None:
        return ""
    terms = [*_terms("count", [attributes.count]), *_terms("where", attributes.where)]
    terms += [*_terms("brightness", [attributes.brightness]), *_terms("place", filter(None, [attributes.place]))]
    return vector([("A", terms)])


def fit(sought: Sequence[Sought]) -> str:
    """SQL: how much of what its words are worth is left of a document, by how well it is all that."""
    together = " + ".join(f"({one.fit})" for one in sought)
    return f"({LEAST} + {1 - LEAST} * power(({together}) / {len(sought)}.0, 2))"


def have(sought: Sequence[Sought]) -> str:
    """SQL: the names of those that a document has."""
    names = ", ".join(f"CASE WHEN {one.had} THEN '{one.name}' END" for one in sought)
    return f"array_remove(ARRAY[{names}]::text[], NULL) AS has"


def every(sought: Sequence[Sought]) -> str:
    """A tsquery: pictures that have all of these."""
    return _all(one.has for one in sought)


def all_but_one(sought: Sequence[Sought]) -> str:
    """A tsquery: pictures that have all of these but at most one."""
    return " | ".join(f"({every(some)})" for some in combinations(sought, len(sought) - 1))


def _all(queries: Iterable[str]) -> str:
    return " & ".join(f"({query})" for query in queries)


def _terms(name: Name, values: Iterable[object]) -> list[str]:
    return [f"{name} {value}" for value in values]
