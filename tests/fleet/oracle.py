"""A fleet's numbers, counted from nothing: the slow way, in the words of docs/protocol.md."""

from __future__ import annotations

from collections import Counter

from petiole.fleet.fleet import Fleet
from petiole.fleet.member import Member
from petiole.fleet.totals import OWN_FAULTS
from petiole.rollout.plan import Plan, Variant
from petiole.wire.messages import Phase, Reason, State

FLYING = ("offered", "downloading", "trial")
Group = tuple[str, ...]


def target_for(plan: Plan, state: State | None) -> Variant | None:
    if plan.target is None or state is None:
        return None
    variant, caps = plan.target.variants.get(state.caps.target), state.caps
    if variant is None:
        return None
    if variant.b is not None:
        fits = variant.size <= caps.firmware and variant.b.size <= caps.firmware
    else:
        fits = variant.size <= caps.slot and variant.arena <= caps.arena
    return variant if fits else None


def digests(variant: Variant) -> set[str]:
    return {variant.digest} | ({variant.b.digest} if variant.b else set())


def runs(plan: Plan, state: State) -> str | None:
    """What the device runs of the kind that is rolled out."""
    if plan.kind == "Model":
        return state.active
    return state.firmware.active if state.firmware else None


def about_the_other(plan: Plan, state: State) -> bool:
    others = plan.other.variants.values() if plan.other else ()
    return any(state.target in digests(v) for v in others)


def stands(fleet: Fleet, member: Member, place: int) -> tuple[str, bool]:
    """Where the device stands, were it not silent; and whether it is asked to do something."""
    plan, device = fleet.plan, member.device
    assert device is not None
    state, withdrawn = device.state, fleet.halted or plan.mode == "Reverting"
    within = plan.stage is None or place < plan.stage.limit
    if plan.target is None:
        return "pending", False
    if state is None:
        return "pending", member.granted_at is not None or (plan.stage is not None and within)
    variant = target_for(plan, state)
    if variant is None:
        return ("ineligible" if within else "pending"), False
    if runs(plan, state) in digests(variant):
        trial = state.phase is Phase.TRIAL and not about_the_other(plan, state)
        return ("trial" if trial else "updated"), trial or withdrawn
    if withdrawn:
        return ("reverted" if member.exposed else "failed" if member.failed else "pending"), False
    if member.failed is not None:
        return "failed", False
    waits = member.granted_at is None or member.retry_at is not None
    return ("pending", False) if waits else fetching(member, state, variant)


def fetching(member: Member, state: State, variant: Variant) -> tuple[str, bool]:
    if state.target not in digests(variant) or state.attempt < member.attempt:
        return "offered", True
    if state.phase is Phase.READY and member.released_at is None:
        return "ready", False
    busy = {
        Phase.DOWNLOADING: "downloading",
        Phase.VERIFYING: "downloading",
        Phase.SHADOW: "trial",
        Phase.TRIAL: "trial",
    }
    return busy.get(state.phase, "offered"), True


def standing(fleet: Fleet, member: Member, place: int) -> str:
    found, asked = stands(fleet, member, place)
    return "silent" if asked and member.silent else found


def order(fleet: Fleet) -> list[Member]:
    """The devices that the fleet has, in the frozen order."""
    present = [m for m in fleet.members.values() if m.device is not None]
    return sorted(present, key=lambda m: m.position)


def group(plan: Plan, member: Member) -> Group:
    assert member.device is not None
    if plan.disruption is None:
        return ()
    labels = member.device.labels
    if any(name not in labels for name in plan.disruption.group_by):
        return ("", member.id)
    return tuple(labels[name] for name in plan.disruption.group_by)


def gave_up(fleet: Fleet, member: Member) -> str:
    """Why the device gave up the other kind's revision, if it does not run it."""
    device, other = member.device, fleet.plan.other
    if device is None or device.state is None or other is None:
        return ""
    variant = other.variants.get(device.state.caps.target)
    model = other.kind == "Model"
    firmware = device.state.firmware.active if device.state.firmware else None
    if variant is None or (device.state.active if model else firmware) in digests(variant):
        return ""
    said = ""
    for entry in device.history:
        failed = entry["phase"] in ("failed", "rolledback") and entry["reason"] != "halted"
        said = entry["reason"] if failed and entry["target"] in digests(variant) else said
    return said


class Recount:
    """Everything that a fleet keeps running totals of."""

    def __init__(self, fleet: Fleet) -> None:
        self.order = order(fleet)
        self.stands = [standing(fleet, m, place) for place, m in enumerate(self.order)]
        self.counts = Counter(self.stands)
        states = [m.device.state for m in self.order if m.device and m.device.state]
        self.running = Counter(r for s in states if (r := runs(fleet.plan, s)) is not None)
        self.boards = Counter(s.caps.target for s in states if s.caps.firmware)
        reasons = [gave_up(fleet, m) for m in self.order]
        self.gave_up = Counter(reason for reason in reasons if reason)
        self.online = sum(m.device.online for m in self.order if m.device)
        self.exposed = sum(m.exposed for m in self.order)
        self.reasons = Counter(m.failed for m in self.order if m.failed is not None)
        self.finished = sum(m.confirmed or m.failed is not None for m in self.order)
        self.flying = [m for m, s in zip(self.order, self.stands, strict=True) if s in FLYING]
        self.groups = Counter(group(fleet.plan, m) for m in self.flying)
        self.failed_at = places(m for m in self.order if m.failed is not None)
        self.own_faults = places(
            m for m in self.order if m.failed is not None and Reason(m.failed) in OWN_FAULTS
        )


def places(members: object) -> list[int]:
    """Places, from 1, in the order of beginning."""
    return sorted((m.began or 0) + 1 for m in members)  # type: ignore[attr-defined]


def disagreements(fleet: Fleet) -> list[str]:
    """Compare the running totals with a recount; empty when all agree."""
    found, kept = Recount(fleet), fleet.roster.totals
    pairs = {
        "order": ([m.id for m in fleet.roster.order], [m.id for m in found.order]),
        "places": ([m.place for m in fleet.roster.order], list(range(len(found.order)))),
        "standings": (
            {s.value: n for s, n in kept.standings.items() if n}, dict(found.counts),
        ),
        "running": (dict(kept.running), dict(found.running)),
        "boards": (dict(kept.boards), dict(found.boards)),
        "gave_up": (dict(kept.gave_up), dict(found.gave_up)),
        "online": (kept.online, found.online),
        "exposed": (kept.exposed, found.exposed),
        "reasons": (dict(kept.reasons), dict(found.reasons)),
        "finished": (kept.finished, found.finished),
        "flying": ({m.id for m in fleet.roster.flying}, {m.id for m in found.flying}),
        "groups": (dict(fleet.roster.groups), dict(found.groups)),
        "failed_at": ([p for p, _ in kept.failures["Confirmed"]], found.failed_at),
        "own_faults": ([p for p, _ in kept.failures["SelfTest"]], found.own_faults),
    }  # fmt: skip
    return [f"{name}: kept {a}, counted {b}" for name, (a, b) in pairs.items() if a != b]
