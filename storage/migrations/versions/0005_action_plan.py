"""The action plan in the register: goals, areas of activity, activities, projects, indicators."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False, primary_key=name == "id") for name in names]


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def _refers(table: str, field: str, to: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{field}"
    return sa.ForeignKeyConstraint([field], [f"{to}.id"], name=name, deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    op.create_table("goals", *_texts("id", "name", "strategic"))
    op.create_table(
        "areas",
        *_texts("id", "name", "priority_area"),
        *_json("goals", "strategic"),
        *_texts("guarantor", "vision"),
    )
    op.create_table(
        "activities",
        *_texts("id", "area", "name", "description", "guarantor"),
        _refers("activities", "area", "areas"),
    )
    op.create_index("ix_activities_area", "activities", ["area"])
    op.create_table(
        "projects",
        *_texts("id", "activity", "name", "state"),
        sa.Column("begins", sa.Date()),
        sa.Column("ends", sa.Date()),
        sa.Column("cost_czk", sa.Double()),
        *_texts("note"),
        _refers("projects", "activity", "activities"),
    )
    op.create_index("ix_projects_activity", "projects", ["activity"])
    op.create_table(
        "indicators",
        *_texts("id", "area", "name"),
        *_json("figures"),
        *_texts("method", "definition"),
        *_json("goals", "targets"),
        *_texts("direction"),
        sa.Column("least_measured", sa.Double(), nullable=False),
        *_json("reports"),
        *_texts("guarantor", "note"),
        _refers("indicators", "area", "areas"),
    )
    op.create_index("ix_indicators_area", "indicators", ["area"])


def downgrade() -> None:
    for table in ("indicators", "projects", "activities", "areas", "goals"):
        op.drop_table(table)
