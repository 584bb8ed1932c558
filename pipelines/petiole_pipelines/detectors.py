"""The pool of detectors: what each takes of a window, and what it says of a run.

Everything is scored as a device does it: bytes by the machine's own scale, features by
tflite-micro, scores by ``petiole.learning.anomaly``. What is learned here, the autoencoder and
which sensors wander, is learned from the commissioning of the pool's runs alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from petiole.learning import anomaly

from .judge import quantised
from .planner import PlannedModel, Reference, plan
from .runs import Run
from .windows import Windows, autoencoder, encoder, summary

Kind = Literal["Means", "MeansAndChanges", "Encoder", "Autoencoder"]
Counts = anomaly.Counts

MOST_FEATURES = 16  # that a device learns the distances of
LEAST_READINGS = 5  # that a mean is made of
PARTS = (1, 2, 4)  # a detector sees the whole window, its newer half or its newest quarter
CODES = 8  # numbers that an autoencoder keeps of a window
THRESHOLDS = tuple(round(256 * 2 ** (quarter / 4)) for quarter in range(16, 45))
RELEASES = (1.0, 0.5, 0.25)  # of the threshold


@dataclass(frozen=True, slots=True)
class Commissioning:
    """Of ``spec.task``: readings of a window, and those that a device starts with."""

    width: int
    scale: int
    reach: float
    baseline: int

    @property
    def inputs(self) -> int:
        """Windows that a device learns from."""
        return self.baseline - self.width + 1

    def windows(self, run: Run) -> Windows:
        """Return the windows of a run as its device sees them [n - width + 1, 1, width, sensors].

        The first ``inputs`` are those that it learns from.
        """
        scale = anomaly.Scale.of(run.readings[: self.scale], self.reach)
        return anomaly.windows(scale.bytes(run.readings), self.width)

    def truth(self, run: Run) -> NDArray[np.bool_]:
        """Return which of the scored windows end with a faulty reading."""
        return run.faulty[self.baseline :]


@dataclass(frozen=True, slots=True)
class Detector:
    """One of the pool. ``newest`` are the readings of a window that it sees."""

    kind: Kind
    newest: int
    sensors: tuple[int, ...]

    def __str__(self) -> str:
        if self.kind in ("Means", "MeansAndChanges"):
            what = "means" if self.kind == "Means" else "means and changes"
            return f"{what} of {len(self.sensors)} sensors over {self.newest} readings"
        what = "autoencoder" if self.kind == "Autoencoder" else "its codes"
        return f"{what} of {len(self.sensors)} sensors over {self.newest} readings"

    @property
    def learns(self) -> bool:
        """Whether its device learns what is usual for its features."""
        return self.kind != "Autoencoder"

    @property
    def fitted(self) -> bool:
        """Whether its network is fitted to normal windows."""
        return self.kind in ("Encoder", "Autoencoder")


@dataclass(frozen=True, slots=True)
class Option:
    """A detector with the scores that raise and end its alarm, in 1/256."""

    detector: Detector
    threshold: int
    release: int

    def __str__(self) -> str:
        at, end = self.threshold / 256, self.release / 256
        return f"{self.detector}, alarm at {at:.0f} until below {end:.0f}"


def pool(width: int, wandering: NDArray[np.bool_]) -> tuple[Detector, ...]:
    """Return all detectors of windows of ``width`` readings, the plainest first."""
    every = tuple(range(len(wandering)))
    steady = tuple(n for n in every if not wandering[n])
    sets = [every] if len(steady) in (0, len(every)) else [steady, every]
    newest = [width // n for n in PARTS if width % n == 0 and width // n >= LEAST_READINGS]
    kinds: tuple[tuple[Kind, int], ...] = (("MeansAndChanges", 2), ("Means", 1))
    found = [
        Detector(kind, readings, sensors)
        for (kind, features), readings, sensors in itertools.product(kinds, newest or [width], sets)
        if features * len(sensors) <= MOST_FEATURES and readings >= features  # a change needs two
    ]
    return (*found, Detector("Encoder", width, every), Detector("Autoencoder", width, every))


def options(detectors: Sequence[Detector]) -> tuple[Option, ...]:
    """Return every detector at every threshold and release."""
    return tuple(
        Option(detector, threshold, round(release * threshold))
        for detector, release, threshold in itertools.product(detectors, RELEASES, THRESHOLDS)
    )


@dataclass(slots=True)
class Networks:
    """Networks of the detectors, fitted to normal windows where there is something to fit."""

    shape: tuple[int, int]  # readings and sensors of a window
    normal: Windows
    _made: dict[Detector, bytes] = field(default_factory=dict)
    _plans: dict[Detector, PlannedModel] = field(default_factory=dict)
    _references: dict[Detector, Reference] = field(default_factory=dict)

    def tflite(self, detector: Detector) -> bytes:
        """Return the network of a detector, int8."""
        if detector not in self._made:
            self._made[detector] = self._make(detector)
        return self._made[detector]

    def planned(self, detector: Detector) -> PlannedModel:
        if detector not in self._plans:
            self._plans[detector] = plan(self.tflite(detector))
        return self._plans[detector]

    def outputs(self, detector: Detector, x: Windows) -> anomaly.Features:
        """Return what the network makes of windows, by tflite-micro: int8 [n, outputs]."""
        if detector not in self._references:
            self._references[detector] = Reference(self.tflite(detector))
        return self._references[detector].run(quantised(x))

    def _make(self, detector: Detector) -> bytes:
        if detector.kind == "Autoencoder":
            return autoencoder(self.normal, CODES)
        if detector.kind == "Encoder":
            return encoder(self.normal, CODES)
        return summary(
            self.shape,
            newest=detector.newest,
            sensors=detector.sensors,
            changes=detector.kind == "MeansAndChanges",
        )


def scores(networks: Networks, detector: Detector, x: Windows, inputs: int) -> anomaly.Scores:
    """Score the windows of a run behind the first ``inputs``, from which its device learns."""
    if detector.learns:
        return anomaly.distances(networks.outputs(detector, x), inputs)
    planned = networks.planned(detector)
    later = x[inputs:]
    outputs = networks.outputs(detector, later)
    step = round(65536 * planned.out_scale / planned.in_scale)
    return anomaly.differences(later.reshape(len(later), -1), outputs, step, planned.out_zero_point)


def tried(
    networks: Networks, detectors: Sequence[Detector], run: Run, commissioning: Commissioning
) -> Counts:
    """Count what every option of the detectors does on a run: [options, 4]."""
    x, truth = commissioning.windows(run), commissioning.truth(run)
    return np.stack(
        [
            anomaly.counted(anomaly.alarms(found, option.threshold, option.release), truth)
            for detector in detectors
            for found in (scores(networks, detector, x, commissioning.inputs),)
            for option in options((detector,))
        ]
    )


def restless(networks: Networks, option: Option, x: Windows, inputs: int, most: float) -> bool:
    """Tell whether what is usual moved while it was learned.

    With what its device had learned after three quarters of its windows it would have raised the
    alarm in more than ``most`` (0..1) of the last quarter, where there is no fault.
    """
    early = inputs * 3 // 4
    found = scores(networks, option.detector, x[:inputs], early)
    return bool(anomaly.alarms(found, option.threshold, option.release).mean() > most)


def described(networks: Networks, option: Option, inputs: int) -> dict[str, Any]:
    """Return what an artefact's policy says of an option (``Detector`` of the candidate)."""
    planned = networks.planned(option.detector)
    given = {
        "outputs": planned.out_len,
        "threshold": option.threshold / 256,
        "release": option.release / 256,
    }
    if option.detector.learns:
        return given | {"kind": "Distance", "inputs": inputs}
    step = round(65536 * planned.out_scale / planned.in_scale) / 65536
    return given | {"kind": "Reconstruction", "step": step, "zero": planned.out_zero_point}


def normal_windows(runs: Sequence[Run], commissioning: Commissioning) -> Windows:
    """Return what machines look like while they are commissioned, all runs together."""
    return np.concatenate([commissioning.windows(run)[: commissioning.inputs] for run in runs])


def wandering(runs: Sequence[Run], commissioning: Commissioning) -> NDArray[np.bool_]:
    """Tell, by the commissioning of runs, which sensors never come to rest."""
    early = [run.readings[: commissioning.baseline] for run in runs]
    return anomaly.wandering(early, commissioning.width)


def shares(counts: Counts) -> dict[str, float]:
    """F1, share of false alarms and of missed readings, each 0..1, of counts [4]."""
    hits, _, misses, _ = counts
    return {
        "f1": round(float(anomaly.f1(counts)), 4),
        "falseAlarms": round(float(anomaly.false_alarms(counts)), 4),
        "missed": round(float(misses / max(hits + misses, 1)), 4),
    }
