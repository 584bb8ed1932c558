"""Templates, and the files that browsers fetch beside them. Every value is escaped."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from petiole.view import device, fleet, model, sites, words

from . import scene

PREFIX = "/web"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
        " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PACKAGE = "petiole.gateway.web"
_DAY = 86_400  # seconds
_KINDS = {"style.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_ASSETS = {name: (resources.files(_PACKAGE) / "static" / name).read_bytes() for name in _KINDS}


def asset(name: str) -> Response | None:
    """Return a file by name; its address changes with what it says, so it may be kept."""
    if name not in _ASSETS:
        return None
    keep = {"Cache-Control": f"public, max-age={_DAY}"}
    return Response(_ASSETS[name], media_type=_KINDS[name], headers=HEADERS | keep)


def page(name: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - of any template
    """Draw a template. Nothing may keep it: it is of this moment, for who may look."""
    text = _templates.get_template(name).render(values)
    return Response(text, status, HEADERS | {"Cache-Control": "no-store"}, "text/html")


def _address(name: str) -> str:
    return f"{PREFIX}/static/{name}?{hashlib.sha256(_ASSETS[name]).hexdigest()[:8]}"


_templates = Environment(
    loader=PackageLoader(_PACKAGE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals |= {
    "prefix": PREFIX,
    "asset": _address,
    "view": {"device": device, "fleet": fleet, "model": model, "sites": sites, "words": words},
    "scene": scene,
}
