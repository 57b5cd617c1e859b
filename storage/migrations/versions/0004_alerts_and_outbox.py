"""Alerts, the outbox of their messages, and whom they are told to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(64), primary_key=True),
        *_texts("key", "subject", "rule", "kind", "building", "state", "severity", "unit", "check"),
        *_texts("assignee", "acknowledged_by", "cause", "note", "resolved_by", "part_of"),
        *_instants("opened_at", "changed_at", "at_from", "seen_to"),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("snoozed_until", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("loss_per_day", sa.Double()),
        sa.Column("loss_czk_per_day", sa.Double()),
        *_json("evidence", "covers"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("reopened", "told", "revision")),
    )
    op.create_index("ix_alerts_key", "alerts", ["key"])
    op.create_index("ix_alerts_state_opened_at", "alerts", ["state", "opened_at"])
    op.create_index("ix_alerts_opened_at", "alerts", ["opened_at"])
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(64), primary_key=True),
        *_texts("channel", "recipient", "address", "state"),
        *_json("items", "content"),
        *_instants("created", "due"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        *_texts("error"),
        sa.Column("changed", sa.DateTime(timezone=True)),
        *_texts("claimed_by"),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_outbox_state_due", "outbox", ["state", "due"])
    op.create_index("ix_outbox_created", "outbox", ["created"])
    op.create_table(
        "outbox_alerts",
        sa.Column("message", sa.String(64), primary_key=True),
        sa.Column("alert", sa.String(64), primary_key=True),
    )
    op.create_index("ix_outbox_alerts_alert", "outbox_alerts", ["alert"])
    for table in ("recipients", "routes", "windows"):
        op.create_table(table, sa.Column("id", _TEXT, primary_key=True), *_json("document"))


def downgrade() -> None:
    for table in ("windows", "routes", "recipients", "outbox_alerts", "outbox", "alerts"):
        op.drop_table(table)
