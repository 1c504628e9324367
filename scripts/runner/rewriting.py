"""What a container would be told, said for this machine: addresses, replicas and folders."""

import re
from collections.abc import Mapping
from pathlib import Path


class Rewriter:
    """Rewrites the environment and the command of one service."""

    def __init__(self, replicas: Mapping[str, int], offset: int, folders: Mapping[str, Path]) -> None:
        self.replicas, self.offset = replicas, offset
        self.folders = {target.rstrip("/"): str(folder) for target, folder in folders.items()}
        names = _any_of(replicas)
        targets = _any_of(self.folders)
        self.address = re.compile(rf"(?<![\w.-]){names}:(\d{{2,5}})(?!\w)")
        self.url = re.compile(rf"(?P<before>[a-z][\w+.-]*://(?:[^/@]*@)?){names}:(?P<port>\d{{2,5}})(?P<rest>[/?#].*)?")
        self.path = re.compile(rf"(?:(?<=://)|(?<![\w./-])){targets}(?=$|[/\s,;:?\"'])")

    def __call__(self, value: str) -> str:
        whole = self.url.fullmatch(value)
        if whole and self.replicas[whole[2]] > 1:
            return ",".join(self._replica(whole, index) for index in range(self.replicas[whole[2]]))
        there = self.address.sub(lambda found: f"127.0.0.1:{int(found[2]) + self.offset}", value)
        return self.path.sub(lambda found: self.folders[found[1]], there)

    def _replica(self, whole: re.Match[str], index: int) -> str:
        return f"{whole['before']}127.0.0.1:{int(whole['port']) + self.offset + index}{whole['rest'] or ''}"


def own_address(value: str, shift: int) -> str:
    """In a health check, `localhost` is the process itself, on its own replica's port."""
    found = re.compile(r"(?<![\w.-])(127\.0\.0\.1|localhost):(\d{2,5})(?!\w)")
    return found.sub(lambda match: f"127.0.0.1:{int(match[2]) + shift}", value)


def _any_of(words: Mapping[str, object]) -> str:
    """Longest first, so that `/run/keys/x` is not taken for `/run`; nothing matches when there are none."""
    return "(" + ("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or r"\b\B") + ")"
