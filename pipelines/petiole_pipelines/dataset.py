"""Samples and labels as the steps read them, checked where they enter."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import cbor2
import numpy as np
from numpy.typing import NDArray

from . import images
from .errors import StepError
from .source import Source
from .store import Store

SAMPLES = "samples.npz"
_NAMED = 20  # unreadable photos that a record names; it counts all
Labels = NDArray[np.int64]  # [n], -1 for "no label"
WHY_RANDOM = 1  # `why` of the wire's sample: picked by chance, not because the device was unsure


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned: label names and the input's shape (height, width, channels)."""

    labels: tuple[str, ...]
    shape: tuple[int, int, int]

    @staticmethod
    def parse(text: str) -> Task:
        """Read the ``task`` of a TinyModel's spec, JSON."""
        task = json.loads(text)
        size = task["input"]
        return Task(tuple(task["labels"]), (size["height"], size["width"], size["channels"]))


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs x uint8 [n,h,w,c] and their ids [n]; the field's come last, oldest first."""

    x: NDArray[np.uint8]
    ids: tuple[str, ...]
    field: NDArray[np.bool_]  # [n]: came up from a device
    chance: NDArray[np.bool_]  # [n]: of those, picked by chance
    device: NDArray[np.str_]  # [n]: who sent it; "" for nobody

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set as it was read: inputs x uint8 [n,h,w,c], ids [n], labels [n] (-1: none)."""

    x: NDArray[np.uint8]
    ids: tuple[str, ...]
    y: Labels
    digest: str  # of all files that were read
    unreadable: tuple[str, ...] = ()  # photos that were left out, and why

    def record(self, uri: str) -> dict[str, Any]:
        """Return what a run's document says about the set."""
        return {
            "uri": uri,
            "digest": self.digest,
            "samples": len(self.ids),
            "unreadable": len(self.unreadable),
            "unreadableNames": self.unreadable[:_NAMED],
        }


def read_set(uri: str, task: Task, what: str) -> DataSet:
    """Read ``samples.npz`` of a data set, or else its photos. ``what``: pool or evaluation."""
    source = Source(uri, what)
    content = source.get(SAMPLES)
    if content is None:
        photos = images.read(source, task.labels, task.shape, what)
        y = _numbers(photos.labels, task, f"the {what} set at {uri}")
        return DataSet(photos.x, photos.ids, y, source.digest(), photos.unreadable)
    x, ids, names = _arrays(content, f"the {what} set at {uri}")
    _check(x, ids, task, f"the {what} set at {uri}")
    return DataSet(x, ids, _numbers(names, task, f"the {what} set at {uri}"), source.digest())


def _arrays(
    content: bytes, where: str
) -> tuple[NDArray[np.uint8], tuple[str, ...], tuple[str, ...]]:
    """Return inputs, ids and label names ("": none) of an npz file."""
    try:
        arrays = np.load(io.BytesIO(content), allow_pickle=False)
        x, ids = arrays["x"], tuple(str(name) for name in arrays["id"])
        y = arrays.get("y")
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise StepError(
            "DataInvalid", f"{SAMPLES} of {where} is not an npz file with 'x' and 'id': {error}"
        ) from error
    return x, ids, ("",) * len(ids) if y is None else tuple(str(label) for label in y)


def read_evaluation(uri: str, task: Task) -> DataSet:
    """Read the frozen evaluation set; every sample has a label."""
    found = read_set(uri, task, "evaluation")
    if (found.y < 0).any():
        raise StepError(
            "DataInvalid",
            f"{int((found.y < 0).sum())} samples of the evaluation set have no label: give 'y' in "
            f"{SAMPLES}, or put each photo into the folder of its class",
        )
    return found


def _check(x: NDArray[np.uint8], ids: Sequence[str], task: Task, where: str) -> None:
    if x.dtype != np.uint8 or x.shape[1:] != task.shape:
        raise StepError(
            "DataInvalid",
            f"{where} holds {x.dtype} {x.shape[1:]}; spec.task.input says uint8 {task.shape}",
        )
    if len(x) != len(ids) or len(set(ids)) != len(ids) or not len(ids):
        raise StepError(
            "DataInvalid", f"{where} has {len(x)} inputs and {len(set(ids))} different ids"
        )


def _numbers(names: Sequence[str], task: Task, where: str) -> Labels:
    known = {name: number for number, name in enumerate(task.labels)} | {"": -1}
    strange = sorted(set(names) - set(known))
    if strange:
        raise StepError(
            "DataInvalid", f"{where} has labels that spec.task.labels lacks: {strange[:5]}"
        )
    return np.array([known[name] for name in names], dtype=np.int64)


def read_labels(store: Store, path: str) -> dict[str, str]:
    """All answers so far, ``{id: label}``; none before the first answer."""
    content = store.get(path)
    return {} if content is None else dict(json.loads(content))


def read_pool(pool: DataSet, store: Store, samples_path: str, task: Task) -> Samples:
    """Join the pool with the samples that came up from the field; ids stay unique."""
    x, ids = pool.x, pool.ids
    known = set(ids)
    found: dict[str, FieldSample] = {}
    paths = store.names(samples_path, ".cbor") if samples_path else []
    for path in paths:
        name = PurePosixPath(path).stem
        sample = _field_sample(store.get(path), task)
        if sample is not None and name not in known:
            found[name] = sample
    sent = list(found.values())
    field = np.array([s.x for s in sent], dtype=np.uint8).reshape(-1, *task.shape)
    return Samples(
        x=np.concatenate([x, field]),
        ids=ids + tuple(found),
        field=np.arange(len(x) + len(field)) >= len(x),
        chance=np.array([False] * len(x) + [s.chance for s in sent], dtype=np.bool_),
        device=np.array([""] * len(x) + [s.device for s in sent], dtype=np.str_),
    )


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One input [h,w,c], whether it was picked by chance, and the device that sent it."""

    x: NDArray[np.uint8]
    chance: bool
    device: str


def _field_sample(content: bytes | None, task: Task) -> FieldSample | None:
    """Read a ``sample`` message as the gateway keeps it; None when it does not fit the task."""
    try:
        message = cbor2.loads(content or b"")
        x = np.frombuffer(message[2], dtype=np.uint8).reshape(task.shape)
        return FieldSample(x, message[6] == WHY_RANDOM, str(message.get("device", "")))
    except (cbor2.CBORDecodeError, KeyError, TypeError, ValueError):
        return None


def numbered(samples: Samples, answers: Mapping[str, str], task: Task) -> Labels:
    """Label numbers [n] of the samples, -1 where nobody has answered yet."""
    names = [answers.get(name, "") for name in samples.ids]
    return _numbers(names, task, "the label source's answers")
