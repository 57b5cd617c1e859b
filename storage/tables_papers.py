"""The tables of documents and notes of buildings, and of the documents' files."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, String, Table

from storage.tables import HASH_LENGTH, Instant, PlainText, metadata

papers: Final = Table(
    "papers",
    metadata,
    Column("id", PlainText(), primary_key=True),
    Column("version", BigInteger(), primary_key=True, autoincrement=False),
    Column("building", PlainText(), nullable=False, index=True),
    *(Column(name, PlainText(), nullable=False) for name in ("sort", "act", "by")),
    Column("at", Instant(), nullable=False),
    Column("why", PlainText(), nullable=False),
    Column("digest", String(HASH_LENGTH), nullable=True, index=True),
    Column("said", JSON(none_as_null=True), nullable=False),
)
"""A row a version; `sort` tells what `said` is, `digest` is a document's."""

document_files: Final = Table(
    "document_files",
    metadata,
    Column("digest", String(HASH_LENGTH), primary_key=True),
    Column("content", LargeBinary(), nullable=False),
)
