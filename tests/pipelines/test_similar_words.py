"""From documents to the ONNX file, on a corpus so small that every answer is known."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.contract import check
from models.similar_words.contract import contract
from models.similar_words.features import category, encode, similar, spelt
from pipelines import artefact
from pipelines.similar_words import corpus, gold, prepare, snapshot, train
from pipelines.similar_words.baseline import SpeltAlike
from pipelines.similar_words.corpus import Document, items, once, said_in
from pipelines.similar_words.graph import graph
from pipelines.similar_words.train import Params, counts, known, learnt, middles

PARAMS = Params(7, 8, 5, 2, 2, 0.5, 0.05)
SMALL = [
    *([Document("emoji", ("meow", "cat", "猫"))] * 2),
    *([Document("emoji", ("bark", "dog", "犬"))] * 2),
    *([Document("items", ("tatami", "cat"))] * 2),
    Document("items", ("typpo", "dog")),
    Document("words", tuple(word for words in corpus.of_categories().values() for word in words[:1])),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vocabulary = known(SMALL, PARAMS)
    vectors = learnt(counts(SMALL, vocabulary), PARAMS)
    centres = middles(vocabulary, vectors)
    path = tmp_path_factory.mktemp("small") / "model.onnx"
    onnx.save(graph(vocabulary.hashes, vocabulary.shown, vocabulary.answers, vectors, centres, 0.5, 0.05), path)
    train.prove_parity(vocabulary, vectors, path, 0.5)
    return path


def test_what_is_just_similar_by_one_rounding_and_not_by_another_is_no_difference(tmp_path: Path) -> None:
    vocabulary = known(SMALL, PARAMS)
    vectors = learnt(counts(SMALL, vocabulary), PARAMS)
    cosines = np.unique((vectors @ vectors.T).round(4))
    just = float(cosines[(cosines > 0.2) & (cosines < 0.95)][0])
    path, centres = tmp_path / "model.onnx", middles(vocabulary, vectors)
    onnx.save(graph(vocabulary.hashes, vocabulary.shown, vocabulary.answers, vectors, centres, just - 1e-3, 0.05), path)
    train.prove_parity(vocabulary, vectors, path, just + 1e-3)
    with pytest.raises(ValueError, match="differ"):
        train.prove_parity(vocabulary, np.roll(vectors, 1, axis=0), path, just)


def asked(path: Path, text: str) -> tuple[list[str], str | None]:
    outputs = artefact.run(path, encode(text.encode()))
    near = category(outputs)
    return [word for word, _ in similar(outputs)], near[0] if near else None


def test_words_that_stand_together_are_similar_and_of_one_category(small: Path) -> None:
    words, label = asked(small, "meow")
    assert set(words[:2]) == {"cat", "猫"}
    assert label == "cat"
    assert "dog" not in words


def test_a_word_that_one_item_has_is_no_word_and_one_that_several_have_is(small: Path) -> None:
    assert asked(small, "typpo") == ([], None)
    assert "cat" in asked(small, "tatami")[0]


def test_unknown_words_and_no_words_are_answered_with_nothing(small: Path) -> None:
    assert asked(small, "qwxzjk") == asked(small, "") == ([], None)


def test_pieces_are_looked_at_where_nothing_is_known_as_a_whole(small: Path) -> None:
    assert asked(small, "meow meow")[1] == "cat"
    assert asked(small, "犬小屋")[1] == "dog"


def test_what_is_asked_for_is_not_answered(small: Path) -> None:
    assert not {"cat", "猫"} & set(asked(small, "cat\n猫\nmeow")[0])


def test_the_file_keeps_the_contract_for_many_rows(small: Path) -> None:
    rows = [encode(word.encode()) for word in ("meow", "bark", "nothing")]
    batch = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    check(contract(), batch)
    outputs = artefact.run(small, batch)
    artefact.verify_outputs(contract(), outputs)
    assert [bool(row.any()) for row in outputs["score"]] == [True, True, False]


def test_items_bring_their_words_tags_and_category() -> None:
    row = {"title": "窓辺のネコ、昼寝", "description": "A sunny day #tatami", "tags": ["畳"], "category": "cat"}
    (document,) = items([row])
    assert {"窓辺", "ネコ", "昼寝", "sunny", "tatami", "畳", "猫", "cat"} <= set(document.words)
    assert "a" not in document.words


def test_a_word_counts_once_however_it_is_written_and_what_is_too_long_is_none() -> None:
    assert once(["ネコ", "ねこ", "Cat", "cat", "2024", "あ" * 11]) == ["ネコ", "Cat"]


def test_words_of_a_text_need_no_spaces_in_japanese() -> None:
    assert list(said_in("公園でサッカー、a cat")) == ["cat", "公園", "サッカー"]


def test_without_a_warehouse_there_are_no_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    snapshot.main()
    assert list(prepare.published()) == []


def test_the_corpus_is_written_and_read(tmp_path: Path) -> None:
    corpus.write(SMALL, tmp_path / "documents.jsonl")
    assert corpus.read(tmp_path / "documents.jsonl") == SMALL
    assert json.loads((tmp_path / "documents.jsonl").read_text().splitlines()[0])["words"][2] == "猫"


def test_no_probe_of_the_gold_file_is_in_the_products_list() -> None:
    """Else a look-up would do, and the model would be judged on what it was told."""
    told = {spelt(word) for document in corpus.own_words() for word in document.words}
    probes = gold.read()
    assert len(probes) >= 90
    assert not [probe.word for probe in probes if spelt(probe.word) in told]


def test_the_baseline_knows_what_is_spelt_alike() -> None:
    assert SpeltAlike()("noodles").category == "food"
    assert SpeltAlike()("qwxzjk").category is None
