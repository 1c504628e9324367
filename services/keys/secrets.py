"""How each kind of secret is made."""

import json
import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.identity.jwk import private_key, public_jwk


def password() -> str:
    """A password that only programs type."""
    return secrets.token_urlsafe(32)


def signing_key() -> str:
    """A private key for ES256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwks(signing: str) -> str:
    """The public half of a signing key, as a JSON Web Key Set."""
    return json.dumps({"keys": [public_jwk(private_key(signing))]}, indent=2) + "\n"
