"""The texts are split before they are composed, the same clone gives the same model, and the gold file is whole."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from models.contract import Manifest
from models.text_violation.features import normalise
from pipelines import artefact
from pipelines.parameters import read_yaml
from pipelines.text_violation import evaluate, prepare, train
from pipelines.text_violation.prepare import LANGUAGES, SLOT, Composer, split
from pipelines.text_violation.texts import LABELS, VIOLATION

ROOT = Path(__file__).parents[2]
THINGS = {"ja": ["ネコ", "イヌ", "トリ", "サカナ"], "en": ["cat", "dog", "zebrafish", "zyzzyva"]}
MADE = dict.fromkeys(("thing", "word", "sign", "code"), THINGS)
PARAMS = prepare.Params(7, 1, 1, 1, 4, 0.25, hidden=0.3, decorated=0.5, other_language=0.1)
AMBIGUOUS = ("無料", "セール", "free", "won", "shot")


@pytest.fixture(scope="module")
def templates() -> dict[str, Any]:
    return read_yaml(ROOT / "data/text_violation/templates.yaml")


def test_what_is_held_out_never_occurs_in_training(templates: dict[str, Any]) -> None:
    learnt, held_out = split(templates, MADE, 4)
    for label in LABELS:
        for language in LANGUAGES:
            assert held_out.templates[label][language]
            assert not set(learnt.templates[label][language]) & set(held_out.templates[label][language])
    assert held_out.slots["en"]["thing"] == ["zyzzyva"]
    texts = Composer(learnt, PARAMS, random.Random(1)).texts(dict.fromkeys(LABELS, 100), "train")
    assert not any("zyzzyva" in text.text or "サカナ" in text.text for text in texts)


def test_every_slot_is_filled(templates: dict[str, Any]) -> None:
    for part in split(templates, MADE, 4):
        for text in Composer(part, PARAMS, random.Random(2)).texts(dict.fromkeys(LABELS, 200), "train"):
            assert not re.search(r"[{}]", text.text)
    used = {
        slot for label in LABELS for lang in LANGUAGES for line in templates[label][lang] for slot in SLOT.findall(line)
    }
    assert used - set(MADE) <= set(templates["slots"]["ja"]) | set(templates["slots"]["en"])


def test_words_that_spam_likes_occur_in_good_templates_too(templates: dict[str, Any]) -> None:
    good = " ".join(line for language in LANGUAGES for line in templates["ok"][language]).lower()
    assert [word for word in AMBIGUOUS if word not in good] == []


def test_the_gold_file_is_whole_and_its_halves_are_alike() -> None:
    gold = VIOLATION.read(ROOT / VIOLATION.gold)
    count = Counter(text.label != "ok" for text in gold)
    assert count[True] >= 200
    assert count[False] >= 250
    assert len({text.text for text in gold}) == len(gold)
    halves = {part: Counter((t.label, t.language) for t in gold if t.part == part) for part in ("choose", "report")}
    for kind, number in halves["choose"].items():
        assert abs(number - halves["report"][kind]) <= 1


def test_no_gold_line_is_a_template(templates: dict[str, Any]) -> None:
    known = {normalise(line) for label in LABELS for language in LANGUAGES for line in templates[label][language]}
    gold = VIOLATION.read(ROOT / VIOLATION.gold)
    assert [text.text for text in gold if normalise(text.text) in known] == []


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the pipeline reads, with fewer texts."""
    if not (ROOT / "requirements/npm/node_modules/emojibase-data").is_dir():
        pytest.skip("the names of objects are missing: run scripts/setup")
    (tmp_path / "models/text_violation").mkdir(parents=True)
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    for path in (
        "pipelines/text_violation/params.yaml",
        "data/text_violation/templates.yaml",
        "data/gold/text_violation.csv",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    smaller(tmp_path / "pipelines/text_violation/params.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def smaller(path: Path) -> None:
    yaml = YAML()
    content = yaml.load(path)
    content["prepare"] |= {"ok": 300, "spam": 150, "abuse": 150}
    yaml.dump(content, path)


def made() -> Iterator[Manifest]:
    """The whole pipeline, again and again, each time from nothing."""
    while True:
        shutil.rmtree(VIOLATION.prepared, ignore_errors=True)
        shutil.rmtree(VIOLATION.trained, ignore_errors=True)
        for stage in (prepare, train, evaluate):
            stage.main()
        yield artefact.verify(Path("data/text_violation/model"))


def test_the_same_sources_give_the_same_model_and_another_seed_another(workspace: Path) -> None:
    makings = made()
    first, second = next(makings), next(makings)
    assert artefact.model_hash(first) == artefact.model_hash(second)
    path = workspace / "pipelines/text_violation/params.yaml"
    path.write_text(path.read_text().replace("seed: 7", "seed: 8"))
    assert artefact.model_hash(next(makings)) != artefact.model_hash(first)


def test_even_a_small_model_tells_good_from_bad(workspace: Path) -> None:
    manifest = next(made())
    metrics = read_yaml(Path("data/text_violation/metrics.json"))
    assert metrics["gold_auc"] > 0.85
    assert metrics["gold_auc"] > metrics["gold_auc_baseline"]
    assert 0 < manifest.thresholds["violation_review"] <= manifest.thresholds["violation_reject"] <= 1
