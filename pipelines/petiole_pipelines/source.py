"""Where a data set lies: a folder, a volume claim or S3. Read only; what was read is recorded.

Credentials come from the environment, never in a parameter: the keys of the Secret that
``spec.data.credentials`` names, each behind ``PETIOLE_DATA_``. Without them those of the process.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from petiole.learning.runs import CLAIMS_MOUNT, CREDENTIAL_KEYS, CREDENTIAL_PREFIX

from .errors import StepError

CLAIMS = "PETIOLE_CLAIMS"  # the folder below which volume claims are mounted by name

_PATIENCE = timedelta(seconds=30)  # with a server that does not answer
_LONGEST = timedelta(minutes=10)  # for one object
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ANSWER = re.compile(r"<Code>(?P<code>.*?)</Code>\s*<Message>(?P<message>.*?)</Message>")
_CAUSE = 300  # characters of a server's answer that a message repeats


class Source:
    """The objects below one URI. Every failure is a StepError that names place and remedy."""

    def __init__(self, uri: str, what: str, environment: Mapping[str, str] = os.environ) -> None:
        """Open a URI for reading. ``what`` is the field of ``spec.data`` to blame."""
        self.uri, self._what = uri, what
        given = {key: environment.get(CREDENTIAL_PREFIX + key) for key in CREDENTIAL_KEYS}
        self._given = {key: value for key, value in given.items() if value}
        self._read: dict[str, str] = {}
        self._store = self._open(environment)

    def get(self, path: str) -> bytes | None:
        """Return an object, or None when there is none of that name."""
        try:
            content = bytes(obstore.get(self._store, path).bytes())
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise self._unavailable(f"cannot read {path} in {self.uri}", error) from error
        self._read[path] = hashlib.sha256(content).hexdigest()
        return content

    def names(self) -> list[str]:
        """Return the paths of all objects in order; asked for in pages, as many as there are."""
        try:
            pages = obstore.list(self._store)
            return sorted(entry["path"] for page in pages for entry in page)
        except (NotFoundError, FileNotFoundError):
            return []
        except (BaseError, OSError) as error:
            raise self._unavailable(f"cannot list {self.uri}", error) from error

    def digest(self) -> str:
        """SHA-256 of what ``sha256sum`` would print for all that was read, in order of paths."""
        lines = (f"{sha}  {path}\n" for path, sha in sorted(self._read.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def missing(self, said: str) -> StepError:
        """Return the error of data that are not there."""
        return StepError(
            "DataMissing", f"{said}: put it there or correct spec.data.{self._what}.uri"
        )

    def _open(self, environment: Mapping[str, str]) -> ObjectStore:
        scheme = urlsplit(self.uri).scheme
        if scheme in ("file", "pvc"):
            return LocalStore(self._folder(environment))
        if scheme != "s3":
            raise StepError(
                "DataInvalid",
                f"spec.data.{self._what}.uri is {self.uri}: use file://, pvc://CLAIM/PATH or "
                "s3://BUCKET/PREFIX",
            )
        try:
            return from_url(self.uri, **_s3(self._given))
        except (BaseError, ValueError) as error:
            raise self._unavailable(f"cannot open {self.uri}", error) from error

    def _folder(self, environment: Mapping[str, str]) -> Path:
        parts = urlsplit(self.uri)
        if parts.scheme == "file":
            folder = Path(unquote(parts.path))
        else:
            folder = self._claim(Path(environment.get(CLAIMS) or CLAIMS_MOUNT))
        if not folder.is_dir():
            raise self.missing(f"the {self._what} set is missing: there is no folder {self.uri}")
        return folder

    def _claim(self, mounts: Path) -> Path:
        parts = urlsplit(self.uri)
        claim, path = parts.netloc, unquote(parts.path).strip("/")
        if not _CLAIM.fullmatch(claim) or ".." in path.split("/"):
            raise StepError(
                "DataInvalid",
                f"spec.data.{self._what}.uri is {self.uri}: write pvc://CLAIM/PATH, without '..'",
            )
        if not (mounts / claim).is_dir():
            raise StepError(
                "DataMissing",
                f"the volume claim {claim} of spec.data.{self._what}.uri is not mounted at "
                f"{mounts / claim}. A run on the operator's own machine cannot mount claims: mount "
                f"it there (the folder of all claims is {CLAIMS}), run pipelines in the cluster, "
                "or use file:// or s3://",
            )
        return mounts / claim / path

    def _unavailable(self, what: str, error: Exception) -> StepError:
        """Say what the server said, without the secrets that it may repeat."""
        said = " ".join(str(error).split("Debug source:")[0].split())
        if answer := _ANSWER.search(said):
            said = f"{answer['code']}: {answer['message']}"
        for key in _SECRET:
            said = said.replace(self._given.get(key) or "\0", "***")
        remedy = (
            "correct the URI, or the Secret that spec.data.credentials names"
            if urlsplit(self.uri).scheme == "s3"
            else "give read access there"
        )
        return StepError("DataUnavailable", f"{what}: {said[:_CAUSE]}; {remedy}")


def _s3(given: Mapping[str, str]) -> dict[str, Any]:
    endpoint = given.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL", "")
    return {
        "config": {key.lower(): value for key, value in given.items()},
        "client_options": {
            "connect_timeout": _PATIENCE,
            "timeout": _LONGEST,
            "allow_http": endpoint.startswith("http://"),
        },
        "retry_config": {"max_retries": 4, "retry_timeout": _PATIENCE},
    }
