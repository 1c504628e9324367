"""The public half of a signing key, as everybody who checks tokens needs it."""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


class NotASigningKey(ValueError):
    """The signing key must be a private key on the curve P-256."""


def private_key(pem: str) -> EllipticCurvePrivateKey:
    """The key of a PEM file."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise NotASigningKey(NotASigningKey.__doc__)
    return key


def public_jwk(key: EllipticCurvePrivateKey) -> dict[str, Any]:
    """The public key as JWK; its id is its thumbprint (RFC 7638), so the same key always has the same id."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    required = {"crv": "P-256", "kty": "EC", "x": _base64(point[1:33]), "y": _base64(point[33:])}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    thumbprint = _base64(hashlib.sha256(canonical.encode()).digest())
    return required | {"kid": thumbprint, "alg": "ES256", "use": "sig"}


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
