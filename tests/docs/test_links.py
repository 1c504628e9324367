"""Links of documents lead somewhere, and no document tells of one machine."""

import re
from urllib.parse import unquote

import pytest

from scripts.runner.site import ROOT
from tests.docs.markdown import Document, documents

EACH = pytest.mark.parametrize("one", documents(), ids=lambda one: one.name)
WRITTEN = [one for one in documents() if not one.name.startswith("models/")]
"""By people: a card is written by its run, and names what that run had."""
LOCAL = ("http://localhost", "http://127.0.0.1")
NAMED = re.compile(r"`((?:services|models|pipelines|docs|data|scripts|tests|requirements)/[\w/.-]+)`")
PLACEHOLDER = re.compile(r"\b(?:NAME|LABEL|FOLDER)\b")
PIPELINES = [path.read_text() for path in sorted((ROOT / "pipelines").rglob("dvc.yaml"))]
"""They name the folders that are there only once something was trained."""
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|opt|mnt|Users|tmp)/\w+")
"""Where somebody's files lie. What containers have inside (/venv, /trainer, /run/keys) is the same everywhere."""


@EACH
def test_links_resolve(one: Document) -> None:
    broken = [link for link in one.links if not _resolves(one, link)]
    assert broken == []


def _resolves(one: Document, link: str) -> bool:
    if link.startswith(("https://", "mailto:", *LOCAL)):
        return True
    path, _, anchor = unquote(link).partition("#")
    target = (one.path.parent / path) if path else one.path
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in Document(target).anchors)


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_files_that_are_named_are_there(one: Document) -> None:
    named = {path for path in NAMED.findall(one.prose) if not PLACEHOLDER.search(path)}
    made = {path for path in named if any(f"- {path}\n" in pipeline for pipeline in PIPELINES)}
    assert {path for path in named - made if not (ROOT / path).exists()} == set()


@EACH
def test_no_document_names_a_path_of_a_machine(one: Document) -> None:
    assert MACHINE.findall(one.text) == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    known = {one.path.resolve(): one for one in documents()}
    readme = next(path for path, one in known.items() if one.name == "README.md")
    reached, waiting = {readme}, [readme]
    while waiting:
        here = waiting.pop()
        for link in known[here].links:
            target = (here.parent / link.partition("#")[0]).resolve()
            if target in known and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert {known[path].name for path in known.keys() - reached} == set()
