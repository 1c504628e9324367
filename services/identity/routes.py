"""The HTTP face of identity."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field, StringConstraints

from services.chassis.auth import Operator, SignedIn
from services.chassis.errors import Conflict, NotFound, NotSignedIn, Problem
from services.identity.names import RULE, Name
from services.identity.passwords import LONGEST, Passwords
from services.identity.sign_in import SignIn
from services.identity.tokens import VALID_SECONDS, TokenSigner
from services.identity.users import NameTaken, Role, User, Users

PasswordText = Annotated[str, StringConstraints(min_length=8, max_length=LONGEST)]
Typed = Annotated[str, Form(max_length=1000)]


class SignUp(BaseModel):
    """A new account."""

    name: Name = Field(description=RULE)
    password: PasswordText
    simulated: bool = Field(
        False, description="A program that plays a user: whatever it causes is marked as such. It stays one for good."
    )


class Account(BaseModel):
    """What its owner sees of an account."""

    id: UUID
    name: str
    roles: list[Role]
    simulated: bool


class PublicName(BaseModel):
    """What everybody sees of an account."""

    id: UUID
    name: str


class Roles(BaseModel):
    """What somebody may do; everybody is a user."""

    roles: set[Role]


class Token(BaseModel):
    """The answer of OAuth 2."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = VALID_SECONDS


class UnknownGrant(Problem):
    """Only the grant type `password` is served."""

    members = {"error": "unsupported_grant_type"}  # noqa: RUF012


class OwnRoles(Conflict):
    """Nobody changes their own roles: somebody else must stay who can."""


def routes(users: Users, passwords: Passwords, sign_in: SignIn, signer: TokenSigner) -> APIRouter:
    """Everything below /api/identity."""
    router = APIRouter(prefix="/api/identity", tags=["identity"])

    @router.post("/users", status_code=201, summary="Sign up")
    async def sign_up(body: SignUp) -> Account:
        if await users.named(body.name):
            raise NameTaken
        hashed = await passwords.hashed(body.password)
        return _account(await users.add(body.name, hashed, ["user"], simulated=body.simulated))

    @router.post("/token", summary="Sign in (OAuth 2, password form)")
    async def token(response: Response, username: Typed, password: Typed, grant_type: Typed = "password") -> Token:
        if grant_type != "password":
            raise UnknownGrant
        response.headers["Cache-Control"] = "no-store"
        return Token(access_token=signer.token(await sign_in.user(username, password)))

    @router.get("/me", summary="Who I am")
    async def me(caller: SignedIn) -> Account:
        user = await users.with_id(caller.id)
        if user is None:
            raise NotSignedIn("The token's user has no account any more.")
        return _account(user)

    @router.get("/jwks", summary="The keys that tokens are checked with")
    async def jwks(response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "public, max-age=300"
        return signer.jwks()

    @router.get("/users/{user_id}", summary="Somebody's public name")
    async def public_name(user_id: UUID) -> PublicName:
        user = _known(await users.with_id(user_id))
        return PublicName(id=user.id, name=user.name)

    @router.put("/users/{user_id}/roles", summary="Change what somebody may do (operator)")
    async def change_roles(user_id: UUID, body: Roles, caller: Operator) -> Account:
        if user_id == caller.id:
            raise OwnRoles
        return _account(_known(await users.set_roles(user_id, sorted({*body.roles, "user"}))))

    return router


def _account(user: User) -> Account:
    return Account.model_validate(user, from_attributes=True)


def _known(user: User | None) -> User:
    if user is None:
        raise NotFound
    return user
