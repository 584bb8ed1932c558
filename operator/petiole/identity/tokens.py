"""One-time tokens: 256 random bits for a device, of which the gateway keeps the SHA-256 only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

NONE = "0" * 64  # the digest of no token that anybody knows


def new_token() -> str:
    """Return a fresh token: 43 characters of URL-safe base64."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 in hex. A token is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(held: str, token: str) -> bool:
    """Whether ``token`` has the digest ``held``; the time it takes does not tell how nearly."""
    return hmac.compare_digest(held, digest(token))
