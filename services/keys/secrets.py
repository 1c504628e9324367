"""How each kind of secret is made."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def password() -> str:
    """A password that only programs type."""
    return secrets.token_urlsafe(32)


def signing_key() -> str:
    """A private key for ES256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwks(signing: str) -> str:
    """The public half of a signing key, as a JSON Web Key Set."""
    return json.dumps({"keys": [public_jwk(signing)]}, indent=2) + "\n"


def public_jwk(signing: str) -> dict[str, Any]:
    """The public key as JWK; its id is its thumbprint (RFC 7638), so the same key always has the same id."""
    private = load_pem_private_key(signing.encode(), password=None)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    required = {"crv": "P-256", "kty": "EC", "x": _base64(point[1:33]), "y": _base64(point[33:])}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    thumbprint = _base64(hashlib.sha256(canonical.encode()).digest())
    return required | {"kid": thumbprint, "alg": "ES256", "use": "sig"}


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
