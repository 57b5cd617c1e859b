"""Documents and notes of buildings, each version of each, and the documents' files."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "papers",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("version", sa.BigInteger(), primary_key=True, autoincrement=False),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("building", "sort", "act", "by")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", _TEXT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
    )
    op.create_index("ix_papers_building", "papers", ["building"])
    op.create_index("ix_papers_digest", "papers", ["digest"])
    op.create_table(
        "document_files",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    for table in ("document_files", "papers"):
        op.drop_table(table)
