"""Who may look: whoever brings the pages' token, or a cookie that was given for it.

The cookie is the time at which it ends and a keyed digest of that (HMAC, RFC 2104) by the token: it
is good at every replica and after a restart, and a new token ends all cookies.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request

from petiole.gateway.bearer import carries

COOKIE = "petiole"
LIFE = 12 * 3600  # seconds


class Access:
    """Checks against one ``token``, in seconds since 1970."""

    def __init__(self, token: str) -> None:
        self._token = token

    def knows(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._token.encode())

    def admits(self, request: Request, now: float) -> bool:
        """Tell whether a request may see pages."""
        return carries(request, self._token) or self.good(request.cookies.get(COOKIE, ""), now)

    def cookie(self, now: float) -> str:
        """Return a cookie for whoever brought the token."""
        end = str(int(now) + LIFE)
        return f"{end}.{self._digest(end)}"

    def good(self, cookie: str, now: float) -> bool:
        """Tell whether a cookie was given here and has not ended."""
        end, _, digest = cookie.partition(".")
        genuine = secrets.compare_digest(digest.encode(), self._digest(end).encode())
        return genuine and now < int(end)

    def _digest(self, end: str) -> str:
        said = f"petiole pages until {end}".encode()
        return hmac.new(self._token.encode(), said, hashlib.sha256).hexdigest()
