"""The object store as the steps see it: bytes by path below one URI, ``file://`` or ``s3://``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import ObjectStore, from_url

from .errors import StepError


class Store:
    """A folder of objects. Every failure is a StepError that names the object and the remedy."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        try:
            self._store: ObjectStore = from_url(uri, **_options(uri))
        except (BaseError, ValueError, OSError) as error:
            raise StepError("StoreUnavailable", f"cannot open {uri}: {error}") from error

    def get(self, path: str) -> bytes | None:
        """Return the object, or None when there is none of that name."""
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise StepError(
                "StoreUnavailable", f"cannot read {path} in {self.uri}: {error}"
            ) from error

    def put(self, path: str, content: bytes) -> None:
        """Write the object whole."""
        try:
            obstore.put(self._store, path, content)
        except (BaseError, OSError) as error:
            raise StepError(
                "StoreUnavailable",
                f"cannot write {path} to {self.uri} (full or read-only?): {error}",
            ) from error

    def put_json(self, path: str, content: object) -> None:
        self.put(path, json.dumps(content, indent=1).encode())

    def create_json(self, path: str, content: object) -> None:
        """Write the object unless there is one of that path."""
        try:
            text = json.dumps(content, indent=1).encode()
            obstore.put(self._store, path, text, mode="create")
        except (AlreadyExistsError, FileExistsError):
            return
        except (BaseError, OSError) as error:
            raise StepError(
                "StoreUnavailable", f"cannot write {path} to {self.uri}: {error}"
            ) from error

    def names(self, prefix: str, suffix: str) -> list[str]:
        """Return the paths below ``prefix`` that end with ``suffix``, oldest object first."""
        try:
            pages = obstore.list(self._store, prefix=prefix.strip("/") + "/")
            found = [(entry["last_modified"], entry["path"]) for page in pages for entry in page]
        except (NotFoundError, FileNotFoundError):
            return []
        except (BaseError, OSError) as error:
            raise StepError(
                "StoreUnavailable", f"cannot list {prefix} in {self.uri}: {error}"
            ) from error
        return [path for _, path in sorted(found) if path.endswith(suffix)]


def _options(uri: str) -> dict[str, Any]:
    """Local stores write through a folder that must exist; obstore makes only the ones below."""
    if urlparse(uri).scheme != "file":
        return {}
    return {"mkdir": Path(unquote(urlparse(uri).path)).parent.is_dir()}
