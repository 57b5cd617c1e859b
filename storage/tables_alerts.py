"""The tables of alerts: what became of them, the outbox, people, routes and windows."""

from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, String, Table

from storage.tables import ForeignText, Instant, PlainText, metadata

KEY_LENGTH: Final = 64


def _texts(*names: str) -> list[Column[Any]]:
    return [Column(name, PlainText(), nullable=False) for name in names]


def _instants(*names: str) -> list[Column[Any]]:
    return [Column(name, Instant(), nullable=False) for name in names]


def _json(*names: str) -> list[Column[Any]]:
    return [Column(name, JSON(none_as_null=True), nullable=False) for name in names]


alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", String(KEY_LENGTH), primary_key=True),
    Column("key", ForeignText(), nullable=False, index=True),
    Column("subject", ForeignText(), nullable=False),
    *_texts("rule", "kind", "building", "state", "severity", "unit", "check"),
    *_texts("assignee", "acknowledged_by", "cause", "note", "resolved_by", "part_of"),
    *_instants("opened_at", "changed_at", "at_from", "seen_to"),
    Column("acknowledged_at", Instant()),
    Column("snoozed_until", Instant()),
    Column("ended_at", Instant()),
    Column("standing", Boolean(), nullable=False),
    Column("loss_per_day", Double()),
    Column("loss_czk_per_day", Double()),
    *_json("evidence", "covers"),
    *(Column(name, BigInteger(), nullable=False) for name in ("reopened", "told", "revision")),
    Index(None, "state", "opened_at"),
    Index(None, "opened_at"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("key", String(KEY_LENGTH), primary_key=True),
    *_texts("channel", "recipient", "address", "state"),
    *_json("items", "content"),
    *_instants("created", "due"),
    Column("attempts", BigInteger(), nullable=False),
    Column("error", ForeignText(), nullable=False),
    Column("changed", Instant()),
    Column("claimed_by", PlainText(), nullable=False),
    Column("claimed_until", Instant()),
    Index(None, "state", "due"),
    Index(None, "created"),
)

told: Final = Table(
    "outbox_alerts",
    metadata,
    Column("message", String(KEY_LENGTH), primary_key=True),
    Column("alert", String(KEY_LENGTH), primary_key=True, index=True),
)


def _documents(name: str) -> Table:
    return Table(name, metadata, Column("id", PlainText(), primary_key=True), *_json("document"))


recipients: Final = _documents("recipients")
routes: Final = _documents("routes")
windows: Final = _documents("windows")
