"""Rows of dated tables that people entered, which the database itself lets nobody change or remove."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REFUSAL = "entered rows are never changed or removed"


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "own_rows",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        *_texts("kind", "key"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_texts("content", "by"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_texts("why"),
        sa.UniqueConstraint("kind", "key", "version", name="uq_own_rows_kind_key_version"),
        sqlite_autoincrement=True,
    )
    _refuse_changes()


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change_of_own_rows() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER own_rows_stay BEFORE UPDATE OR DELETE ON own_rows "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_own_rows()"
        )
        return
    for act in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER own_rows_stay_{act} BEFORE {act} ON own_rows BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )


def downgrade() -> None:
    op.drop_table("own_rows")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_own_rows()")
