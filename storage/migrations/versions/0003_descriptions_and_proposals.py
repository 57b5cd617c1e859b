"""What devices publish of themselves, and the meters that they propose."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False)


def upgrade() -> None:
    op.create_table(
        "descriptions",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
        _text("profile"),
        _text("topic"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "proposals",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        *(
            _text(name)
            for name in ("device", "register", "commodity", "unit", "kind", "name", "manufacturer", "model", "profile")
        ),
        _text("description"),
        sa.Column("described_by", sa.String(64), nullable=False),
        _text("entity"),
        _text("topic"),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_proposals_described_by", "proposals", ["described_by"])


def downgrade() -> None:
    for table in ("proposals", "descriptions"):
        op.drop_table(table)
