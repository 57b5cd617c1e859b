"""People, sessions, links used once, failed attempts, and keys of programs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _person() -> sa.Column[str]:
    return sa.Column("person", _TEXT, sa.ForeignKey("people.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", _TEXT, primary_key=True),
        *_texts("name", "mail"),
        sa.Column("mail_key", _TEXT, unique=True),
        sa.Column("subject", _TEXT, unique=True),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_texts("password"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        _person(),
        *(_instant(name) for name in ("made_at", "seen_at", "expires")),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(64), primary_key=True),
        _person(),
        *_texts("purpose"),
        _instant("expires"),
    )
    op.create_index("ix_tickets_person", "tickets", ["person"])
    op.create_table(
        "failed_attempts",
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        _instant("last"),
    )
    op.create_index("ix_failed_attempts_last", "failed_attempts", ["last"])
    op.create_table(
        "api_keys",
        sa.Column("id", _TEXT, primary_key=True),
        *_texts("name"),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("grants", sa.JSON(), nullable=False),
        *_texts("made_by"),
        _instant("made_at"),
        *(_instant(name, nullable=True) for name in ("expires", "revoked", "used_at")),
    )


def downgrade() -> None:
    for table in ("api_keys", "failed_attempts", "tickets", "sessions", "people"):
        op.drop_table(table)
