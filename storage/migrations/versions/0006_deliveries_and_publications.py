"""Deliveries, their evidence, and publications, which the database itself lets nobody change or remove."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REFUSAL = "publications are never changed or removed"


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _TEXT, primary_key=True),
        *_texts("kind", "period", "area", "state"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
    )
    op.create_index("ix_deliveries_kind_period", "deliveries", ["kind", "period"])
    op.create_table(
        "evidence",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "publications",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        *_texts("id", "kind", "period"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_texts("by"),
        sa.Column("cutoff", sa.DateTime(timezone=True), nullable=False),
        sa.Column("register", sa.BigInteger(), nullable=False),
        sa.Column("audited", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        *_texts("replaces", "note", "code"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("id", name="uq_publications_id"),
        sa.UniqueConstraint("previous", name="uq_publications_previous"),
        sqlite_autoincrement=True,
    )
    _refuse_changes()


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change_of_publications() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER publications_stay BEFORE UPDATE OR DELETE ON publications "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_publications()"
        )
        return
    for act in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER publications_stay_{act} BEFORE {act} ON publications "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )


def downgrade() -> None:
    for table in ("publications", "evidence", "deliveries"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_publications()")
