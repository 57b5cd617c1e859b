"""The tables of people: who they are, sessions, links used once, failed attempts, keys of programs."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, String, Table

from storage.tables import HASH_LENGTH, Instant, PlainText, metadata

people: Final = Table(
    "people",
    metadata,
    Column("id", PlainText(), primary_key=True),
    Column("name", PlainText(), nullable=False),
    Column("mail", PlainText(), nullable=False),
    Column("mail_key", PlainText(), unique=True),
    Column("subject", PlainText(), unique=True),
    Column("grants", JSON(none_as_null=True), nullable=False),
    Column("active", Boolean(), nullable=False),
    Column("password", PlainText(), nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("digest", String(HASH_LENGTH), primary_key=True),
    Column("person", PlainText(), ForeignKey("people.id"), nullable=False, index=True),
    Column("made_at", Instant(), nullable=False),
    Column("seen_at", Instant(), nullable=False),
    Column("expires", Instant(), nullable=False, index=True),
)

tickets: Final = Table(
    "tickets",
    metadata,
    Column("digest", String(HASH_LENGTH), primary_key=True),
    Column("person", PlainText(), ForeignKey("people.id"), nullable=False, index=True),
    Column("purpose", PlainText(), nullable=False),
    Column("expires", Instant(), nullable=False),
)

failures: Final = Table(
    "failed_attempts",
    metadata,
    Column("key", PlainText(), primary_key=True),
    Column("count", BigInteger(), nullable=False),
    Column("last", Instant(), nullable=False, index=True),
)

keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", PlainText(), primary_key=True),
    Column("name", PlainText(), nullable=False),
    Column("digest", String(HASH_LENGTH), nullable=False, unique=True),
    Column("grants", JSON(none_as_null=True), nullable=False),
    Column("made_by", PlainText(), nullable=False),
    Column("made_at", Instant(), nullable=False),
    Column("expires", Instant()),
    Column("revoked", Instant()),
    Column("used_at", Instant()),
)
