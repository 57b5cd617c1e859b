"""The tables of the record store. Those of the register are made from the fields of its dataclasses.

Text is ordered by code point in every database, instants are kept in UTC to the microsecond, dated lists are JSON.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from core.errors import InputError, TimeError
from core.notes import Job
from core.plan import Activity, Area, Goal, Indicator, Project
from core.registry import Adjustment, Building, DialEvent, Measure, Meter, Organisation, Point, Station

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
HASH_LENGTH: Final = 64
"""Hexadecimal digits of a SHA-256: the key of texts that are too long for an index."""


class Instant(TypeDecorator[datetime]):
    """An aware instant, in UTC: `timestamptz` in PostgreSQL, text that sorts by time in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver takes; raise TimeError where it is naive or no UTC instant exists for it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TimeError(f"{value.isoformat()} has no offset", remedy="write it as 2026-01-31T12:00:00+01:00")
        try:
            utc = value.astimezone(UTC)
        except OverflowError as err:
            raise TimeError(f"{value.isoformat()} is out of bounds", remedy="check the year") from err
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return it aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _by_code_point(dialect: Dialect) -> TypeEngine[Any]:
    return postgresql.TEXT(collation="C") if dialect.name == "postgresql" else Text()


class PlainText(TypeDecorator[str]):
    """Text of ours or an operator's; what PostgreSQL cannot hold is refused everywhere alike."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text ordered by code point."""
        return _by_code_point(dialect)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return it unchanged; raise InputError where it holds NUL or a lone surrogate."""
        if value is not None and legible(value) != value:
            raise InputError(f"text {value!r} holds a character that cannot be stored", remedy="leave it out")
        return value


class Reference(TypeDecorator[str]):
    """The id of another row; empty text in the entity is NULL in the table, so that the database checks the rest."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text ordered by code point."""
        return _by_code_point(dialect)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return NULL for none."""
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:  # noqa: ARG002 - SQLAlchemy's signature
        """Return empty text for NULL."""
        return value or ""


class ForeignText(TypeDecorator[str]):
    """Text from outside (topics, reasons that quote a payload): always storable, the odd character is escaped."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text ordered by code point."""
        return _by_code_point(dialect)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return it with NUL and lone surrogates written as escapes."""
        return None if value is None else legible(value)


def legible(value: str) -> str:
    """Return text with what a database cannot hold (NUL, lone surrogates) written as escapes."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refers:
    """A field of an entity that holds the id of another."""

    kind: type
    field: str
    to: type


KINDS: Final[dict[type, str]] = {
    Organisation: "organisation",
    Building: "building",
    Point: "point",
    Meter: "meter",
    DialEvent: "dial_event",
    Station: "station",
    Measure: "measure",
    Adjustment: "adjustment",
    Goal: "goal",
    Area: "area",
    Activity: "activity",
    Project: "project",
    Indicator: "indicator",
}
"""What the register holds, those referred to first, with its name in the audit trail."""

REFERENCES: Final = (
    Refers(kind=Building, field="organisation", to=Organisation),
    Refers(kind=Point, field="building", to=Building),
    Refers(kind=Point, field="parent", to=Point),
    Refers(kind=Meter, field="point", to=Point),
    Refers(kind=Adjustment, field="point", to=Point),
    Refers(kind=Activity, field="area", to=Area),
    Refers(kind=Project, field="activity", to=Activity),
    Refers(kind=Indicator, field="area", to=Area),
)

LISTED: Final = (
    Refers(kind=Measure, field="points", to=Point),
    Refers(kind=Station, field="fallbacks", to=Station),
    Refers(kind=Area, field="goals", to=Goal),
    Refers(kind=Indicator, field="goals", to=Goal),
)
"""Fields that list the ids of others, in JSON: kept right by the register's own questions, not by the database."""


def _type_of(hint: Any) -> TypeEngine[Any]:  # noqa: ANN401 - a type hint
    plain: dict[Any, Callable[[], TypeEngine[Any]]] = {
        str: PlainText,
        float: Double,
        int: BigInteger,
        bool: Boolean,
        date: Date,
        datetime: Instant,
    }
    if hint in plain:
        return plain[hint]()
    if get_origin(hint) is tuple:
        return JSON(none_as_null=True)
    if issubclass(hint, StrEnum):
        return PlainText()
    raise TypeError(f"no column is known for {hint}")


def _column(name: str, hint: Any, target: str | None) -> Column[Any]:  # noqa: ANN401 - a type hint
    optional = get_origin(hint) in {Union, types.UnionType}
    if optional:
        hint = next(part for part in get_args(hint) if part is not type(None))
    if target is not None:
        key = ForeignKey(target, deferrable=True, initially="DEFERRED")
        return Column(name, Reference(), key, nullable=name == "parent", index=True)
    return Column(name, _type_of(hint), nullable=optional, primary_key=name == "id")


def _table(name: str, kind: type[Any], targets: dict[str, str]) -> Table:
    hints = get_type_hints(kind)
    return Table(name, metadata, *(_column(f.name, hints[f.name], targets.get(f.name)) for f in fields(kind)))


def _entity_table(kind: type) -> Table:
    return _table(_plural(kind), kind, {r.field: f"{_plural(r.to)}.id" for r in REFERENCES if r.kind is kind})


def _plural(kind: type) -> str:
    name = KINDS[kind]
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _number() -> Column[int]:
    """Return the number of a row, that grows and is never given twice."""
    whole = BigInteger().with_variant(Integer(), "sqlite")
    return Column("id", whole, primary_key=True, autoincrement=True)


REGISTER: Final[dict[type, Table]] = {kind: _entity_table(kind) for kind in KINDS}
jobs: Final = _table("jobs", Job, {})

audit: Final = Table(
    "audit",
    metadata,
    _number(),
    Column("at", Instant(), nullable=False),
    Column("by", PlainText(), nullable=False),
    Column("entity", PlainText(), nullable=False),
    Column("key", PlainText(), nullable=False),
    Column("why", PlainText(), nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Index(None, "entity", "key"),
    sqlite_autoincrement=True,
)

letters: Final = Table(
    "dead_letters",
    metadata,
    _number(),
    Column("topic", ForeignText(), nullable=False),
    Column("payload", LargeBinary(), nullable=False),
    Column("reason", ForeignText(), nullable=False),
    Column("detail", ForeignText(), nullable=False),
    Column("received", Instant(), nullable=False),
    Column("retained", Boolean(), nullable=False),
    Column("replayed", Instant()),
    Column("fingerprint", String(HASH_LENGTH), nullable=False),
    sqlite_autoincrement=True,
)
LETTER_IS_OPEN: Final = text("replayed IS NULL")
Index(
    "uq_dead_letters_open",
    letters.c.fingerprint,
    unique=True,
    postgresql_where=LETTER_IS_OPEN,
    sqlite_where=LETTER_IS_OPEN,
)

inbox: Final = Table(
    "inbox",
    metadata,
    Column("fingerprint", String(HASH_LENGTH), primary_key=True),
    Column("device", ForeignText(), nullable=False),
    Column("register", ForeignText(), nullable=False),
    Column("unit", ForeignText(), nullable=False),
    Column("first_seen", Instant(), nullable=False),
    Column("last_seen", Instant(), nullable=False),
    Column("count", BigInteger(), nullable=False),
    Column("last_value", Double()),
    Column("topic", ForeignText(), nullable=False),
    Column("sample", LargeBinary(), nullable=False),
)

descriptions: Final = Table(
    "descriptions",
    metadata,
    _number(),
    Column("fingerprint", String(HASH_LENGTH), nullable=False, unique=True),
    Column("profile", PlainText(), nullable=False),
    Column("topic", ForeignText(), nullable=False),
    Column("payload", LargeBinary(), nullable=False),
    Column("seen", Instant(), nullable=False),
    sqlite_autoincrement=True,
)

proposals: Final = Table(
    "proposals",
    metadata,
    Column("fingerprint", String(HASH_LENGTH), primary_key=True),
    *(
        Column(name, ForeignText(), nullable=False)
        for name in ("device", "register", "commodity", "unit", "kind", "name", "manufacturer", "model", "profile")
    ),
    Column("description", ForeignText(), nullable=False),
    Column("described_by", String(HASH_LENGTH), nullable=False, index=True),
    Column("entity", ForeignText(), nullable=False),
    Column("topic", ForeignText(), nullable=False),
    Column("flags", JSON(none_as_null=True), nullable=False),
    Column("read", Boolean(), nullable=False),
    Column("first_seen", Instant(), nullable=False),
    Column("last_seen", Instant(), nullable=False),
)

findings: Final = Table(
    "findings",
    metadata,
    _number(),
    Column("point", PlainText(), nullable=False),
    Column("meter", ForeignText(), nullable=False),
    Column("register", ForeignText(), nullable=False),
    Column("rule", PlainText(), nullable=False),
    Column("at_from", Instant(), nullable=False),
    Column("at_to", Instant(), nullable=False),
    Column("evidence", JSON(none_as_null=True), nullable=False),
    Column("proposal", JSON(none_as_null=True)),
    Column("open", Boolean(), nullable=False),
    Index(None, "point", "at_from"),
    Index(None, "at_from"),
    sqlite_autoincrement=True,
)

kept: Final = Table(
    "kept_texts",
    metadata,
    Column("key", PlainText(), primary_key=True),
    Column("text", PlainText(), nullable=False),
)

counters: Final = Table(
    "counters",
    metadata,
    Column("name", PlainText(), primary_key=True),
    Column("value", BigInteger(), nullable=False),
)
REGISTER_VERSION: Final = "register"
"""The counter that grows with every change of the register."""
