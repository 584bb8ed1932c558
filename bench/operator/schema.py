"""Every leaf of both CRDs at, below and above its limits, on a real API server.

Each object must be accepted or refused as the schema documents it, with the field named, and
pydantic must read what is accepted and refuse what the schema refuses. Then the same in place, in
objects that are there: what is refused changes nothing, what is accepted is left again without a
trace, and a spec that grew field by field is the one that was made at once. What is accepted, the
operator's and the gateway's decisions must stand.
"""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from hack.testbed.controlplane import ControlPlane
from hack.testbed.processes import ROOT
from tests.api.cases import EXAMPLES, Case, cases
from tests.api.examples import ANOMALY_MODEL, LABELLED_MODEL, RAMPED_FLEET
from tests.api.limits import MISSING, Path, with_value
from tests.api.server import Api

from . import decisions

WHOLE = (*EXAMPLES.values(), RAMPED_FLEET, LABELLED_MODEL, ANOMALY_MODEL)
ONE_WAY: tuple[Path, ...] = (("task",), ("model", "name"), ("securityCounter",))
_numbers = itertools.count(1)


@dataclass
class Sweep:
    """What was asked and what was wrong, by kind, part of the object, and who was asked."""

    asked: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: list[tuple[tuple[str, str, str], str]] = field(default_factory=list)

    def note(self, kind: str, part: str, oracle: str, problem: str) -> None:
        """Count one case; ``problem`` says what was wrong with it, empty: nothing."""
        row = (kind, part, oracle)
        self.asked[row] += 1
        if problem:
            self.wrong.append((row, problem))

    @property
    def good(self) -> bool:
        return not self.wrong

    def figures(self) -> dict[str, int]:
        return {"cases": self.asked.total(), "wrong": len(self.wrong)}


def table(found: Sweep) -> Table:
    made = Table(title="Every leaf of both CRDs", title_justify="left")
    for column in ("kind", "part", "oracle"):
        made.add_column(column)
    made.add_column("cases", justify="right")
    made.add_column("wrong", justify="right")
    wrong = Counter(row for row, _ in found.wrong)
    for row, count in sorted(found.asked.items()):
        made.add_row(*row, str(count), str(wrong[row]))
    made.add_section()
    made.add_row("both", "", "all", *map(str, found.figures().values()))
    return made


def measure(console: Console) -> Sweep:
    """Sweep both CRDs on a control plane of its own, a few minutes; print what is wrong."""
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Folder(folder)) as running:
        running.install_crds(ROOT / "crds")
        found = sweep(Api.of(running), console)
    for (*_, oracle), problem in found.wrong:
        console.print(f"WRONG {oracle}: {problem}", markup=False, highlight=False)
    return found


def sweep(api: Api, console: Console) -> Sweep:
    """Ask ``api`` for all cases, in its namespace."""
    found = Sweep()
    places = Places(api)
    for case in track(list(cases()), "schema", console=console):
        found.note(case.kind, case.part, "API server", _answer(places, case))
        found.note(case.kind, case.part, "pydantic", "" if case.agrees else f"differs: {case}")
        if case.accepted and case.part == "spec":
            said = decisions.problem(case.kind, case.document["spec"])
            found.note(case.kind, case.part, "decisions", said and f"{case}: {said}")
        if places.allow(case):
            found.note(case.kind, case.part, "in place and back", places.visit(case))
    for example in WHOLE:
        for problem in _grown(api, example):
            found.note(example["kind"], "spec", "step by step", problem)
    return found


def _answer(places: Places, case: Case) -> str:
    document = case.document
    if case.part == "status":
        causes = places.api.status_objections(places.named(case.example, document))
    elif case.update:
        causes = places.api.update_objections(places.named(case.example, document))
    else:
        causes = places.api.objections(document)
    return "" if case.holds(causes) else f"{case}: {causes or 'accepted'}"


@dataclass
class Places:
    """Objects that are there, one of each example."""

    api: Api
    _held: dict[str, dict[str, Any]] = field(default_factory=dict)

    def named(self, example: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        """``document`` by the name of the object that is there for ``example``."""
        name = self._object(example)["metadata"]["name"]
        return document | {"metadata": {"name": name}}

    def allow(self, case: Case) -> bool:
        """Whether a case can be put into the place of its example, and left again."""
        if case.part == "status" or case.document["metadata"] != case.example["metadata"]:
            return False
        then, now = case.example["spec"], case.document.get("spec")
        return not case.accepted or all(_at(then, p) == _at(now, p) for p in ONE_WAY)

    def visit(self, case: Case) -> str:
        """Put a case into the place of its example, and come back; say what is not as before."""
        before = self._object(case.example)
        there = self.named(case.example, case.document)
        if causes := self.api.update(there):
            if case.accepted:
                return f"refused in place: {case}: {causes}"
            now = self.api.get(before)["metadata"]["resourceVersion"]
            kept = now == before["metadata"]["resourceVersion"]
            return "" if kept else f"refused, yet changed: {case}"
        if not case.accepted:
            return f"accepted in place: {case}"
        if refused := self.api.update(before):
            return f"no way back from {case}: {refused}"
        self._held[_identity(case.example)] = after = self.api.get(before)
        return "" if _content(after) == _content(before) else f"left a trace: {case}"

    def _object(self, example: dict[str, Any]) -> dict[str, Any]:
        identity = _identity(example)
        if identity not in self._held:
            self._held[identity] = _made(self.api, example)
        return self._held[identity]


def _at(spec: object, path: Path) -> object:
    for name in path:
        spec = spec.get(name) if isinstance(spec, dict) else None
    return spec


def _identity(example: dict[str, Any]) -> str:
    return str(example["spec"])


def _content(document: dict[str, Any]) -> dict[str, Any]:
    """What a user sees of an object, without its counters of writes."""
    return {key: document[key] for key in ("kind", "spec", "status")}


def _made(api: Api, example: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(example) | {"metadata": {"name": f"swept-{next(_numbers)}"}}
    causes = api.create(document)
    assert not causes, (document, causes)
    return api.get(document)


# --- step by step equals at once ------------------------------------------------------------------


def _grown(api: Api, example: dict[str, Any]) -> Iterator[str]:
    """Take away field after field while the rest is accepted, then put each back in place."""
    smaller, steps = example, []
    for path in _deepest_first(example["spec"], ("spec",)):
        shorter = with_value(smaller, path, MISSING)
        if not api.objections(shorter):
            steps.append(smaller)
            smaller = shorter
    at_once, grown = _made(api, example), _made(api, smaller)
    for step in reversed(steps):
        causes = api.update(step | {"metadata": grown["metadata"]})
        yield f"refused on the way: {causes}" if causes else ""
    same = _content(api.get(grown)) == _content(at_once)
    yield "" if same else f"{example['metadata']['name']} grown differs from made at once"


def _deepest_first(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _deepest_first(inner, (*path, name))
            yield (*path, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _deepest_first(inner, (*path, index))
