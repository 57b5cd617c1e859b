"""The tables of detectors: settings of rules, what was learnt of points, topics of devices."""

from typing import Final

from sqlalchemy import JSON, Column, LargeBinary, Table

from storage.tables import Instant, PlainText, metadata

rule_settings: Final = Table(
    "rule_settings",
    metadata,
    Column("id", PlainText(), primary_key=True),
    Column("document", JSON(none_as_null=True), nullable=False),
)

learnt: Final = Table(
    "learnt",
    metadata,
    Column("point", PlainText(), primary_key=True),
    Column("until", Instant(), nullable=False),
    Column("content", LargeBinary(), nullable=False),
)

topics: Final = Table(
    "device_topics",
    metadata,
    Column("device", PlainText(), primary_key=True),
    Column("topic", PlainText(), nullable=False),
)
