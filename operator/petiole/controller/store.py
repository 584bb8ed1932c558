"""The object store: whole objects by path below one URI. Calls block; make them in a thread."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from .problem import Problem

# What the operating system says, as obstore passes it on, and what a person can do about it.
_REMEDIES = {
    "No space left on device": "it is full; free some space there",
    "File too large": "it takes no file of that size; raise the limit (ulimit -f, quota)",
    "Disk quota exceeded": "its quota is used up; free some space there",
    "Permission denied": "access is denied; give the operator read and write access",
    "Read-only file system": "it is read-only; mount it writable",
    "Not a directory": "a part of that path is a file; remove it",
}


class Store:
    """An object store at ``file://``, ``s3://`` or what else obstore knows."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        with self._in_words("open", ""):
            self._store: ObjectStore = from_url(self.uri)

    def get(self, path: str) -> bytes | None:
        """Return the object, or None when there is none."""
        with self._in_words("read", path):
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                self._check_folder()
                return None

    def put(self, path: str, data: bytes) -> None:
        """Write the object whole; a reader sees the old one or the new one."""
        with self._in_words("write", path):
            self._check_folder()
            obstore.put(self._store, path, data)

    def remove(self, path: str) -> None:
        """Remove the object, if there is one."""
        with self._in_words("remove", path), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def create_json(self, path: str, document: Mapping[str, Any]) -> bool:
        """Write a JSON object unless there is one of that path; say whether it was written."""
        with self._in_words("write", path):
            self._check_folder()
            try:
                obstore.put(self._store, path, _text(document), mode="create")
            except (AlreadyExistsError, FileExistsError):
                return False
            return True

    def exists(self, path: str) -> bool:
        with self._in_words("look at", path):
            try:
                obstore.head(self._store, path)
            except FileNotFoundError:
                return False
            return True

    def mark(self, path: str) -> str | None:
        """Return what changes whenever the object does; None when there is none."""
        with self._in_words("look at", path):
            try:
                meta = obstore.head(self._store, path)
            except FileNotFoundError:
                self._check_folder()
                return None
            return f"{meta['e_tag']} {meta['size']} {meta['last_modified'].isoformat()}"

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the paths of all objects below a folder."""
        with self._in_words("list", prefix):
            for page in obstore.list(self._store, prefix=prefix):
                for entry in page:
                    yield entry["path"]

    def get_json(self, path: str) -> dict[str, Any] | None:
        """Return a JSON object, or None. Raises Problem when it is not one."""
        data = self.get(path)
        if data is None:
            return None
        try:
            found = json.loads(data)
        except ValueError as error:
            raise Problem(
                f"{self.uri}/{path} is not JSON: {error}. Restore or remove it."
            ) from error
        if not isinstance(found, dict):
            raise Problem(f"{self.uri}/{path} is not a JSON object. Restore or remove it.")
        return found

    def put_json(self, path: str, document: Mapping[str, Any]) -> None:
        self.put(path, _text(document))

    def _check_folder(self) -> None:
        # obstore would answer "no such object", or make the folder anew under a lost mount.
        folder = self._store.prefix if isinstance(self._store, LocalStore) else None
        if folder is not None and not folder.is_dir():
            raise Problem(f"The folder of the store {self.uri} is gone. Mount or make it again.")

    @contextmanager
    def _in_words(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            where = f"{self.uri}/{path}" if path else self.uri
            text = str(error)
            remedy = next((r for said, r in _REMEDIES.items() if said in text), None)
            if remedy is None and "No such file" in text:
                remedy = "it is not there; make that folder or correct the URI"
            raise Problem(
                f"The store cannot {verb} {where}: {remedy or text.splitlines()[0]}."
            ) from error


def _text(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode()
