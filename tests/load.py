"""People who register and people who look while something else happens: what was accepted must be kept."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from tests.platform import FINAL, Platform, User, blank, eventually, photo

REGISTRATIONS_PER_SECOND = 4
PHOTOS = ("cat", "coffee", "flower", "temple")


@dataclass
class Load:
    """Users who register and users who look, until they are told to stop."""

    platform: Platform
    accepted: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)

    def register(self) -> None:
        """Three good pictures, then one of nothing, at a steady rate."""
        user = self.platform.user(number=1)
        numbers = count(time.time_ns() % 2**31)
        while not self.stopped.wait(1 / REGISTRATIONS_PER_SECOND):
            number = next(numbers)
            good = number % 4 != 0
            content = photo(PHOTOS[number % len(PHOTOS)], number) if good else blank(number % 256)
            try:
                self._register(user, content, "good" if good else "blank")
            except httpx.TransportError as error:
                self.refused[type(error).__name__] += 1

    def _register(self, user: User, content: bytes, kind: str) -> None:
        upload = user.http.post("/api/images", files={"file": ("photo", content)})
        if upload.status_code != 201:
            self.refused[f"upload {upload.status_code}"] += 1
            return
        body = {"image_id": upload.json()["id"], "title": f"chaos {kind}", "description": ""}
        answer = user.http.post("/api/items", json=body)
        if answer.status_code == 201:
            self.accepted[answer.json()["id"]] = kind
        else:
            self.refused[f"item {answer.status_code}"] += 1

    def look(self) -> None:
        """Everything anybody can find, again and again."""
        with self.platform.anonymous() as http:
            while not self.stopped.wait(0.1):
                for query in ({"limit": "60"}, {"limit": "60", "q": "chaos"}, {"limit": "60", "q": "blank"}):
                    try:
                        answer = http.get("/api/search", params=query)
                    except httpx.TransportError:
                        continue
                    if answer.status_code == 200:
                        self.seen |= {result["item_id"] for result in answer.json()["results"]}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Both, side by side, for the length of a block."""
        threads = [threading.Thread(target=work) for work in (self.register, self.look)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()

    def goes_on(self, when: str, more: int = 3) -> None:
        """Wait until some more registrations have been accepted."""
        before = len(self.accepted)
        eventually(lambda: len(self.accepted) >= before + more, f"registrations {when}")

    def was_kept(self) -> None:
        """Everything accepted is decided, as it should be, and nothing else was ever seen."""
        user = self.platform.user(number=1)
        states = {item_id: _final_state(user, item_id) for item_id in self.accepted}
        blanks = {state for item_id, state in states.items() if self.accepted[item_id] == "blank"}
        assert blanks <= {"rejected", "needs_review"}
        good = Counter(state for item_id, state in states.items() if self.accepted[item_id] == "good")
        assert good["published"] >= 0.95 * good.total(), good
        unjudged = self.seen & {item_id for item_id, state in states.items() if state != "published"}
        assert not unjudged
        assert self.seen & set(self.accepted), "the load was never seen at all"


def _final_state(user: User, item_id: str) -> str:
    def look() -> str | None:
        item = user.item(item_id)
        done = item["state"] in FINAL and (item["state"] != "published" or item["searchable_at"])
        return str(item["state"]) if done else None

    return eventually(look, f"a decision about accepted item {item_id}", 90)
