"""Devices as records, for people and programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from petiole.fleet.devices import Device
from petiole.fleet.standing import misfit
from petiole.wire.messages import State

from .enrol.http import described
from .enrol.ledger import Certificate
from .registry import Registry


def describe(registry: Registry, device: Device) -> dict[str, Any]:
    """Return a device record for people and programs; ``reason`` is a sentence, or empty."""
    return {
        "id": device.id,
        "registered": device.registered,
        "labels": device.labels,
        "online": device.online,
        "fleet": device.fleet,
        "seenAt": device.seen_at and datetime.fromtimestamp(device.seen_at, UTC).isoformat(),
        "granted": device.granted,
        "grantedFirmware": _firmware(device),
        "reason": _reason(registry, device),
        "state": None if device.state is None else _state(device.state),
    }


def brief(device: Device) -> dict[str, Any]:
    """Return what filters and counts look at of the record: it is made for each of many devices."""
    return {
        "registered": device.registered,
        "labels": device.labels,
        "online": device.online,
        "state": None if device.state is None else _gist(device.state),
    }


def _gist(state: State) -> dict[str, Any]:
    firmware = state.firmware
    return {
        "phase": state.phase.word,
        "reason": state.reason.word,
        "active": state.active,
        "firmware": None if firmware is None else {"active": firmware.active},
    }


def whole(registry: Registry, device: Device, certificate: Certificate | None) -> dict[str, Any]:
    """Return the record with its newest statistics, its history and its certificate."""
    return {
        **describe(registry, device),
        "certificate": described(certificate),
        "statistics": _statistics(device),
        "history": device.history,
    }


def _firmware(device: Device) -> dict[str, str] | None:
    granted = device.grant.firmware if device.grant else None
    return None if granted is None else {"a": granted.a.digest, "b": granted.b.digest}


def _state(state: State) -> dict[str, Any]:
    said = {**asdict(state), "phase": state.phase.word, "reason": state.reason.word}
    if state.crash is not None:
        said["crash"]["cause"] = state.crash.cause.word
    return said


def _statistics(device: Device) -> dict[str, Any] | None:
    """Return its newest statistics in the words of ``messages.cddl``, drift and shadow included."""
    active = device.state.active if device.state is not None else None
    tally = device.tally(active) if active is not None else None
    return None if tally is None else asdict(tally.stats)


def _reason(registry: Registry, device: Device) -> str:
    if not device.registered:
        return "not registered: register it with PUT /v1/devices, or take its password away"
    if device.fleet is None:
        return "no fleet's selector matches its labels"
    plan = registry.fleets[device.fleet].plan
    if device.state is None:
        return "it has never reported"
    if plan.target is not None and (why := misfit(plan.target, device.state)):
        return why
    if plan.other is not None and not device.state.reason:
        return misfit(plan.other, device.state)
    return device.state.reason.sentence
