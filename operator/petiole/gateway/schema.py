"""The tables of the fleet store. ``migrations/`` makes them; a test keeps both equal."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)

metadata = MetaData()

devices = Table(
    "devices",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("registered", Boolean, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("state", LargeBinary),  # the newest report as it came
    Column("seen_at", Float),  # seconds since 1970
    Column("fleet", String(127)),  # the fleet that its grant comes from
    Column("grant", LargeBinary),  # the retained grant as published
)

histories = Table(
    "histories",
    metadata,
    Column("device", String(63), primary_key=True),
    Column("entries", JSON, nullable=False),
)

fleets = Table(
    "fleets",
    metadata,
    Column("name", String(127), primary_key=True),
    Column("plan", JSON, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("halt", JSON),  # a stop that the gateway decided
    Column("evidence", JSON, nullable=False),  # of the metric gates at their last look
)

members = Table(
    "members",
    metadata,
    Column("fleet", String(127), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("device", String(63), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("granted_at", Float),  # seconds since 1970; the last time it was let begin
    Column("released_at", Float),  # when it was let apply; null: granted with hold
    Column("began", Integer),  # its place, from 0, in the order of beginning
    Column("attempt", Integer, nullable=False, server_default=text("0")),  # of its grant
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", Float),  # until then it waits after a failure
    Column("exposed", Boolean, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("failed", Integer),  # the reason's number
)

tallies = Table(
    "tallies",
    metadata,
    Column("device", String(63), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("stats", LargeBinary, nullable=False),  # the newest report as it came
    Column("count", BigInteger, nullable=False),
    Column("confidence_sum", BigInteger, nullable=False),
    Column("mark", String(160), nullable=False),
    Column("mark_count", BigInteger, nullable=False),
    Column("mark_sum", BigInteger, nullable=False),
    Column("latency_sum", BigInteger, nullable=False),  # microseconds
    Column("mark_latency", BigInteger, nullable=False),
    Column("window", BigInteger, nullable=False),
)

windows = Table(
    "windows",
    metadata,
    Column("fleet", String(127), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("start", Float, primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("devices", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("confidence", JSON, nullable=False),
    Column("classes", JSON, nullable=False),
    Column("confidence_sum", BigInteger, nullable=False),
    Column("confidence_squares", BigInteger, nullable=False),
    Column("input_sum", BigInteger, nullable=False),
    Column("inputs", JSON, nullable=False, server_default="[]"),
    Column("latency", JSON, nullable=False, server_default="[]"),
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", String(64), primary_key=True),  # its blocks may be at the broker
    Column("size", Integer, nullable=False),
    Column("block_size", Integer, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(16), primary_key=True),  # one row, "gateway"
    Column("holder", String(255), nullable=False),  # URL of the replica that leads
    Column("term", BigInteger, nullable=False),  # rises whenever a process takes the lead
    Column("expires", Float, nullable=False),  # seconds since 1970 by the database's clock
)

replicas = Table(
    "replicas",
    metadata,
    Column("name", String(255), primary_key=True),  # URL of a replica that follows
    Column("hearing", String(32), nullable=False),  # its connection to the broker
    Column("expires", Float, nullable=False),  # as that of the lease
)

heard = Table(
    "heard",
    metadata,
    Column("hearing", String(32), primary_key=True),  # the connection that a message came by
    Column("number", BigInteger, primary_key=True),  # rises by one
    Column("topic", String(160), nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("device", String(63), primary_key=True),  # a new token takes the place of the last
    Column("digest", String(64), nullable=False),  # SHA-256 of the token, in hex
    Column("expires_at", Float, nullable=False),  # seconds since 1970
    Column("key_id", String(64)),  # the key that used it: SHA-256 of SubjectPublicKeyInfo, in hex
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),  # hex
    Column("device", String(63), nullable=False, index=True),
    Column("key_id", String(64), nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("not_after", Float, nullable=False),  # seconds since 1970
    Column("revoked_at", Float),
)
