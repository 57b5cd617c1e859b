"""Settings of rules, what detectors learnt of points, and the topics of devices."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rule_settings",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_table(
        "learnt",
        sa.Column("point", _TEXT, primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "device_topics",
        sa.Column("device", _TEXT, primary_key=True),
        sa.Column("topic", _TEXT, nullable=False),
    )


def downgrade() -> None:
    for table in ("device_topics", "learnt", "rule_settings"):
        op.drop_table(table)
