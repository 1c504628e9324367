"""Learn which words stand together (idf and a truncated SVD), and write the whole look-up as one ONNX file.

dvc repro pipelines/similar_words/dvc.yaml:train
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.labels import CATEGORIES
from models.similar_words.features import MOST_PIECES, MOST_SPELLINGS, hashed, spelt
from pipelines.artefact import run
from pipelines.parameters import load
from pipelines.similar_words import corpus
from pipelines.similar_words.corpus import Document
from pipelines.similar_words.graph import graph, similarities

TRAINED = Path("data/similar_words/trained")
ROUNDING = 2e-3
"""What half floats may change in a cosine."""


@dataclass(frozen=True)
class Params:
    seed: int
    dimensions: int
    iterations: int
    least_documents: int
    answered_from: int
    similar_least: float
    category_least: float


@dataclass(frozen=True)
class Vocabulary:
    """The words of the corpus by their spelling, each as it is mostly written, and which of them are answers."""

    spellings: tuple[str, ...]
    shown: tuple[str, ...]
    answers: NDArray[np.int64]

    @property
    def hashes(self) -> NDArray[np.int64]:
        """The numbers by which they are asked for."""
        return np.array([hashed(word) for word in self.spellings], np.int64)


def main() -> None:
    params = load(Params, "pipelines/similar_words/params.yaml", "train")
    documents = corpus.read()
    vocabulary = known(documents, params)
    with threadpool_limits(1):  # the same result on any number of cores
        vectors = learnt(counts(documents, vocabulary), params)
    centres = middles(vocabulary, vectors)
    model = graph(
        vocabulary.hashes, vocabulary.shown, vocabulary.answers, vectors, centres,
        params.similar_least, params.category_least,
    )  # fmt: skip
    TRAINED.mkdir(parents=True, exist_ok=True)
    onnx.save(model, TRAINED / "model.onnx")
    prove_parity(vocabulary, vectors, TRAINED / "model.onnx", params.similar_least)
    print(f"{len(vocabulary.spellings)} words of {len(documents)} documents")


def known(documents: Sequence[Document], params: Params) -> Vocabulary:
    """All words of the emoji and the product, and of the items what several have.

    Answered is what several documents have: a word of one alone widens no search.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    sources: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for word in document.words:
            forms[spelt(word)][word] += 1
            sources[spelt(word)].add(document.source)
    counted = {word: found.total() for word, found in forms.items()}
    spellings = sorted(w for w, n in counted.items() if n >= params.least_documents or sources[w] != {"items"})
    shown = tuple(min(forms[word], key=lambda form: (-forms[word][form], form)) for word in spellings)
    answered = [n for n, w in enumerate(spellings) if counted[w] >= params.answered_from or "words" in sources[w]]
    return Vocabulary(tuple(spellings), shown, np.array(answered, np.int64))


def counts(documents: Sequence[Document], vocabulary: Vocabulary) -> csr_matrix:
    """A row a document, a column a word; every document weighs the same."""
    column = {word: at for at, word in enumerate(vocabulary.spellings)}
    rows, columns = [], []
    for row, document in enumerate(documents):
        own = sorted({column[word] for word in map(spelt, document.words) if word in column})
        rows += [row] * len(own)
        columns += own
    return csr_matrix((np.ones(len(rows)), (rows, columns)), (len(documents), len(column)))


def learnt(matrix: csr_matrix, params: Params) -> NDArray[np.float32]:
    """A vector of length 1 for each word: near for words that stand in the same documents."""
    frequency = np.asarray(matrix.sum(axis=0)).ravel()
    weighted = matrix @ diags(np.log(matrix.shape[0] / frequency))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted = diags(1 / np.maximum(lengths, 1e-9)) @ weighted
    svd = TruncatedSVD(params.dimensions, n_iter=params.iterations, random_state=params.seed)
    vectors = svd.fit_transform(weighted.T)
    return normalised(vectors)


def middles(vocabulary: Vocabulary, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of each category's words, in the order of the labels."""
    place = {word: at for at, word in enumerate(vocabulary.spellings)}
    words = corpus.of_categories()
    known = [[place[spelt(word)] for word in words[label.name] if spelt(word) in place] for label in CATEGORIES]
    return normalised(np.stack([vectors[places].mean(axis=0) for places in known]))


def normalised(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def prove_parity(vocabulary: Vocabulary, vectors: NDArray[np.float32], path: Path, least: float) -> None:
    """The file that will be served scores as the vectors do; by rounding, one may leave out what the other just has."""
    asked = np.arange(0, len(vectors), max(1, len(vectors) // 50))
    words = np.zeros((len(asked), MOST_SPELLINGS), np.int64)
    words[:, 0] = vocabulary.hashes[asked]
    served = run(path, {"words": words, "pieces": np.zeros((len(asked), MOST_PIECES), np.int64)})["score"]
    meant = similarities(vectors, vocabulary.answers, asked, least, served.shape[1])
    if (difference := float(np.abs(served.clip(least) - meant.clip(least)).max())) > ROUNDING:
        raise ValueError(f"ONNX and numpy differ by {difference}")


if __name__ == "__main__":
    main()
