"""The corpus: documents of words that stand together, each word with the way it is usually written."""

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from models.labels import CATEGORIES
from models.similar_words.features import LONGEST_ANSWER, spelt

PREPARED = Path("data/similar_words/prepared/documents.jsonl")
WORDS = Path("models/words.toml")
EMOJI = "requirements/npm/node_modules/emojibase-data/{language}/data.json"
LANGUAGES = ("ja", "en")
GROUPS = {0, 1, 3, 4, 5, 6, 7, 8}
"""Groups of emoji that mean something: all but hair and skin (2) and flags (9)."""

MOST_PARTS = 2
"""A label of more parts is a description: "grinning face with smiling eyes"."""

_LITTLE_WORDS = """
    a an and are as at be but by for from had has have he her here his i in into is it its just me my no not of on or
    our out over she so some than that the their them then there these they this to too up us very was we were what
    when where which who will with you your
"""
STOP_WORDS = frozenset(_LITTLE_WORDS.split())
_BRACKETS = re.compile(r"[（(\[「][^）)\]」]*[）)\]」]?")
_PARTS = re.compile(r"[\s、,・：:;/“”\"!?！？。．…]+|の|(?<=[a-z])-(?=[a-z])")
_ENGLISH = re.compile(r"[a-z][a-z'-]+")
_JAPANESE = re.compile("[\u30a1-\u30fa\u30fc]{2,}|[\u3041-\u3096\u30fc]{3,}|[\u3005\u3400-\u9fff]{1,8}")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Document:
    """Words that stand together, as they are written."""

    source: str
    words: tuple[str, ...]


def emoji() -> Iterator[Document]:
    """What each emoji is called, and the keywords people look for it by, in both languages."""
    entries = [json.loads(Path(EMOJI.format(language=language)).read_bytes()) for language in LANGUAGES]
    keywords = {spelt(word) for some in entries for entry in some for word in entry.get("tags", ())}
    said: dict[str, list[str]] = {}
    for entry in chain.from_iterable(entries):
        if entry.get("group") in GROUPS:
            said.setdefault(entry["hexcode"], []).extend(called(entry, keywords))
    for words in said.values():
        yield Document("emoji", tuple(once(words)))


def called(entry: Mapping[str, Any], keywords: Collection[str]) -> Iterator[str]:
    """The keywords, and the label: as a whole if it is short, and those of its parts that are keywords elsewhere."""
    label = _BRACKETS.sub("", entry["label"]).strip()
    parts = [part for part in _PARTS.split(label) if part]
    if len(parts) <= MOST_PARTS:
        yield label
    yield from (part for part in parts if spelt(part) in keywords)
    yield from entry.get("tags", ())


def own_words(path: Path = WORDS) -> Iterator[Document]:
    """What the product's own words say: what means the same, and what is a kind of what."""
    file = tomllib.loads(path.read_text("utf-8"))
    for category in file["category"]:
        yield Document("words", tuple(category["words"]))
        for name, words in category["kinds"].items():
            yield Document("words", tuple(once([name, *words, *category["words"][:1], category["label"]])))
    for same in file["same"]:
        yield Document("words", tuple(same["words"]))


def of_categories(path: Path = WORDS) -> dict[str, list[str]]:
    """The words of each category and of its kinds."""
    found = tomllib.loads(path.read_text("utf-8"))["category"]
    return {
        one["label"]: [*one["words"], *(w for name, some in one["kinds"].items() for w in (name, *some))]
        for one in found
    }


def items(rows: Iterable[Mapping[str, Any]]) -> Iterator[Document]:
    """What the owners of published items wrote, and the category that was seen in the picture."""
    shown = {label.name: (label.ja, label.en) for label in CATEGORIES}
    for row in rows:
        tags = [str(tag) for tag in row.get("tags") or ()]
        said = [*said_in(row["title"]), *said_in(row["description"]), *tags, *shown.get(row["category"] or "", ())]
        yield Document("items", tuple(once(said)))


def said_in(text: str) -> Iterator[str]:
    """The words of a text without a tokenizer: English ones, and runs of one Japanese script."""
    folded = text.replace("#", " ")
    for word in _ENGLISH.findall(folded.lower()):
        if word not in STOP_WORDS:
            yield word
    yield from _JAPANESE.findall(folded)


def once(words: Iterable[str]) -> list[str]:
    """Each word once, however it is spelt, if it is one and not too long to be answered."""
    first = {spelt(word): word.strip() for word in reversed(list(words))}
    return [
        word
        for key, word in reversed(first.items())
        if _LETTER.search(key) and len(word.encode()) <= LONGEST_ANSWER and key not in STOP_WORDS
    ]


def write(documents: Sequence[Document], path: Path = PREPARED) -> None:
    """A document a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(document), ensure_ascii=False) for document in documents)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def read(path: Path = PREPARED) -> list[Document]:
    """The documents that prepare wrote."""
    lines = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [Document(line["source"], tuple(line["words"])) for line in lines]
