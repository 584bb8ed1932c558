"""Weights from a ``.pth`` file of the legacy PyTorch format, without PyTorch.

Such a file is a row of pickles. A pickle may call anything; this reader knows the few names that
tensors need and refuses all others, and the file's digest is checked before it is opened.
"""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class WeightsError(Exception):
    """The file is not what it should be; the message names it."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of numbers that follows the pickles: its key, type and length."""

    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where a tensor lies in its storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        reach = sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        if min((self.offset, *self.stride)) < 0 or self.offset + reach >= len(values):
            raise ValueError(f"a tensor {self.shape} reaches beyond its storage")
        strides = [step * values.itemsize for step in self.stride]
        return as_strided(values[self.offset :], self.shape, strides).copy()


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


ALLOWED: Mapping[tuple[str, str], Callable[..., Any] | np.dtype[Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"refused {module}.{name}: weights need no such thing")
        return ALLOWED[module, name]

    def persistent_load(self, saved: tuple[str, np.dtype[Any], str, str, int]) -> _Storage:
        _, dtype, key, _, count, *_ = saved
        return _Storage(str(key), np.dtype(dtype), int(count))


def read_weights(path: Path, sha256: str) -> dict[str, NDArray[Any]]:
    """Arrays by name. Raises WeightsError for another digest, a refused name, a damaged file."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise WeightsError(f"{path} has SHA-256 {found}, expected {sha256}")
            file.seek(0)
            return _arrays(file)
    except (pickle.UnpicklingError, OSError, ValueError, TypeError, EOFError, KeyError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error


def _arrays(file: BinaryIO) -> dict[str, NDArray[Any]]:
    magic, protocol = _Reader(file).load(), _Reader(file).load()
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError("it is not of the legacy format")
    _Reader(file).load()  # of the machine that wrote it
    tensors: dict[str, _Tensor] = _Reader(file).load()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    values = {key: _numbers(file, storages[key]) for key in _Reader(file).load()}
    return {name: tensor.cut(values[tensor.storage.key]) for name, tensor in tensors.items()}


def _numbers(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    if count != storage.count:
        raise ValueError(f"storage {storage.key} has {count} numbers, not {storage.count}")
    return np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
