"""Strict reading of the CBOR maps of ``messages.cddl``, field by field."""

from __future__ import annotations

import io
from collections.abc import Iterable
from enum import IntEnum
from typing import Self, TypeVar

import cbor2

MAX_MESSAGE = 8192  # bytes; the largest sample is about half of that
DIGEST_BYTES = 32

E = TypeVar("E", bound=IntEnum)


class WireError(ValueError):
    """A message that the protocol does not allow; the text names the field and what is wrong."""


def load(what: str, payload: bytes) -> object:
    """Return the one CBOR item of ``payload``; WireError when it is none, or not alone."""
    if len(payload) > MAX_MESSAGE:
        raise WireError(f"{what}: {len(payload)} bytes, at most {MAX_MESSAGE} are allowed")
    stream = io.BytesIO(payload)
    try:
        item: object = cbor2.load(stream)
    except (cbor2.CBORDecodeError, RecursionError, TypeError) as error:
        raise WireError(f"{what}: not CBOR: {error}") from error
    if stream.read(1):
        raise WireError(f"{what}: bytes follow the message")
    return item


def present(fields: Iterable[tuple[int, object]]) -> dict[int, object]:
    """Return a map in the order of the CDDL (the C decoder relies on it), without what is None."""
    return {key: value for key, value in fields if value is not None}


def dump_map(fields: Iterable[tuple[int, object]]) -> bytes:
    return cbor2.dumps(present(fields))


def raw(digest: str | None) -> bytes | None:
    """Return a digest as the wire has it."""
    return None if digest is None else bytes.fromhex(digest)


def integer(what: str, value: object, bits: int) -> int:
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise WireError(f"{what}: {_shown(value)} is not an unsigned integer of {bits} bits")
    return value


def octets(what: str, value: object, least: int, most: int) -> bytes:
    if not isinstance(value, bytes) or not least <= len(value) <= most:
        raise WireError(f"{what}: {_shown(value)} is not a byte string of {least} to {most} bytes")
    return value


def items(what: str, value: object, least: int, most: int) -> list[object]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise WireError(f"{what}: {_shown(value)} is not an array of {least} to {most} items")
    return value


class Reader:
    """Takes the fields of one map; what is missing, wrong or left over raises WireError.

    With ``with``: what nobody took by its end is left over.
    """

    def __init__(self, what: str, item: object) -> None:
        if not isinstance(item, dict):
            raise WireError(f"{what}: {_shown(item)} is not a map")
        self._what = what
        self._rest: dict[object, object] = dict(item)

    def _take(self, key: int, name: str) -> tuple[str, object]:
        label = f"{self._what}.{name}"
        if key not in self._rest:
            raise WireError(f"{label}: missing (key {key})")
        return label, self._rest.pop(key)

    def has(self, key: int) -> bool:
        return key in self._rest

    def any(self, key: int, name: str) -> object:
        return self._take(key, name)[1]

    def uint(self, key: int, name: str, bits: int = 32) -> int:
        label, value = self._take(key, name)
        return integer(label, value, bits)

    def word(self, key: int, name: str, words: type[E]) -> E:
        label, value = self._take(key, name)
        try:
            return words(integer(label, value, 8))
        except ValueError as error:
            raise WireError(f"{label}: {_shown(value)} is unknown") from error

    def flag(self, key: int, name: str) -> bool:
        label, value = self._take(key, name)
        if not isinstance(value, bool):
            raise WireError(f"{label}: {_shown(value)} is neither true nor false")
        return value

    def digest(self, key: int, name: str) -> str:
        label, value = self._take(key, name)
        return octets(label, value, DIGEST_BYTES, DIGEST_BYTES).hex()

    def digest_or_none(self, key: int, name: str) -> str | None:
        return self.digest(key, name) if self.has(key) else None

    def octets(self, key: int, name: str, least: int, most: int) -> bytes:
        label, value = self._take(key, name)
        return octets(label, value, least, most)

    def text(self, key: int, name: str, most: int) -> str:
        label, value = self._take(key, name)
        if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
            raise WireError(f"{label}: {_shown(value)} is not a text of 1 to {most} bytes")
        return value

    def tallies(self, key: int, name: str, least: int, most: int) -> tuple[int, ...]:
        label, value = self._take(key, name)
        return tuple(integer(label, n, 32) for n in items(label, value, least, most))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._rest:
            raise WireError(f"{self._what}: unknown key {_shown(next(iter(self._rest)))}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
