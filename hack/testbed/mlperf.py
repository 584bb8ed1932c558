"""The four models of MLPerf Tiny v1.x, where their files are at hand.

``mlperf-tiny/*.tflite`` among the ``datasets``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from . import datasets

ModelName = Literal["ad", "ic", "kws", "vww"]

FILES: Mapping[ModelName, str] = MappingProxyType(
    {
        "ad": "ad_autoencoder_int8.tflite",
        "ic": "ic_resnet8_int8.tflite",
        "kws": "kws_ds_cnn_int8.tflite",
        "vww": "vww_mobilenetv1_025_int8.tflite",
    }
)
# Bytes of arena that tflite-micro's RecordingMicroAllocator reports in total.
TFLITE_MICRO_ARENA: Mapping[ModelName, int] = MappingProxyType(
    {"ad": 3_984, "ic": 55_984, "kws": 24_272, "vww": 103_680}
)


def folder() -> Path:
    return datasets.folder("mlperf-tiny")


def load(name: ModelName) -> bytes | None:
    """Return the file of a model, or None where it is not."""
    file = folder() / FILES[name]
    return file.read_bytes() if file.exists() else None
