"""JSON Web Tokens of an operator's own identity provider."""

from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from api.keys import Scope
from warehouse.errors import LakeError

SHORTEST_SECRET: Final = 32
CLAIMS: Final = ("exp", "iss", "aud", "sub")
"""Claims without which a token says too little."""


class UnusableVerificationKey(LakeError):
    """The file holds no key by which tokens could be verified."""


class TokenVerifier:
    """Accepts tokens of one issuer for one audience, signed by the algorithm that the key is for and by no other."""

    def __init__(self, key_file: Path, issuer: str, audience: str) -> None:
        """`key_file` is a public key in PEM, or a secret of 32 bytes at least. Raises UnusableVerificationKey."""
        self._key, self._algorithm = _verification_key(key_file)
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> tuple[str, frozenset[Scope]]:
        """Subject and scopes (`scope`, divided by blanks) of a token. Raises jwt.InvalidTokenError."""
        claims = jwt.decode(
            token,
            self._key,
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            options={"require": list(CLAIMS)},
        )
        known = {scope.value for scope in Scope}
        return str(claims["sub"]), frozenset(
            Scope(word) for word in str(claims.get("scope", "")).split() if word in known
        )


def _verification_key(path: Path) -> tuple[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | bytes, str]:
    try:
        content = path.read_bytes()
        if not content.startswith(b"-----BEGIN"):
            if len(content.strip()) < SHORTEST_SECRET:
                raise UnusableVerificationKey(f"{path}: a secret needs {SHORTEST_SECRET} bytes at least")
            return content.strip(), "HS256"
        key = load_pem_public_key(content)
    except (OSError, ValueError) as error:
        raise UnusableVerificationKey(f"{path}: {error}") from error
    match key:
        case RSAPublicKey():
            return key, "RS256"
        case EllipticCurvePublicKey() if key.curve.name == "secp256r1":
            return key, "ES256"
        case Ed25519PublicKey():
            return key, "EdDSA"
    raise UnusableVerificationKey(f"{path}: use an RSA, P-256 or Ed25519 public key")
