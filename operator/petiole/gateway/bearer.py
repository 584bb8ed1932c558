"""Whether a request carries a bearer token (RFC 6750)."""

from __future__ import annotations

import secrets

from fastapi import Request


def carries(request: Request, token: str) -> bool:
    """Tell whether the request's token is this one; how long that takes tells nothing."""
    given = request.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())
