"""Signed deliveries, as Standard Webhooks 1.0 has them: HMAC-SHA256 of id, time and body.

https://www.standardwebhooks.com; the same headers go out and are asked of what comes in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)  # what is older may be a replay
_PREFIX = "whsec_"
_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class SignatureError(ValueError):
    """A delivery is not signed as it must be; the text says what is wrong with it."""


def headers(secret: str, identity: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that prove ``body`` to whoever shares ``secret``."""
    at = str(int(now.timestamp()))
    return {_ID: identity, _TIME: at, _SIGNATURE: _signed(secret, identity, at, body)}


def verify(secret: str, given: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise SignatureError unless one of the signatures is right and the delivery is recent."""
    found = {name.lower(): value for name, value in given.items()}
    missing = [name for name in (_ID, _TIME, _SIGNATURE) if not found.get(name)]
    if missing:
        raise SignatureError(f"the header {missing[0]} is missing")
    try:
        at = int(found[_TIME])
    except ValueError:
        raise SignatureError(f"{_TIME} is no count of seconds") from None
    if abs(now.timestamp() - at) > TOLERANCE.total_seconds():
        raise SignatureError(f"{_TIME} is more than {TOLERANCE} off")
    right = _signed(secret, found[_ID], found[_TIME], body)
    # A sender that changes its secret signs with both for a while.
    if not any(
        hmac.compare_digest(right.encode(), one.encode()) for one in found[_SIGNATURE].split()
    ):
        raise SignatureError("the signature is not that of this body with the shared secret")


def _signed(secret: str, identity: str, at: str, body: bytes) -> str:
    text = f"{identity}.{at}.".encode() + body
    digest = hmac.new(_key(secret), text, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise SignatureError(f"what follows {_PREFIX} in the secret is not base64") from None
