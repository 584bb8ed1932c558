"""Drift is told from regression: the same canaries, with a field that moved or did not."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from petiole.learning import drift
from petiole.learning.drift import DriftVerdict
from petiole.rollout import drifting
from petiole.rollout.observed import Reference
from petiole.rollout.plan import Window

from .fleet import START, Operator, canary_of

DIGEST = f"{1:064x}"  # of revision 1, see fleet.version
INTERVAL = timedelta(minutes=15)


def window(index: int, mean: float, *, digest: str = DIGEST, devices: int = 200) -> Window:
    """What 1,000 inferences say that are ``mean`` sure, more or less."""
    generator = np.random.default_rng(index)
    bytes_ = np.clip(generator.normal(255 * mean, 15, 1000), 0, 255).astype(int)
    return Window(
        index=index,
        start=START + index * INTERVAL,
        end=START + (index + 1) * INTERVAL,
        digest=digest,
        devices=devices,
        count=1000,
        confidence=tuple(np.bincount(bytes_ // 16, minlength=16).tolist()),
        classes=tuple(generator.multinomial(1000, [0.5, 0.3, 0.2]).tolist()),
        confidence_sum=int(bytes_.sum()),
        confidence_squares=int((bytes_**2).sum()),
        input_sum=80_000,
    )


def seen(operator: Operator, *means: float) -> None:
    """Give the operator windows of revision 1, one for each mean."""
    operator.windows = tuple(window(n, mean) for n, mean in enumerate(means))
    empty = Reference(0, (0,) * 16, (0,) * 3, 0, 0, 0)
    operator.references = {DIGEST: empty}


CALM, MOVED = [0.85] * 20, [0.85] * 20 + [0.6] * 4


def test_control_and_canary_that_fall_together_are_drift(rolled: Operator) -> None:
    seen(rolled, *CALM)
    rolled.field.confidence[1] = 0.6
    canary_of(rolled, confidence=0.6)
    seen(rolled, *MOVED)
    rolled.wait(minutes=5)
    assert (rolled.status.mode, rolled.status.revision.failed) == ("Rolling", 0)
    assert rolled.condition("Drifted").status == "True"
    told = rolled.condition("Regressed")
    assert (told.status, told.reason) == ("False", "FieldMoved")
    assert told.message.startswith("the field has drifted under revision 1 too; no regression")
    assert "mean confidence of 40 canaries was 0.60, 0.00 above the 160" in told.message
    assert "Drifted" in rolled.events


def test_a_canary_that_falls_alone_is_a_regression(rolled: Operator) -> None:
    seen(rolled, *CALM)
    canary_of(rolled, confidence=0.6)
    rolled.settle()
    told = rolled.condition("Regressed")
    assert (told.status, told.reason) == ("True", "CanariesMoved")
    assert told.message.startswith("revision 2 regressed, gate 'confidence': mean confidence of 40")
    assert told.message.endswith("; the devices on revision 1 have not drifted")
    assert (rolled.status.drift.state, rolled.status.revision.failed) == ("Stable", 2)
    rolled.field.put_back()
    rolled.settle()
    assert rolled.condition("Regressed").status == "True", "it was taken back for that"
    rolled.publish()
    rolled.roll()
    assert (rolled.status.revision.stable, rolled.condition("Regressed").status) == (3, "False")


def test_a_worse_revision_in_a_moved_field_is_both(rolled: Operator) -> None:
    seen(rolled, *MOVED)
    rolled.field.confidence[1] = 0.6
    canary_of(rolled, confidence=0.3)
    rolled.settle()
    told = rolled.condition("Regressed")
    assert (told.status, told.reason) == ("True", "BothMoved")
    assert rolled.condition("Drifted").status == "True"


def test_status_says_which_detector_saw_what_and_since_when(rolled: Operator) -> None:
    seen(rolled, *MOVED)
    rolled.settle()
    drift = rolled.status.drift
    assert (drift.state, drift.version) == ("Drifted", 1)
    assert set(drift.detectors) <= {"ConfidenceMean", "ConfidenceShape"}
    assert drift.since == START + 20 * INTERVAL
    assert drift.since < drift.detected_at <= START + 23 * INTERVAL
    assert drift.moved[0].startswith(
        "fewer answers with confidence 0.75-1.00 (95 % -> 0 %), more answers with confidence 0.4"
    )
    assert drift.message.startswith("m4: since 2026-11-02 13:00:00 the model is less sure (mean")
    assert float(drift.score) >= 1.0


def test_windows_are_judged_once(rolled: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass comes each second, a window each interval."""
    judged = []

    def evaluate(*given: object, **more: object) -> DriftVerdict:
        judged.append(len(given[1]))
        return drift.evaluate(*given, **more)

    monkeypatch.setattr(drifting, "drift", SimpleNamespace(evaluate=evaluate))
    monkeypatch.setattr(drifting, "_known", {})
    seen(rolled, *CALM)
    for _ in range(3):
        rolled.wait(minutes=2)
    seen(rolled, *CALM, 0.85)
    rolled.wait(minutes=2)
    assert judged == [20, 21]
