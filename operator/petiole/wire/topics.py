"""Topic names. A device id is always taken from the topic, never from a payload."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

PREFIX = "petiole/1"
DEVICE_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")

ALL_STATE = f"{PREFIX}/d/+/state"
ALL_STATS = f"{PREFIX}/d/+/stats"
ALL_SAMPLES = f"{PREFIX}/d/+/sample/+"
ALL_ONLINE = f"{PREFIX}/d/+/online"
ALL_CSRS = f"{PREFIX}/d/+/csr"
ALL_BLOCKS = f"{PREFIX}/b/+/+"
FIRST_BLOCKS = f"{PREFIX}/b/+/0"


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """What a device wrote to: its id, the message's kind and, for a sample, its hash."""

    device: str
    kind: str
    rest: str = ""


def grant(device: str) -> str:
    return f"{PREFIX}/d/{device}/grant"


def ack(device: str) -> str:
    return f"{PREFIX}/d/{device}/ack"


def csr(device: str) -> str:
    return f"{PREFIX}/d/{device}/csr"


def cert(device: str) -> str:
    return f"{PREFIX}/d/{device}/cert"


def retained(device: str) -> tuple[str, ...]:
    """All that a broker may keep of a device."""
    kept = ("state", "online", "grant", "cert")
    return tuple(f"{PREFIX}/d/{device}/{kind}" for kind in kept)


def halt(fleet: str) -> str:
    return f"{PREFIX}/f/{fleet}/halt"


def is_halt(topic: str) -> bool:
    return topic.startswith(f"{PREFIX}/f/") and topic.endswith("/halt")


def block(digest: str, number: int) -> str:
    return f"{PREFIX}/b/{digest}/{number}"


def blocks(digest: str) -> str:
    """All blocks of an artefact."""
    return f"{PREFIX}/b/{digest}/+"


def parse_block(topic: str) -> str | None:
    """Return the digest of an artefact that the topic names a block of, else None."""
    parts = topic.split("/")
    ours = len(parts) == 5 and topic.startswith(f"{PREFIX}/b/")
    return parts[3] if ours else None


def parse_device_topic(topic: str) -> DeviceTopic | None:
    """``petiole/1/d/<id>/<kind>[/<rest>]``, or None when the topic is none of ours."""
    parts = topic.split("/")
    if len(parts) not in (5, 6) or parts[:3] != ["petiole", "1", "d"]:
        return None
    if not DEVICE_ID.fullmatch(parts[3]):
        return None
    return DeviceTopic(parts[3], parts[4], parts[5] if len(parts) == 6 else "")


def share_group(secret: str) -> str:
    """Name the gateways' group of shared subscriptions, from a ``secret`` that they share.

    Whoever can name a group can join it at some brokers (Mosquitto 2.0 asks no ACL), and what falls
    to a member that may not read it is lost to all.
    """
    return hmac.new(secret.encode(), b"petiole share group", "sha256").hexdigest()[:32]


def leader_name(secret: str) -> str:
    """Name the MQTT client that leads, from a ``secret`` that the gateways share.

    Two clients of one name put each other out at the broker, which is meant for two leaders: a
    device that could guess the name could put the leader out.
    """
    return "petiole-" + hmac.new(secret.encode(), b"petiole leader", "sha256").hexdigest()[:32]


def shared(secret: str, topic: str) -> str:
    """``topic`` as one subscription of all gateways: each message goes to one of them."""
    return f"$share/{share_group(secret)}/{topic}"
