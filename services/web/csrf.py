"""Forms are ours: each carries a token made from the visitor's own cookie and a key only we have."""

import base64
import hashlib
import hmac
import secrets

from services.chassis.errors import NotAllowed

FIELD = "csrf"
HEADER = "x-csrf-token"


class FormNotOurs(NotAllowed):
    """The form is old, or was not made by this app."""


class Csrf:
    """Signs who is visiting: the session, or an anonymous id."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, visitor: str) -> str:
        """What a form of that visitor carries."""
        digest = hmac.new(self._key, f"csrf:{visitor}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def check(self, visitor: str, given: str | None) -> None:
        """Raises FormNotOurs unless `given` is that visitor's token."""
        if not visitor or not hmac.compare_digest(self.token(visitor).encode(), (given or "").encode()):
            raise FormNotOurs("Load the page again and send the form from there.")


def new_visitor() -> str:
    """An id for somebody who has not signed in."""
    return secrets.token_urlsafe(18)
