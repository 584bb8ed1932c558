"""From a topic and bytes to a message of a device, or to words about what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from petiole.wire.messages import Sample, State, Stats, WireError, decode_online
from petiole.wire.topics import parse_device_topic


@dataclass(frozen=True, slots=True)
class Heard:
    """A valid message. ``message`` is a bool for presence."""

    device: str
    kind: str
    message: State | Stats | Sample | bool
    payload: bytes


def interpret(topic: str, payload: bytes) -> Heard | None:
    """Decode one message; None when a retained one was merely removed. WireError when malformed."""
    where = parse_device_topic(topic)
    if where is None:
        raise WireError(f"topic {topic[:100]!r} names no device")
    if not payload:
        return None
    message: State | Stats | Sample | bool
    match where.kind:
        case "state":
            message = State.decode(payload)
        case "stats":
            message = _stats(payload)
        case "sample":
            message = _sample(payload, where.rest)
        case "online":
            message = decode_online(payload)
        case _:
            raise WireError(f"topic {topic[:100]!r} is none that devices write to")
    return Heard(where.device, where.kind, message, payload)


def _stats(payload: bytes) -> Stats:
    stats = Stats.decode(payload)
    byte = 255 * stats.count  # more would overflow the store's sums, for all devices
    if (
        stats.confidence_sum > byte
        or stats.confidence_squares > 255 * byte
        or stats.input_sum > byte
        or stats.latency_sum > stats.count << 31
    ):
        raise WireError(f"stats: a sum is larger than {stats.count} inferences can make")
    run = stats.shadow
    if run is not None and (run.disagreed > run.count or run.confidence_sum > 255 * run.count):
        raise WireError(f"stats: a sum is larger than {run.count} inputs of a shadow run can make")
    return stats


def _sample(payload: bytes, name: str) -> Sample:
    sample = Sample.decode(payload)
    if sample.hash.hex() != name:
        raise WireError(f"sample: its input hashes to {sample.hash.hex()}, the topic says {name!r}")
    return sample
