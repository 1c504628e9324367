"""Who asks, as far as a request's headers tell: what patterns choose by and the prediction log keeps."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from services.chassis.auth import TokenVerifier
from services.chassis.errors import NotSignedIn
from services.chassis.http import usable
from services.prediction import OVER_LIMIT, OVERLOADED, Context

Headers = Mapping[bytes, bytes]
ABOUT = frozenset(("authorization", "accept-language", "x-client", "x-over-limit", "x-request-id"))
"""The headers that are looked at."""

KNOWN_SECONDS = 60.0
MOST_KNOWN = 10_000
LONGEST = 64
OURS = {OVER_LIMIT, OVERLOADED}
"""Parameters by which the platform talks to itself; a caller's are not passed on."""


class Askers:
    """Reads headers. Checking a token takes longer than predicting: one that was checked is known for a minute."""

    def __init__(self, verifier: TokenVerifier | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._verifier, self._clock = verifier, clock
        self._known: dict[bytes, tuple[float, str, bool]] = {}

    def context(self, headers: Headers, request_id: str) -> Context:
        """Who asks. A token that is not valid names nobody: the edge refuses those, and inside none is needed."""
        token, language, client = map(headers.get, (b"authorization", b"accept-language", b"x-client"))
        subject, simulated = self._subject(token) if token else ("", False)
        return Context(
            request_id,
            subject,
            _text(language.partition(b",")[0].partition(b";")[0]) if language else "",
            _text(client) if client else "",
            simulated,
        )

    def _subject(self, authorization: bytes) -> tuple[str, bool]:
        known = self._known.get(authorization)
        if known is None or known[0] < self._clock():
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[authorization] = (self._clock() + KNOWN_SECONDS, *self._checked(authorization))
        return known[1], known[2]

    def _checked(self, authorization: bytes) -> tuple[str, bool]:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if self._verifier is None or scheme.lower() != "bearer":
            return "", False
        try:
            caller = self._verifier.caller(token)
        except NotSignedIn:
            return "", False
        return str(caller.id), caller.simulated


def asked_by(headers: Headers) -> str | None:
    """The request id that came with a request, if it may be passed on."""
    given = headers.get(b"x-request-id")
    return usable(given.decode("latin-1")) if given else None


def parameters(headers: Headers, given: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The caller's parameters, and whether the edge says that this request is one too many."""
    passed = {name: value for name, value in given.items() if name not in OURS} if given else {}
    return passed | {OVER_LIMIT: True} if headers.get(b"x-over-limit") else passed


def _text(value: bytes) -> str:
    return value[:LONGEST].decode("latin-1").strip()
