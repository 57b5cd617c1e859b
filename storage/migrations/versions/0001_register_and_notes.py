"""The register, its audit trail, and what is kept beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, primary_key=key)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", deferrable=True, initially="DEFERRED"
    )


def upgrade() -> None:
    _register()
    _people()
    _messages()
    _derived()
    _small()


def _register() -> None:
    op.create_table("organisations", _text("id", key=True), _text("name"), _text("ico"))
    op.create_table(
        "buildings",
        _text("id", key=True),
        _text("organisation"),
        _text("name"),
        _text("kind"),
        _text("address"),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        _text("station"),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("users", sa.JSON(), nullable=False),
        _reference("buildings", "organisation", "organisations"),
    )
    op.create_index("ix_buildings_organisation", "buildings", ["organisation"])
    _points()
    _meters()


def _points() -> None:
    op.create_table(
        "points",
        _text("id", key=True),
        _text("building"),
        _text("name"),
        _text("commodity"),
        _text("role"),
        _text("code"),
        sa.Column("parent", _TEXT),
        sa.Column("max_rate", sa.Double()),
        sa.Column("allowed_gap_h", sa.Double()),
        sa.Column("reserved_kw", sa.JSON(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        _reference("points", "building", "buildings"),
        _reference("points", "parent", "points"),
    )
    op.create_index("ix_points_building", "points", ["building"])
    op.create_index("ix_points_parent", "points", ["parent"])


def _meters() -> None:
    op.create_table(
        "meters",
        _text("id", key=True),
        _text("point"),
        _text("device"),
        sa.Column("mounted", _INSTANT, nullable=False),
        sa.Column("removed", _INSTANT),
        _text("serial"),
        _text("register"),
        _text("unit"),
        sa.Column("digits", sa.BigInteger()),
        sa.Column("multiplier", sa.Double(), nullable=False),
        sa.Column("first", sa.Double()),
        sa.Column("final", sa.Double()),
        _reference("meters", "point", "points"),
    )
    op.create_index("ix_meters_point", "meters", ["point"])
    op.create_table(
        "dial_events",
        _text("id", key=True),
        _text("meter"),
        sa.Column("at", _INSTANT, nullable=False),
        _text("kind"),
        sa.Column("final", sa.Double()),
        sa.Column("first", sa.Double()),
        _text("new_device"),
        _text("register"),
        _text("note"),
        sa.Column("retracted", sa.Boolean(), nullable=False),
    )


def _people() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", _INSTANT, nullable=False),
        _text("by"),
        _text("entity"),
        _text("key"),
        _text("why"),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entity_key", "audit", ["entity", "key"])


def _messages() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        _text("topic"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _text("reason"),
        _text("detail"),
        sa.Column("received", _INSTANT, nullable=False),
        sa.Column("retained", sa.Boolean(), nullable=False),
        sa.Column("replayed", _INSTANT),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    unread = sa.text("replayed IS NULL")
    op.create_index(
        "uq_dead_letters_open",
        "dead_letters",
        ["fingerprint"],
        unique=True,
        postgresql_where=unread,
        sqlite_where=unread,
    )
    op.create_table(
        "inbox",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        _text("device"),
        _text("register"),
        _text("unit"),
        sa.Column("first_seen", _INSTANT, nullable=False),
        sa.Column("last_seen", _INSTANT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_value", sa.Double()),
        _text("topic"),
        sa.Column("sample", sa.LargeBinary(), nullable=False),
    )


def _derived() -> None:
    op.create_table(
        "findings",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        _text("point"),
        _text("meter"),
        _text("register"),
        _text("rule"),
        sa.Column("at_from", _INSTANT, nullable=False),
        sa.Column("at_to", _INSTANT, nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("proposal", sa.JSON()),
        sa.Column("open", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_findings_point_at_from", "findings", ["point", "at_from"])
    op.create_index("ix_findings_at_from", "findings", ["at_from"])


def _small() -> None:
    op.create_table("kept_texts", _text("key", key=True), _text("text"))
    op.create_table(
        "jobs",
        _text("id", key=True),
        _text("kind"),
        _text("state"),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("started", _INSTANT, nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        _text("cursor"),
        _text("detail"),
    )
    counters = op.create_table("counters", _text("name", key=True), sa.Column("value", sa.BigInteger(), nullable=False))
    op.bulk_insert(counters, [{"name": "register", "value": 0}])


def downgrade() -> None:
    for table in (
        *("counters", "jobs", "kept_texts", "findings", "inbox", "dead_letters", "audit"),
        *("dial_events", "meters", "points", "buildings", "organisations"),
    ):
        op.drop_table(table)
