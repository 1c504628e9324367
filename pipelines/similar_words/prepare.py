"""Put the corpus together: keywords of emoji, the product's own words, and what owners wrote about their items.

dvc repro pipelines/similar_words/dvc.yaml:prepare
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines import warehouse
from pipelines.similar_words import corpus
from pipelines.similar_words.snapshot import SNAPSHOT, TABLE


def main() -> None:
    documents = [*corpus.emoji(), *corpus.own_words(), *corpus.items(published())]
    corpus.write(documents)
    counted = Counter(document.source for document in documents)
    print(", ".join(f"{count} documents of {source}" for source, count in counted.items()))


def published() -> Iterator[Mapping[str, Any]]:
    """The items of the snapshot that were not removed; none where there is no snapshot."""
    file = SNAPSHOT / f"{TABLE}.parquet"
    if file.is_file():
        yield from warehouse.rows(file, "SELECT * FROM snapshot WHERE removed_at IS NULL ORDER BY item_id")


if __name__ == "__main__":
    main()
