"""Signs tokens: who somebody is and what they may do, for one working day."""

import time
from collections.abc import Callable
from typing import Any

import jwt

from services.chassis.auth import AUDIENCE, ISSUER
from services.chassis.ids import new_id
from services.identity.jwk import private_key, public_jwk
from services.identity.users import User

VALID_SECONDS = 8 * 60 * 60


class TokenSigner:
    """Holds the private key; nobody else does."""

    def __init__(self, pem: str, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = private_key(pem), clock
        self._public = public_jwk(self._key)

    def token(self, user: User) -> str:
        """A token for that user (ES256)."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": str(user.id), "name": user.name, "roles": user.roles,
            "iat": now, "exp": now + VALID_SECONDS, "jti": str(new_id()),
        }  # fmt: skip
        claims |= {"simulated": True} if user.simulated else {}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._public["kid"]})

    def jwks(self) -> dict[str, Any]:
        """The keys that tokens are checked with."""
        return {"keys": [self._public]}
