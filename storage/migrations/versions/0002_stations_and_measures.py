"""Weather stations, measures and adjustments in the register."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, primary_key=key)


def _numbers(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double()) for name in names]


def upgrade() -> None:
    op.create_table(
        "stations",
        _text("id", key=True),
        _text("name"),
        _text("place"),
        *_numbers("latitude", "longitude", "altitude_m"),
        _text("source"),
        _text("device"),
        _text("register"),
        sa.Column("fallbacks", sa.JSON(), nullable=False),
    )
    op.create_table(
        "measures",
        _text("id", key=True),
        _text("name"),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=False),
        _text("kind"),
        sa.Column("works_from", sa.Date()),
        sa.Column("ended", sa.Date()),
        *_numbers("investment_czk", "subsidy_czk"),
        _text("activity"),
        *_numbers("expected_saving"),
        _text("expected_unit"),
        _text("note"),
    )
    _adjustments()


def _adjustments() -> None:
    op.create_table(
        "adjustments",
        _text("id", key=True),
        _text("point"),
        sa.Column("since", sa.Date(), nullable=False),
        _text("kind"),
        _text("reason"),
        sa.Column("until", sa.Date()),
        *_numbers("factor", "per_day"),
        _text("who"),
        sa.ForeignKeyConstraint(
            ["point"], ["points.id"], name="fk_adjustments_point", deferrable=True, initially="DEFERRED"
        ),
    )
    op.create_index("ix_adjustments_point", "adjustments", ["point"])


def downgrade() -> None:
    for table in ("adjustments", "measures", "stations"):
        op.drop_table(table)
