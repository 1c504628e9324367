"""From somebody's data to a challenger: other labels, the same contract, and nobody is served by it unasked."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest

from models.contract import Manifest, check
from models.image_screening import features as screening
from models.image_screening.contract import contract
from models.text_violation import features as violation
from pipelines import artefact, register
from pipelines.image_screening.heads import Linear
from pipelines.own import challenger, train
from pipelines.own.surgery import PLACES, head_of, with_head
from tests.mlflow_server import mlflow
from tests.pipelines.own import material

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
LABELS = ["blue", "green", "red"]


@pytest.fixture(scope="module")
def server(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow(migrated, tmp_path_factory.mktemp("mlflow")) as address:
        yield address


def made(clone: Path, model: str = "image_screening") -> tuple[Path, Manifest]:
    """The one artefact that there is."""
    (folder,) = (clone / "data" / "own" / model).glob("*/model")
    return folder, Manifest.read(folder)


def test_a_folder_becomes_a_model_with_its_labels(clone: Path) -> None:
    assert train.main(["--data", str(material.folder_of(clone.parent / "colours", LABELS, 20))]) == 0
    folder, manifest = made(clone)
    artefact.verify(folder)
    assert manifest.output("category").labels == ("blue", "green", "red")
    assert manifest.inputs == contract().inputs
    assert {spec.name: spec.datatype for spec in manifest.outputs} == {s.name: s.datatype for s in contract().outputs}
    tensors = screening.encode(material.picture("green", 4242))
    check(manifest, tensors)
    outputs = artefact.run(folder / "model.onnx", tensors)
    answer = screening.answer(manifest, outputs)
    assert answer["category"]["label"] == "green"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test_accuracy"] > 0.9 > metrics["baseline_most_frequent_accuracy"]
    assert "The labels of colours: blue, green, red" in (folder / "card.md").read_text()


def test_what_the_heads_are_on_stays_as_it_is(clone: Path) -> None:
    before = clone / "data" / "image_screening" / "model"
    train.main(["--data", str(material.folder_of(clone.parent / "colours", LABELS, 20))])
    folder, manifest = made(clone)
    tensors = screening.encode(material.picture("grey", 7))
    old, new = (artefact.run(path / "model.onnx", tensors) for path in (before, folder))
    assert np.array_equal(old["embedding"], new["embedding"])
    assert np.array_equal(old["violation"], new["violation"])
    assert manifest.reference["embedding_version"] == "abc"
    assert manifest.thresholds["violation_reject"] == 0.9
    names = {constant.name for constant in onnx.load(str(folder / "model.onnx")).graph.initializer}
    assert "category_table" not in names, "what nothing needs is not carried along"


def test_the_heads_of_a_model_with_other_labels_can_be_learnt_again(clone: Path) -> None:
    train.main(["--data", str(material.folder_of(clone.parent / "colours", LABELS, 20))])
    folder, _ = made(clone)
    model = onnx.load(str(folder / "model.onnx"))
    head = Linear(np.zeros((192, 5), np.float32), np.zeros(5, np.float32))
    again = with_head(model, PLACES["image_screening"], head)
    assert head_of(again, PLACES["image_screening"]).input[0] == "/features"


def test_the_same_data_makes_the_same_model(clone: Path) -> None:
    data = str(material.folder_of(clone.parent / "colours", LABELS, 20))
    hashes = []
    for _ in range(2):
        assert train.main(["--data", data]) == 0
        hashes.append(artefact.model_hash(made(clone)[1]))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("layout", ["cifar", "pet"])
def test_published_archives_become_models(clone: Path, layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels: tuple[str, ...] = ("bird", "cat", "ship")
    if layout == "cifar":
        data = material.cifar(clone.parent / "cifar-10-python.tar.gz")
    else:
        (clone.parent / "pets").mkdir()
        data, labels = material.pet(clone.parent / "pets", each=8, tested=4), ("Abyssinian", "american_bulldog")
    assert train.main(["--data", str(data)]) == 0
    folder, manifest = made(clone)
    assert manifest.output("category").labels == labels
    assert json.loads((folder / "metrics.json").read_text())["test_accuracy"] > 0.9
    assert {"cifar": "CIFAR-10", "pet": "Oxford-IIIT Pet"}[layout] in capsys.readouterr().out


def test_what_is_wrong_is_in_the_report_and_the_rest_is_learnt(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = material.folder_of(clone.parent / "colours", LABELS, 20)
    for number in range(15):
        (data / "red" / f"broken-{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert train.main(["--data", str(data)]) == 0
    folder, _ = made(clone)
    told = capsys.readouterr().out
    assert told.count("corrupt: red/broken-") == 10
    assert "corrupt: and 5 more" in told
    report = json.loads((folder.parent / "report.json").read_text())
    assert report["counts"] == {"corrupt": 15}
    assert report["used"]["red"] == {"test": 4, "train": 16}


def test_nothing_to_learn_is_told_and_not_crashed_on(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone.parent / "empty").mkdir()
    assert train.main(["--data", str(clone.parent / "empty")]) == 1
    assert train.main(["--data", "nowhere/at/all"]) == 1
    (clone.parent / "what.bin").write_bytes(b"?")
    assert train.main(["--data", str(clone.parent / "what.bin")]) == 1
    assert capsys.readouterr().err.count("train: ") == 3


def test_without_a_base_it_says_how_to_make_one(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = material.folder_of(clone.parent / "colours", LABELS, 20)
    assert train.main(["--data", str(data), "--model", "image_quick"]) == 1
    assert "scripts/train image_quick" in capsys.readouterr().err


def champion(server: str, alias: str = "champion") -> Any:
    where = {"name": "image_screening", "alias": alias}
    answer = httpx.get(f"{server}/api/2.0/mlflow/registered-models/alias", params=where)
    return answer.json()["model_version"]["version"] if answer.is_success else None


def test_a_challenger_is_registered_by_the_name_of_its_data_and_serves_nobody(
    clone: Path, server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = material.folder_of(clone.parent / "colours", LABELS, 20)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert train.main(["--data", str(data)]) == 0, "with an empty registry, on what the clone has made"
    folder, manifest = made(clone)
    alias = f"data-{folder.parent.name}"
    assert champion(server, alias) == "1"
    assert champion(server) is None, "not even where there is no champion"
    base = artefact.verify(clone / "data" / "image_screening" / "model")
    origin = challenger.with_lineage(base, clone / "data/image_screening/model", "base", "0" * 64, clone)
    version = register.register(origin, clone / "data/image_screening/model", server)
    assert champion(server) == version
    assert train.main(["--data", str(data)]) == 0, "the same again, on the champion"
    assert (champion(server), champion(server, alias)) == (version, "1")
    told = capsys.readouterr().out
    assert f"registered model=image_screening version=1 alias={alias}" in told
    assert "scripts/promote image_screening 1" in told
    tags = httpx.get(
        f"{server}/api/2.0/mlflow/model-versions/get", params={"name": "image_screening", "version": "1"}
    ).json()["model_version"]["tags"]
    known = {tag["key"]: tag["value"] for tag in tags}
    assert known["data_sha256"].startswith(folder.parent.name)
    assert known["purpose"].endswith("colours")
    assert known["model_sha256"] == artefact.model_hash(manifest)


# Texts


SENTENCES = {
    "ok": "my cat sleeps on the warm window sill number {n} and dreams",
    "advertising": "buy now cheap offer {n} click the link discount",
    "rude": "you are a terrible stupid fool and everybody hates you {n}",
}


def table(path: Path, rows: list[list[str]], head: str = "text,label") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head.split(","), *rows])
    return path


def sentences(each: int = 20) -> list[list[str]]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [letters[n % 26] * (n // 26 + 2) for n in range(each)]
    return [[text.format(n=word), label] for label, text in SENTENCES.items() for word in words]


def test_texts_become_a_model_with_their_labels(clone: Path) -> None:
    assert train.main(["--data", str(table(clone.parent / "mine.csv", sentences()))]) == 0
    folder, manifest = made(clone, "text_violation")
    assert manifest.output("violation").labels == ("ok", "advertising", "rude"), "the first is no violation"
    outputs = artefact.run(folder / "model.onnx", violation.encode(b"cheap offer, click and buy now"))
    answer = violation.answer(manifest, outputs)["violation"]
    assert answer["label"] == "advertising"
    assert answer["score"] >= manifest.thresholds["violation_review"]
    good = artefact.run(folder / "model.onnx", violation.encode(b"my cat sleeps and dreams on the window"))
    assert violation.answer(manifest, good)["violation"]["label"] == "ok"


def test_two_kinds_of_texts_are_enough(clone: Path) -> None:
    rows = [row for row in sentences() if row[1] != "rude"]
    assert train.main(["--data", str(table(clone.parent / "mine.csv", rows))]) == 0
    folder, manifest = made(clone, "text_violation")
    assert manifest.output("violation").shape == (-1, 2)
    assert json.loads((folder / "metrics.json").read_text())["test_accuracy"] > 0.9


def test_lines_that_cannot_be_used_are_named(clone: Path) -> None:
    rows = [[*row, ""] for row in sentences()]
    rows += [["", "ok", ""], ["a text", "", ""], ["x" * 30_000, "ok", ""], ["once more", "ok", "test"]]
    rows += [["ＯＮＣＥ　more", "ok", "train"], ["two minds", "ok", ""], ["Two  minds", "rude", ""]]
    rows += [[f"tested {kind} {letter * 3}", kind, "test"] for kind in SENTENCES for letter in "abcdef"]
    assert train.main(["--data", str(table(clone.parent / "mine.csv", rows, "text,label,part"))]) == 0
    folder, _ = made(clone, "text_violation")
    report = json.loads((folder.parent / "report.json").read_text())
    assert {one["name"]: one["kind"] for one in report["problems"]} == {
        "line 62": "tiny", "line 63": "unlabelled", "line 64": "too large", "line 66": "leaking",
        "line 67": "duplicate", "line 68": "duplicate",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "told"),
    [([["a", "spam"]] * 30, "`ok`"), ([], "`ok`"), (None, "text,label")],
)
def test_texts_that_teach_nothing_are_refused(
    clone: Path, rows: list[list[str]] | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(clone.parent / "mine.csv", rows or [], "text,label" if rows is not None else "a,b")
    assert train.main(["--data", str(path)]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("data", "model"), [("x.csv", "image_quick"), ("x", "text_violation")])
def test_data_of_the_wrong_kind_is_refused(data: str, model: str) -> None:
    with pytest.raises(SystemExit):
        train.main(["--data", data, "--model", model])
