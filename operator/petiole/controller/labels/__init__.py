"""Where labels come from: an oracle's table, a folder, or people in Label Studio."""

from __future__ import annotations

from datetime import UTC, datetime

from petiole.api.tinymodel import TinyModelSpec
from petiole.controller.store import Store

from .source import LabelSource
from .studio import Hook, Studio
from .studio_client import StudioClient
from .tables import Folder, Oracle


def label_source(
    spec: TinyModelSpec, store: Store, token: str = "", hook: Hook | None = None
) -> LabelSource:
    """Return the source that a TinyModel names; ``store`` is the operator's, with its runs."""
    labels, known = spec.learning.labels, spec.task.labels
    assert labels is not None, "the API server has checked that a task with classes names one"
    if labels.label_studio is not None:
        studio = labels.label_studio
        return Studio(
            studio,
            known,
            store,
            connect=lambda: StudioClient(studio.url, token),
            clock=lambda: datetime.now(UTC),
            hook=hook,
        )
    assert labels.uri is not None, "the API server has checked it"
    return (Oracle if labels.source == "Oracle" else Folder)(labels.uri, known)
