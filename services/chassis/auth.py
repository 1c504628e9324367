"""Who is calling: the token is checked at the edge and here again.

Dependencies are `async`, though they wait for nothing: FastAPI runs plain functions in another thread, which takes
longer than they do.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import jwt
import orjson
from fastapi import Depends, Request

from services.chassis.errors import NotAllowed, NotSignedIn

ISSUER = "identity"
AUDIENCE = "platform"


@dataclass(frozen=True)
class Caller:
    """The user behind a request."""

    id: UUID
    name: str
    roles: frozenset[str]
    token: str
    simulated: bool = False
    """Whether a program pretends to be this user: nothing is learned from it as if it were one."""

    def may(self, role: str) -> bool:
        """Whether the caller has that role."""
        return role in self.roles


class TokenVerifier:
    """Checks tokens against a set of public keys (JWKS)."""

    def __init__(self, jwks: bytes) -> None:
        self._keys = {key["kid"]: jwt.PyJWK(key, algorithm="ES256").key for key in orjson.loads(jwks)["keys"]}

    def caller(self, token: str) -> Caller:
        """The caller a token names; raises NotSignedIn with the reason."""
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid", "")]
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "iat"]},
            )
            return Caller(
                UUID(claims["sub"]),
                claims.get("name", ""),
                frozenset(claims.get("roles", [])),
                token,
                claims.get("simulated") is True,
            )
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise NotSignedIn(f"The token is not valid: {error}") from error


async def anybody(request: Request) -> Caller | None:
    """The caller if there is a token; a wrong token is refused, none is fine."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not token:
        return None
    if scheme.lower() != "bearer":
        raise NotSignedIn("Use the scheme Bearer.")
    verifier: TokenVerifier = request.app.state.verifier
    return verifier.caller(token)


async def signed_in(caller: Annotated[Caller | None, Depends(anybody)]) -> Caller:
    """The caller; raises NotSignedIn without a token."""
    if caller is None:
        raise NotSignedIn()
    return caller


async def moderator(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """A caller with the role moderator (operators have it too)."""
    return _with_role(caller, "moderator", "operator")


async def operator(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """A caller with the role operator."""
    return _with_role(caller, "operator")


def _with_role(caller: Caller, *roles: str) -> Caller:
    if not caller.roles & set(roles):
        raise NotAllowed(f"This needs the role {' or '.join(roles)}.")
    return caller


Anybody = Annotated[Caller | None, Depends(anybody)]
SignedIn = Annotated[Caller, Depends(signed_in)]
Moderator = Annotated[Caller, Depends(moderator)]
Operator = Annotated[Caller, Depends(operator)]
