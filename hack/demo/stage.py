"""Where the story plays: the testbed with its devices, what watches it, and how it is taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hack.testbed.testbed import Testbed

from .children import Children
from .data import DigitsData, prepare
from .field import Field, Place, Stream
from .link import SensorLink
from .record import GatewayView, Record
from .show import Show
from .summary import CALM, SHIFTED
from .watch import Cluster

NAMESPACE = "default"
FLEET = f"{NAMESPACE}.meters"
CLASSES = {"cortex-m4": 150, "cortex-m0": 70}
"""POSIX devices by device class."""
BOARDS = 2
INPUTS_PER_SECOND = 3.0
"""Inputs a second for each device."""
SEED = 7
CONNECT_SECONDS = 60.0
