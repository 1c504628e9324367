"""Who people are: sign-up, sign-in, tokens, roles."""

from pathlib import Path

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.identity.demo import DemoAccounts
from services.identity.guessing import FailedSignIns
from services.identity.passwords import Passwords
from services.identity.routes import routes
from services.identity.sign_in import SignIn
from services.identity.tokens import TokenSigner
from services.identity.users import Users


class IdentitySettings(Settings):
    """What identity alone is given."""

    signing_key_file: Path = Field(description="Private key (PEM, P-256) that tokens are signed with.")
    accounts_file: Path | None = Field(None, description="Accounts that are there from the start, as JSON.")


def build(backends: Backends) -> Service:
    """The service."""
    settings = IdentitySettings()
    service = Service("identity", backends, summary="Sign-up, sign-in, tokens")
    users, failures, passwords = Users(backends.database), FailedSignIns(backends.database), Passwords()
    signer = TokenSigner(settings.signing_key_file.read_text())
    service.app.include_router(routes(users, passwords, SignIn(users, passwords, failures), signer))
    service.every(600)(failures.forget_old)

    if settings.accounts_file:
        demo = DemoAccounts(settings.accounts_file, users, passwords)
        service.background(demo.run)
        service.ready_checks["accounts"] = demo.ready
    return service
