"""What an example is to the demo. The acts are the same for all; an example says with what.

A module below ``hack/demo/examples`` has a function ``example(source, quick=...)`` that makes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hack.testbed.field import Source
from hack.testbed.machines import Machines

CALM, SHIFTED = "calm", "shifted"
"""Names of the two streams: the field as it was learned, and as it is after it moved."""

MODEL_FILE, FLEET_FILE = "tinymodel.yaml", "devicefleet.yaml"


class ExampleError(Exception):
    """An example cannot be played; the message says what to do."""


class Act(StrEnum):
    """What happens once devices and cluster are up; ``hack.demo.acts`` plays them."""

    LEARN = "learn"
    PROMOTE = "promote"
    FAIL = "fail"
    CALM = "calm"
    SHIFT = "shift"
    ANSWER = "answer"
    SPOIL = "spoil"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a run. ``streams`` are what sensors see: CALM and SHIFTED.

    ``names`` are the classes as the streams number them; ``answers`` is the annotator's table of
    ``id,label``, to which the answers about the field are added when the field shows them: None
    where nothing is asked. ``machines`` are those that the streams show, where they can fail.
    """

    streams: Mapping[str, Source]
    names: tuple[str, ...]
    answers: Path | None = None
    machines: Machines | None = None


TaskSpec = Mapping[str, Any]
"""``spec.task`` of the model, as this run has it."""


Overrides = Mapping[str, Mapping[str, Any]]
"""By manifest: dotted path to value; LEFT_OUT removes a field. Elements of lists go by name."""

LEFT_OUT = None


MINUTES_LONG: Mapping[str, Any] = MappingProxyType(
    {
        "spec.rollout.stages.canary.soak": "5s",
        "spec.rollout.stages.early.size": "60%",
        "spec.rollout.stages.early.soak": "3s",
        "spec.rollout.stages.all.soak": "3s",
        "spec.rollout.noReportAfter": "60s",
        "spec.rollout.progressDeadline": "10m",
        "spec.monitoring.interval": "4s",
    }
)
"""A fleet that is rolled out to within hours and days, in minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example. ``prepare`` and ``spoil`` write below the folder that is ``${DATA}``.

    ``posix`` is the number of POSIX devices by target, whose limits they have. ``wrong`` is the
    manifest that publishes the bad model, from the data that ``spoil`` makes. ``shift`` and
    ``mistake`` say in words what moves and what goes wrong, ``says`` what stands behind the byte
    that devices report with an answer.
    """

    name: str
    manifests: Path
    wrong: str
    story: tuple[Act, ...]
    prepare: Callable[[Path, TaskSpec], Prepared]
    spoil: Callable[[Path, TaskSpec], None]
    shift: str
    mistake: str
    says: str = "confidence"
    posix: Mapping[str, int]
    board: str  # target of the emulated boards
    boards: int = 2
    sites: tuple[str, ...] = ()  # where devices stand, in turn
    per_second: float = 3.0  # inputs of a device
    overrides: Overrides = field(default_factory=lambda: MappingProxyType({}))
    model_seconds: float = 900.0  # a round takes that long at most
