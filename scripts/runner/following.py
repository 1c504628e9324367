"""Logs as people read them: every line with the name of who wrote it."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


class Tail:
    """The new lines of one log, across rotation."""

    def __init__(self, path: Path, from_end: bool) -> None:
        self.path, self.position, self.rest = path, 0, b""
        if from_end and path.is_file():
            self.position = path.stat().st_size

    def lines(self) -> Iterator[str]:
        if not self.path.is_file():
            return
        if self.path.stat().st_size < self.position:
            self.position, self.rest = 0, b""
        with self.path.open("rb") as log:
            log.seek(self.position)
            *whole, self.rest = (self.rest + log.read()).split(b"\n")
            self.position = log.tell()
        yield from (line.decode(errors="replace") for line in whole)


def follow(paths: Sequence[Path], over: Callable[[], bool], from_end: bool = False) -> None:
    """Print what is written to the logs, until `over`."""
    tails = [Tail(path, from_end) for path in paths]
    say = Prefix([path.stem for path in paths])
    last = False
    while not last:
        last = over()
        for tail in tails:
            for line in tail.lines():
                say(tail.path.stem, line)
        sys.stdout.flush()
        if not last:
            time.sleep(0.1)  # a file does not tell that it has grown


class Prefix:
    def __init__(self, names: Sequence[str]) -> None:
        self.width = max(map(len, names), default=0)
        colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}
        self.colours = colours if sys.stdout.isatty() else {}

    def __call__(self, name: str, line: str) -> None:
        colour = self.colours.get(name)
        start = f"\x1b[{colour}m{name:<{self.width}} |\x1b[0m" if colour else f"{name:<{self.width}} |"
        print(start, line)
