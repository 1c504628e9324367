"""Decides which pictures are used, and for what: looks at each once, reports what cannot be used, deals the rest.

The same data is dealt alike every time, whatever the order of its files: by the hash of their content.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.pictures import UnreadablePicture, open_picture
from pipelines.own import alike
from pipelines.own.alike import Look
from pipelines.own.pictures import Picture, Pictures
from pipelines.own.report import Kind, Report
from pipelines.progress import progress

LEAST_SIDE = 16
LEAST_EACH = 5
"""Fewer pictures of a label to learn from than this teach nothing."""

TEST_EVERY = 5
TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Seen:
    """A picture that can be read, without its content."""

    name: str
    label: str
    part: str | None
    sha256: str


@dataclass(frozen=True)
class Chosen:
    """What is learnt from and what is tested on. The hash is the name of the data."""

    pictures: list[Seen]
    labels: list[str]

    @property
    def by_name(self) -> dict[str, Seen]:
        """To find them again."""
        return {one.name: one for one in self.pictures}

    @property
    def sha256(self) -> str:
        """Of every picture that is used, with its label and part."""
        lines = sorted(f"{one.label} {one.part} {one.sha256}\n" for one in self.pictures)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class NothingToLearn(ValueError):
    """What is left is too little to learn from."""


def chosen(pictures: Pictures, report: Report, most: int) -> Chosen:
    """At most so many of each label and part; raises NothingToLearn when fewer than two labels are left."""
    known = dealt(without_twins(readable(pictures.all(report), report), report))
    some = [one for group in grouped(known).values() for one in group[:most]]
    kept = enough(without_leaks(some, looks(pictures, some), report), report)
    report.use((one.label, one.part or "") for one in kept)
    labels = sorted({one.label for one in kept})
    if len(labels) < 2:
        raise NothingToLearn(f"{len(labels)} labels have {LEAST_EACH} usable pictures to learn from; two must have")
    return Chosen(kept, labels)


def readable(pictures: Iterable[Picture], report: Report) -> list[Seen]:
    """Those that are pictures and large enough; what is not is reported by name."""
    found = []
    for picture in pictures:
        try:
            size = open_picture(picture.content).size
        except UnreadablePicture as error:
            report.add("corrupt", picture.name, error.reason)
            continue
        if min(size) < LEAST_SIDE:
            report.add(
                "tiny", picture.name, f"{size[0]} x {size[1]} pixels; {LEAST_SIDE} on the shorter side are needed"
            )
            continue
        digest = hashlib.sha256(picture.content).hexdigest()
        found.append(Seen(picture.name, picture.label, picture.part, digest))
    return sorted(found, key=lambda one: (one.sha256, one.name))


def without_twins(found: Sequence[Seen], report: Report) -> list[Seen]:
    """Of files with the same content one stays, the one to test with if there is one; under two labels none does."""
    same: dict[str, list[Seen]] = defaultdict(list)
    for one in found:
        same[one.sha256].append(one)
    kept = []
    for twins in same.values():
        labels = sorted({one.label for one in twins})
        if len(labels) > 1:
            for one in twins:
                report.add("duplicate", one.name, f"the same file is labelled {' and '.join(labels)}: not used")
            continue
        first, *others = sorted(twins, key=lambda one: (one.part != TEST, one.name))
        kept.append(first)
        for one in others:
            leaks = first.part == TEST and one.part != TEST
            kind: Kind = "leaking" if leaks else "duplicate"
            report.add(kind, one.name, f"the same file as {first.name}" + (", which is tested with" if leaks else ""))
    return kept


def dealt(found: Sequence[Seen]) -> list[Seen]:
    """Data with a split of its own keeps it; of other data every fifth of a label is for the test."""
    if any(one.part == TEST for one in found):
        return [replace(one, part=one.part or TRAIN) for one in found]
    by_label: dict[str, list[Seen]] = defaultdict(list)
    for one in found:
        by_label[one.label].append(one)
    return [
        replace(one, part=TEST if at % TEST_EVERY == TEST_EVERY - 1 else TRAIN)
        for label in sorted(by_label)
        for at, one in enumerate(by_label[label])
    ]


def looks(pictures: Pictures, some: Sequence[Seen]) -> list[Look | None]:
    """What each of them looks like; goes through the data once more."""
    wanted = {one.name for one in some}
    found = (picture for picture in pictures.all(Report()) if picture.name in wanted)
    known = {one.name: alike.look(one.content) for one in progress(found, total=len(wanted), what="comparing pictures")}
    return [known[one.name] for one in some]


def without_leaks(found: Sequence[Seen], known: Sequence[Look | None], report: Report) -> list[Seen]:
    """What looks like a picture of the test is not learnt from; what looks like another picture is learnt from once."""
    out: set[int] = set()
    for one, other in alike.pairs(known):
        if one in out or other in out:
            continue
        first, second = (other, one) if found[other].part == TEST and found[one].part == TRAIN else (one, other)
        out.add(second)
        leaks = found[first].part == TEST and found[second].part == TRAIN
        kind: Kind = "leaking" if leaks else "duplicate"
        words = f"it looks like {found[first].name}" + (", which is tested with" if leaks else "")
        report.add(kind, found[second].name, words)
    return [seen for at, seen in enumerate(found) if at not in out]


def enough(found: Sequence[Seen], report: Report) -> list[Seen]:
    """Labels with too few pictures to learn from are left out, by name."""
    counts = {key: len(group) for key, group in grouped(found).items()}
    few = {label for label in {one.label for one in found} if counts.get((label, TRAIN), 0) < LEAST_EACH}
    for label in sorted(few):
        report.add("too few", label, f"{counts.get((label, TRAIN), 0)} to learn from; at least {LEAST_EACH} are needed")
    return [one for one in found if one.label not in few]


def grouped(found: Iterable[Seen]) -> dict[tuple[str, str], list[Seen]]:
    """By label and part, each in the order of the hashes."""
    groups: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.sha256):
        groups[one.label, one.part or TRAIN].append(one)
    return dict(sorted(groups.items()))
