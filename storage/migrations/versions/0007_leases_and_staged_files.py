"""Turns at recurring work, and files that wait to be confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("holder", _TEXT, nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("held_until", "started")),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("succeeded", sa.Double()),
        sa.Column("turns", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "staged_files",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_staged_files_at", "staged_files", ["at"])


def downgrade() -> None:
    op.drop_table("staged_files")
    op.drop_table("leases")
