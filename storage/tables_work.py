"""The tables of what is under way: turns at recurring work, files that wait to be confirmed. No backup holds them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Double, LargeBinary, String, Table

from storage.tables import ForeignText, Instant, PlainText, metadata

KEY_LENGTH: Final = 64

leases: Final = Table(
    "leases",
    metadata,
    Column("name", PlainText(), primary_key=True),
    Column("holder", PlainText(), nullable=False),
    Column("held_until", Double(), nullable=False),
    Column("started", Double(), nullable=False),
    Column("failed", Boolean(), nullable=False),
    Column("succeeded", Double()),
    Column("turns", BigInteger(), nullable=False),
)
"""Instants are seconds since 1970 by the database's clock; an empty holder: the turn was given back."""

staged_files: Final = Table(
    "staged_files",
    metadata,
    Column("key", String(KEY_LENGTH), primary_key=True),
    Column("name", ForeignText(), nullable=False),
    Column("content", LargeBinary(), nullable=False),
    Column("at", Instant(), nullable=False, index=True),
)
