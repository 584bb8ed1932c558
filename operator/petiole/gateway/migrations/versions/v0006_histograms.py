"""Histograms of inputs and latency in windows."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("inputs", "latency"):
        empty = sa.text("'[]'")
        op.add_column("windows", sa.Column(name, sa.JSON, nullable=False, server_default=empty))


def downgrade() -> None:
    for name in ("latency", "inputs"):
        op.drop_column("windows", name)
