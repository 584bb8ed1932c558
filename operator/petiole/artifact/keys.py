"""Ed25519 keys as PEM: the operator's signing key, and the public keys that devices hold."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)


class BadKeyError(ValueError):
    """The bytes are not an Ed25519 key; the text says what to do."""


def new_private_pem() -> bytes:
    """Return a fresh private key: PKCS #8 in PEM, without a password."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_private(pem: bytes) -> Ed25519PrivateKey:
    """Read a signing key. Raises BadKeyError for anything but an unencrypted Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKeyError(
            "it is not an unencrypted private key in PEM; make one with `petiole key new FILE`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyError(
            f"it is a {type(key).__name__.lstrip('_')}, but devices check Ed25519 signatures; "
            "make one with `petiole key new FILE`"
        )
    return key


def load_public(pem: bytes) -> Ed25519PublicKey:
    """Read a public key. Raises BadKeyError for anything but an Ed25519 key."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKeyError(
            "it is not a public key in PEM; print one with `petiole key public FILE`"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKeyError("it is not an Ed25519 key; print one with `petiole key public FILE`")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """SubjectPublicKeyInfo in PEM, as imgtool reads it."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public_der(key: Ed25519PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER; its SHA-256 is the key hash in an artefact."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public_raw(key: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes that a device's identity sector holds."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
