"""What a member needs for windows, retries and the order of beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("members", sa.Column("released_at", sa.Float))
    op.add_column("members", sa.Column("began", sa.Integer))
    op.add_column(
        "members", sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "members", sa.Column("retries", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("members", sa.Column("retry_at", sa.Float))
