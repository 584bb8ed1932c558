"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(63), primary_key=True),
        sa.Column("registered", sa.Boolean, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("state", sa.LargeBinary),
        sa.Column("seen_at", sa.Float),
        sa.Column("fleet", sa.String(127)),
        sa.Column("grant", sa.LargeBinary),
    )
    op.create_table(
        "histories",
        sa.Column("device", sa.String(63), primary_key=True),
        sa.Column("entries", sa.JSON, nullable=False),
    )
    op.create_table(
        "fleets",
        sa.Column("name", sa.String(127), primary_key=True),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("halt", sa.JSON),
        sa.Column("evidence", sa.JSON, nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("fleet", sa.String(127), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("device", sa.String(63), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("granted_at", sa.Float),
        sa.Column("exposed", sa.Boolean, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("failed", sa.Integer),
    )
    op.create_table(
        "tallies",
        sa.Column("device", sa.String(63), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("stats", sa.LargeBinary, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("confidence_sum", sa.BigInteger, nullable=False),
        sa.Column("mark", sa.String(160), nullable=False),
        sa.Column("mark_count", sa.BigInteger, nullable=False),
        sa.Column("mark_sum", sa.BigInteger, nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "windows",
        sa.Column("fleet", sa.String(127), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("start", sa.Float, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("devices", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("confidence", sa.JSON, nullable=False),
        sa.Column("classes", sa.JSON, nullable=False),
        sa.Column("confidence_sum", sa.BigInteger, nullable=False),
        sa.Column("confidence_squares", sa.BigInteger, nullable=False),
        sa.Column("input_sum", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "artefacts",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("block_size", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("artefacts", "windows", "tallies", "members", "fleets", "histories", "devices"):
        op.drop_table(table)
