"""Versions in the store: made from a candidate once, found ever after. Calls block."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from petiole.api.tinymodel import TinyModelSpec, Trigger, VariantStatus, VersionStatus
from petiole.artifact.keys import BadKeyError, load_private
from petiole.learning.observed import ModelObserved
from petiole.rollout.observed import Reference

from . import candidate, paths
from .candidate import Candidate, Histogram
from .problem import Problem
from .store import Store


class Versions:
    """Packs versions with one signing key, and reads them back."""

    def __init__(self, store: Store, signing_key: Path, clock: Callable[[], datetime]) -> None:
        self._store, self._signing_key, self._clock = store, signing_key, clock

    def find(self, uid: str, version: int, run: str) -> VersionStatus | None:
        """Return a version if it was made from this run."""
        path = paths.version(uid, version)
        document = self._store.get_json(path)
        if document is None or document.get("run") != run:
            return None
        return self._status(document, path)

    def references(self, path: str) -> dict[str, Reference]:
        """Return the reference histograms of a version by artefact digest."""
        document = self._store.get_json(path)
        if document is None:
            raise Problem(
                f"{self._store.uri}/{path} is not there. Restore it, or publish a newer version."
            )
        where = f"{self._store.uri}/{path}"
        histograms = candidate.read_histograms(document.get("references", {}), where)
        variants = self._status(document, path).variants
        return {
            v.digest: histograms[v.target].reference() for v in variants if v.target in histograms
        }

    def pack(self, observed: ModelObserved, version: int, run: str) -> VersionStatus:
        """Sign the candidate of a run as this version, unless that is done already.

        Packing again after a crash gives the same artefacts; the version's document is written
        last, so whoever finds it finds the artefacts too.
        """
        found = self.find(observed.uid, version, run)
        if found is not None:
            return found
        made = self._candidate(observed.uid, run)
        histograms = candidate.read_histograms(
            self._document(made.reference), f"{self._store.uri}/{made.reference}"
        )
        variants = self._sign(observed.spec, made, version, histograms)
        status = VersionStatus(
            version=version,
            round=observed.status.round.number,
            created_at=candidate.stamp(self._clock()),
            **candidate.figures(made.variants),
            labels=made.labelled,
            trigger=_trigger(observed),
            variants=variants,
            reference_uri=paths.version(observed.uid, version),
        )
        self._write(observed.uid, status, run, histograms)
        return status

    def _status(self, document: dict[str, Any], path: str) -> VersionStatus:
        try:
            return VersionStatus.model_validate(document["version"])
        except (ValidationError, KeyError) as error:
            raise Problem(f"{self._store.uri}/{path} is damaged: {error}. Restore it.") from error

    def _write(
        self, uid: str, status: VersionStatus, run: str, histograms: dict[str, Histogram]
    ) -> None:
        self._store.put_json(
            paths.version(uid, status.version),
            {
                "run": run,
                "version": status.model_dump(mode="json", by_alias=True),
                "references": {
                    target: histogram.model_dump(mode="json", by_alias=True)
                    for target, histogram in histograms.items()
                },
            },
        )

    def _sign(
        self,
        spec: TinyModelSpec,
        made: Candidate,
        version: int,
        histograms: dict[str, Histogram],
    ) -> tuple[VariantStatus, ...]:
        key = self._key()
        described = []
        for target in spec.targets:
            variant = made.variant(target.name)
            if target.name not in histograms:
                raise Problem(f"{made.reference} has no reference histogram for {target.name}.")
            artefact = candidate.sign_variant(
                spec,
                target,
                variant,
                version=version,
                model=self._bytes(variant.model),
                golden=self._bytes(variant.golden),
                histogram=histograms[target.name],
                key=key,
            )
            self._keep(artefact)
            described.append(candidate.describe(target, variant, artefact))
        return tuple(described)

    def _keep(self, artefact: bytes) -> None:
        path = paths.artefact(hashlib.sha256(artefact).hexdigest())
        if self._store.get(path) != artefact:  # a cut one is replaced
            self._store.put(path, artefact)

    def _candidate(self, uid: str, run: str) -> Candidate:
        path = paths.candidate(uid, run)
        return candidate.read_candidate(self._document(path), f"{self._store.uri}/{path}")

    def _key(self) -> Ed25519PrivateKey:
        try:
            return load_private(self._signing_key.read_bytes())
        except OSError as error:
            raise Problem(
                f"The signing key {self._signing_key} cannot be read: {error.strerror}. "
                "Mount it there or correct --signing-key."
            ) from error
        except BadKeyError as error:
            raise Problem(f"The signing key {self._signing_key} is of no use: {error}.") from error

    def _document(self, path: str) -> dict[str, Any]:
        found = self._store.get_json(path)
        if found is None:
            raise Problem(self._lost(path))
        return found

    def _bytes(self, path: str) -> bytes:
        found = self._store.get(path)
        if found is None:
            raise Problem(self._lost(path))
        return found

    def _lost(self, path: str) -> str:
        return (
            f"The run succeeded, but {self._store.uri}/{path} is not there. "
            "Do pipeline and operator use the same store?"
        )


def _trigger(observed: ModelObserved) -> Trigger:
    return observed.status.round.trigger or "Initial"
