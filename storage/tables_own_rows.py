"""The table of rows of dated tables that people entered. Rows are added to it; none is changed or removed."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, UniqueConstraint

from storage.tables import ForeignText, Instant, PlainText, metadata

own_rows: Final = Table(
    "own_rows",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("kind", PlainText(), nullable=False),
    Column("key", PlainText(), nullable=False),
    Column("version", BigInteger(), nullable=False),
    Column("content", PlainText(), nullable=False),
    Column("by", ForeignText(), nullable=False),
    Column("at", Instant(), nullable=False),
    Column("why", ForeignText(), nullable=False),
    UniqueConstraint("kind", "key", "version", name="uq_own_rows_kind_key_version"),
    sqlite_autoincrement=True,
)
