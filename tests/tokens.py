"""Tokens signed with a key of the tests' own."""

import base64
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis.auth import AUDIENCE, ISSUER
from services.chassis.ids import new_id

KEY = ec.generate_private_key(ec.SECP256R1())


def jwks(key: ec.EllipticCurvePrivateKey, kid: str = "test") -> bytes:
    """The public half as a key set."""
    numbers = key.public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32)).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
    entry = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y}
    return orjson.dumps({"keys": [entry]})


JWKS = jwks(KEY)


def token(
    sub: UUID | None = None,
    name: str = "somebody",
    roles: Iterable[str] = (),
    *,
    expires_in: float = 3600,
    key: ec.EllipticCurvePrivateKey = KEY,
    **claims: Any,
) -> str:
    """A token like identity's."""
    now = int(time.time())
    body = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(sub or new_id()), "name": name, "roles": list(roles),
        "iat": now, "exp": int(now + expires_in), "jti": str(new_id()),
    }  # fmt: skip
    return jwt.encode(body | claims, key, algorithm="ES256", headers={"kid": "test"})
