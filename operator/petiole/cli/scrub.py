"""Takes secrets out of objects, logs and answers before they leave the house.

Nothing here knows which values are secret. What may hold one is removed whole (a Pod's environment
and arguments, annotations that repeat an object), and what looks like one is removed from any text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

GONE = "<removed>"
_SHORTEST = 4  # characters of a value that is looked for: a shorter one is in every other word

_WHOLE = frozenset({"env", "args", "command", "managedFields"})  # keys whose value may hold secrets
_REPEATS = "last-applied-configuration"  # an annotation that ends so holds a copy of the object
_WORDS = (
    r"token|password|passwd|secret|signature|credential|access[_-]?key|api[_-]?key|private[_-]?key"
)
# A name, from its beginning on, and that a value follows.
_GIVEN = rf"(?<![\w-])[\w-]*(?:{_WORDS})[\w-]*(?:\\*[\"'])?\s*[=:]\s*"
_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", GONE),
        (r"(://)[^\s\"'<>]+@", rf"\1{GONE}@"),
        (r"\b(bearer|basic)\s+[\w.~+/=-]+", rf"\1 {GONE}"),
        (r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", GONE),  # a JSON web token
        (rf"(--[\w-]*(?:{_WORDS})[\w-]*\s+)\S+", rf"\1{GONE}"),
        (r"(\bauthorization[\"']?\s*[=:]\s*[\"']?\w+\s+)[^\s\"',]+", rf"\1{GONE}"),
        # In quotes a value may have blanks; text within text has its quotes behind backslashes.
        (rf"({_GIVEN}(\\*[\"']))(?:(?!\2)(?:\\.|[^\n\\]))+", rf"\1{GONE}"),
        (rf"({_GIVEN})(?!\\)[^\s\"'&,;}}]+", rf"\1{GONE}"),
    )
)
_NAMED = re.compile(rf"(?:{_WORDS})s?$", re.IGNORECASE)  # a key that says what its value is


def clean(value: Any, known: Collection[str] = ()) -> Any:  # noqa: ANN401 - JSON
    """Return JSON without what may be secret. ``known``: values that must not be left anywhere."""
    if isinstance(value, str):
        return clean_text(value, known)
    if isinstance(value, list):
        return [clean(each, known) for each in value]
    if isinstance(value, Mapping):
        return {key: _member(str(key), member, known) for key, member in value.items()}
    return value


def clean_text(text: str, known: Collection[str] = ()) -> str:
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, GONE)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _member(key: str, value: Any, known: Collection[str]) -> Any:  # noqa: ANN401 - JSON
    if key in _WHOLE or key.endswith(_REPEATS):
        return _names(value) if key == "env" else GONE
    if isinstance(value, str) and _NAMED.search(key):
        return GONE
    return clean(value, known)


def _names(env: Any) -> Any:  # noqa: ANN401 - JSON
    """Keep which variables a container has, and from where, not what is in them."""
    if not isinstance(env, list):
        return GONE
    return [{k: GONE if k == "value" else v for k, v in each.items()} for each in env]
