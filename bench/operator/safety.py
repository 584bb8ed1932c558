"""What must hold from one written state of an object to the next, whatever breaks. Pure.

Safety as Sieve and Anvil mean it: not where it ends, but what never happens on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Status = Mapping[str, Any]


def broken(kind: str, before: Status, after: Status) -> list[str]:
    """Return what does not hold of a status (JSON) and the one before it; empty: nothing."""
    return [text for rule in _RULES[kind] for text in rule(before, after)]


def _never_falls(*names: str) -> Callable[[Status, Status], Iterator[str]]:
    def rule(before: Status, after: Status) -> Iterator[str]:
        for name in names:
            if after.get(name, 0) < before.get(name, 0):
                yield f"{name} fell from {before[name]} to {after.get(name, 0)}"

    return rule


def _is_kept(name: str) -> Callable[[Status, Status], Iterator[str]]:
    """What is in a list stays there as it is; more may follow."""

    def rule(before: Status, after: Status) -> Iterator[str]:
        kept = before.get(name, [])
        if after.get(name, [])[: len(kept)] != kept:
            yield f"{name} is not what it was"

    return rule


def _counts_add_up(_: Status, after: Status) -> Iterator[str]:
    counts = dict(after.get("counts", {}))
    total = counts.pop("total", 0)
    if sum(counts.values()) != total:
        yield f"counts of {sum(counts.values())} devices in a fleet of {total}"


def _stage_holds(_: Status, after: Status) -> Iterator[str]:
    limit = after.get("stage", {}).get("limit", 0)
    if after.get("mode") == "Rolling" and after.get("exposed", 0) > limit:
        yield f"{after['exposed']} devices exposed in a stage of {limit}"


def _proven(before: Status, after: Status) -> Iterator[str]:
    """A revision becomes stable by a promotion, and none is promoted that a gate failed."""
    stable = _revision(after, "stable")
    if stable == _revision(before, "stable"):
        return
    ended = after.get("history", [])[-1:]
    if [(e["revision"], e["result"]) for e in ended] != [(stable, "Promoted")]:
        yield f"revision {stable} is stable and was not promoted"
    failed = [g["name"] for g in before.get("gates", []) if g["verdict"] == "Fail"]
    if failed:
        yield f"revision {stable} is stable, and failed at {', '.join(failed)}"


def _stays_back(_: Status, after: Status) -> Iterator[str]:
    failed = _revision(after, "failed")
    if failed and failed == _revision(after, "target") and after.get("mode") == "Rolling":
        yield f"revision {failed} goes on after it was taken back"


def _revision(status: Status, which: str) -> int:
    return int(status.get("revision", {}).get(which, 0))


def _one_by_one(before: Status, after: Status) -> Iterator[str]:
    for where, name in (((), "latestVersion"), (("round",), "number")):
        old, new = (_at(status, *where).get(name, 0) for status in (before, after))
        if not old <= new <= old + 1:
            yield f"{'.'.join((*where, name))} went from {old} to {new}"


def _within_budget(before: Status, after: Status) -> Iterator[str]:
    spent, asked = (_at(after, "labels").get(name, 0) for name in ("spent", "requested"))
    target = _at(after, "round").get("targetLabels", 0)
    if _at(after, "round").get("step") == "Labelling" and spent + asked > target:
        yield f"{spent} labels spent and {asked} asked for, of {target}"
    if spent < _at(before, "labels").get("spent", 0):
        yield "labels were lost"


def _at(status: Status, *path: str) -> Status:
    for name in path:
        status = status.get(name, {})
    return status


_RULES: dict[str, tuple[Callable[[Status, Status], Iterator[str]], ...]] = {
    "devicefleets": (
        _never_falls("observedGeneration", "serial", "attempt"),
        _is_kept("history"),
        _counts_add_up,
        _stage_holds,
        _proven,
        _stays_back,
    ),
    "tinymodels": (
        _never_falls("observedGeneration"),
        _is_kept("versions"),
        _one_by_one,
        _within_budget,
    ),
}
