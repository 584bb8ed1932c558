"""The one step of a round without classes: choose a detector on the pool, judge it, store it.

Nothing is labelled for it: the autoencoder and the choice of sensors come from runs while they are
commissioned, and runs of the pool with known faults choose the option.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from petiole.learning import anomaly

from . import detectors, runs
from .detectors import Commissioning, Detector, Networks, Option
from .errors import StepError, step
from .fit import Cost, cost_of, golden_vectors, misfit
from .judge import histograms, quantised
from .planner import golden
from .runs import Run, RunSet
from .store import Store
from .windows import Windows

FEWEST_RUNS = 2  # of a pool: the choice is tried on each run in turn


@step
def detect(
    *,
    pool_uri: str,
    evaluation_uri: str,
    store_uri: str,
    output_path: str,
    task: str,
    targets: list[dict[str, Any]],
    learning: str,
    seed: int,
) -> str:
    """Write ``candidate.json`` and what it names; return its path.

    ``task`` is the spec's, JSON; ``learning`` has ``falseAlarms``, 0..1, which the choice aims at.
    """
    given, sensors = read_task(task)
    pool = runs.read(pool_uri, "pool", sensors=sensors, longer_than=given.baseline)
    evaluation = _judging(evaluation_uri, sensors, given, pool)
    limit = float(json.loads(learning)["falseAlarms"])
    found = Search.of(pool.runs, given)
    store, variants, references = Store(store_uri), [], {}
    for target in targets:
        option, choice = found.choose(target, limit)
        judged = [Judged.of(found, option, run, limit) for run in evaluation.runs]
        base = f"{output_path}/{target['name']}"
        variant = _variant(store, base, found, option, judged, target)
        chosen = {"option": str(option), "nominal": choice.nominal, "expected": choice.expected}
        variants.append(variant | {"choice": chosen})
        references[target["name"]] = _reference(judged)
    reference = f"{output_path}/reference.json"
    store.put_json(reference, references)
    document = {
        "pool": len(pool.runs),
        "labelled": 0,
        "data": {"pool": pool.record(), "evaluation": evaluation.record(), "seed": seed},
        "variants": sorted(variants, key=lambda variant: str(variant["target"])),
        "reference": reference,
    }
    store.put_json(f"{output_path}/candidate.json", document)
    return f"{output_path}/candidate.json"


def read_task(task: str) -> tuple[Commissioning, int]:
    """Read a TinyModel's task: how devices start, and the number of sensors."""
    given = json.loads(task)
    start = given["commissioning"]
    made = Commissioning(
        given["input"]["width"], start["scale"], float(start["reach"]), start["baseline"]
    )
    return made, int(given["input"]["channels"])


def _judging(uri: str, sensors: int, given: Commissioning, pool: RunSet) -> RunSet:
    """Read the evaluation runs; each must say what is faulty, and none may be in the pool."""
    found = runs.read(uri, "evaluation", sensors=sensors, longer_than=given.baseline)
    silent = [run.name for run in found.runs if not run.known]
    if silent:
        raise StepError(
            "DataInvalid",
            f"the evaluation set at {uri}: {silent[0]} has no column {runs.FAULTY!r}; a run that "
            "judges says which of its readings are faulty",
        )
    if found.sensors != pool.sensors:
        raise StepError(
            "DataInvalid",
            f"the evaluation set at {uri} has the sensors {', '.join(found.sensors)}, the pool "
            f"{', '.join(pool.sensors)}: all runs need the same columns in the same order",
        )
    learned = {run.readings.tobytes(): run.name for run in pool.runs}
    for run in found.runs:
        if same := learned.get(run.readings.tobytes()):
            raise StepError(
                "DataInvalid",
                f"the evaluation set at {uri}: {run.name} has the readings of {same} of the pool "
                f"at {pool.uri}: what is learned from cannot judge, keep it in one of them",
            )
    return found


@dataclass(frozen=True, slots=True)
class Search:
    """What is known of the pool: its detectors, and what each option did on every run."""

    commissioning: Commissioning
    networks: Networks
    detectors: tuple[Detector, ...]
    counts: anomaly.Counts  # [options, runs, 4]

    @staticmethod
    def of(pool: Sequence[Run], commissioning: Commissioning) -> Search:
        """Fit and try all detectors. Raises StepError when there are too few runs."""
        if len(pool) < FEWEST_RUNS:
            raise StepError(
                "DataInvalid", f"the pool has {len(pool)} run; {FEWEST_RUNS} are needed at least"
            )
        shape = (commissioning.width, pool[0].readings.shape[1])
        networks = Networks(shape, detectors.normal_windows(pool, commissioning))
        wandering = detectors.wandering(pool, commissioning)
        found = detectors.pool(commissioning.width, wandering)
        counts = [detectors.tried(networks, found, run, commissioning) for run in pool]
        return Search(commissioning, networks, found, np.stack(counts, axis=1))

    def choose(self, target: Mapping[str, Any], limit: float) -> tuple[Option, anomaly.Choice]:
        """Choose among the options that fit a target. Raises StepError when there is none."""
        options = detectors.options(self.detectors)
        fits = {detector: not self.misfit(detector, target) for detector in self.detectors}
        rows = np.array([n for n, option in enumerate(options) if fits[option.detector]], np.int64)
        if not len(rows):
            raise StepError(
                "DoesNotFit", f"{self.misfit(self.detectors[-1], target)}; nor does another fit"
            )
        choice = anomaly.choose(self.counts[rows], limit)
        if choice is None:
            raise StepError(
                "NoDetector",
                f"target {target['name']}: no detector keeps to {100 * limit:.1f} % of false "
                "alarms on the pool: accept more (spec.acceptance.falseAlarms), or let devices "
                "learn for longer (spec.task.commissioning.baseline)",
            )
        return options[rows[choice.option]], choice

    def misfit(self, detector: Detector, target: Mapping[str, Any]) -> str:
        """Say why a detector does not fit a target, or nothing."""
        return misfit(self.cost(detector, target), target)

    def cost(self, detector: Detector, target: Mapping[str, Any]) -> Cost:
        """Return what a detector takes of a target."""
        return cost_of(self.networks.planned(detector), self.networks.normal.shape[1:], target)


@dataclass(frozen=True, slots=True)
class Judged:
    """What an option does on one run that judges."""

    run: str
    counts: anomaly.Counts  # [4]
    drifted: bool
    levels: NDArray[np.uint8]  # of the normal windows [n]
    raised: NDArray[np.bool_]  # [n]
    x: Windows  # [n, 1, width, sensors]

    @staticmethod
    def of(found: Search, option: Option, run: Run, limit: float) -> Judged:
        given, networks = found.commissioning, found.networks
        x, faulty = given.windows(run), given.truth(run)
        scored = detectors.scores(networks, option.detector, x, given.inputs)
        raised = anomaly.alarms(scored, option.threshold, option.release)
        return Judged(
            run.name,
            anomaly.counted(raised, faulty),
            detectors.restless(networks, option, x, given.inputs, limit),
            anomaly.levels(scored[~faulty]),
            raised[~faulty],
            x[given.inputs :][~faulty],
        )

    def document(self) -> dict[str, Any]:
        return {"run": self.run, **detectors.shares(self.counts), "baselineDrifted": self.drifted}


def _variant(
    store: Store,
    base: str,
    found: Search,
    option: Option,
    judged: Sequence[Judged],
    target: Mapping[str, Any],
) -> dict[str, Any]:
    """Store what a target gets; return its element of ``variants``."""
    networks = found.networks
    planned, tflite = networks.planned(option.detector), networks.tflite(option.detector)
    cost = found.cost(option.detector, target)
    proofs = _spread(judged, golden_vectors(networks.normal.shape[1:], target))
    store.put(f"{base}.tflite", tflite)
    store.put(f"{base}.model", planned.blob)
    store.put(f"{base}.golden", golden(tflite, quantised(proofs)))
    return {
        "target": target["name"],
        "model": f"{base}.model",
        "golden": f"{base}.golden",
        "tflite": f"{base}.tflite",
        "bytes": len(planned.blob),
        "arena": planned.arena,
        "ops": planned.ops,
        "flash": cost.flash,
        "instructions": cost.instructions,
        "detector": detectors.described(networks, option, found.commissioning.inputs),
        **detectors.shares(np.sum([one.counts for one in judged], axis=0)),
        "runs": [one.document() for one in judged],
    }


def _spread(judged: Sequence[Judged], count: int) -> Windows:
    """Take ``count`` windows, the first run's first and the last one's last among them."""
    x = np.concatenate([one.x for one in judged])
    return np.asarray(x[np.linspace(0, len(x) - 1, count).astype(int)])


def _reference(judged: Sequence[Judged]) -> dict[str, Any]:
    """Histograms of what a device says of normal readings, in the units of its statistics."""
    levels, raised, x = (
        np.concatenate([getattr(one, name) for one in judged]) for name in ("levels", "raised", "x")
    )
    return histograms(levels, np.bincount(raised, minlength=2), x)
