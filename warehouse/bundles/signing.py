"""Who made a snapshot: ed25519 signatures, with keys that the operator gives as PEM files."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from warehouse.bundles.errors import OutputExists, UnusableKey


def make_key_pair(private: Path, public: Path) -> None:
    """Write a new key, readable by its owner only, and what others verify by. Raises OutputExists."""
    key = Ed25519PrivateKey.generate()
    for path, mode, content in (
        (private, 0o600, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        (public, 0o644, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
    ):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise OutputExists(path) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def read_private(path: Path) -> Ed25519PrivateKey:
    """Raises UnusableKey."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey(path, "private", getattr(error, "strerror", None) or "another format") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(path, "private", "a key of another kind")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """Raises UnusableKey."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(path, "public", getattr(error, "strerror", None) or "another format") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnusableKey(path, "public", "a key of another kind")
    return key


def signed_by(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Whether `signature` is the key's, of exactly this content."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
