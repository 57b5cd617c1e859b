"""The tables of deliveries, their evidence, and publications."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from storage.tables import HASH_LENGTH, Instant, PlainText, metadata

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", PlainText(), primary_key=True),
    *(Column(name, PlainText(), nullable=False) for name in ("kind", "period", "area", "state")),
    Column("version", BigInteger(), nullable=False),
    Column("document", JSON(none_as_null=True), nullable=False),
    Index(None, "kind", "period"),
)

evidence: Final = Table(
    "evidence",
    metadata,
    Column("digest", String(HASH_LENGTH), primary_key=True),
    Column("content", LargeBinary(), nullable=False),
)

publications: Final = Table(
    "publications",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    *(Column(name, PlainText(), nullable=False) for name in ("id", "kind", "period")),
    Column("version", BigInteger(), nullable=False),
    Column("at", Instant(), nullable=False),
    Column("by", PlainText(), nullable=False),
    Column("cutoff", Instant(), nullable=False),
    Column("register", BigInteger(), nullable=False),
    Column("audited", BigInteger(), nullable=False),
    Column("digest", String(HASH_LENGTH), nullable=False),
    Column("previous", String(HASH_LENGTH), nullable=False),
    *(Column(name, PlainText(), nullable=False) for name in ("replaces", "note", "code")),
    Column("content", LargeBinary(), nullable=False),
    UniqueConstraint("id", name="uq_publications_id"),
    UniqueConstraint("previous", name="uq_publications_previous"),
    sqlite_autoincrement=True,
)
