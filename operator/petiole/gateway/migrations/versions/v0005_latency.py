"""How long inferences of a device took, for gates on latency."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("latency_sum", "mark_latency"):
        none_yet = sa.text("0")
        op.add_column(
            "tallies", sa.Column(name, sa.BigInteger, nullable=False, server_default=none_yet)
        )


def downgrade() -> None:
    for name in ("mark_latency", "latency_sum"):
        op.drop_column("tallies", name)
