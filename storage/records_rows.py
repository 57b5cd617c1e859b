"""Entities to rows and back, driven by the fields of the dataclasses; upserts in the dialect of the database."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar, cast

import msgspec
from sqlalchemy import Connection, RowMapping, Table
from sqlalchemy.dialects import postgresql, sqlite

from core.errors import InputError, TimeError
from core.registry import Entity
from storage.tables import KINDS

E = TypeVar("E", bound=Entity)
Item = TypeVar("Item")
Row = dict[str, Any]
CHUNK: Final = 10_000
"""Keys in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535."""


def described(entity: Entity) -> str:
    """Return how an entity is named in errors."""
    return f"{KINDS[type(entity)].replace('_', ' ')} {entity.id}"


def in_utc(entity: E) -> E:
    """Return the entity with its instants in UTC, so that what is stored and audited does not depend on the zone."""
    instants = {f.name: v for f in fields(entity) if isinstance(v := getattr(entity, f.name), datetime)}
    try:
        changes: dict[str, Any] = {name: at.astimezone(UTC) for name, at in instants.items()}
        return replace(entity, **changes)
    except OverflowError as err:
        raise TimeError(f"an instant of {described(entity)} is out of bounds", remedy="check the year") from err


def row_of(entity: Entity) -> Row:
    """Return the row of an entity: instants and dates stay, lists become JSON; raise InputError for no number."""
    row = cast("Row", msgspec.to_builtins(entity, builtin_types=(datetime, date)))
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{name} of {described(entity)} is {value}", remedy="write a number, or leave it out")
    return row


def entity_of(kind: type[E], row: RowMapping) -> E:
    """Return the entity of a row."""
    return msgspec.convert({f.name: row[f.name] for f in fields(kind)}, kind)


def state_of(entity: Entity) -> Row:
    """Return what the audit trail says of an entity, as JSON."""
    return cast("Row", msgspec.to_builtins(entity))


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Return the items in lists short enough for one statement."""
    everything = list(items)
    return (everything[n : n + CHUNK] for n in range(0, len(everything), CHUNK))


def insert_into(connection: Connection, table: Table) -> sqlite.Insert:
    """Return an insert that knows ON CONFLICT, which both dialects spell alike."""
    if connection.dialect.name == "postgresql":
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, key: str) -> None:
    """Insert the rows, each in the place of the one with its key; one statement, sent once for all."""
    if not rows:
        return
    insert = insert_into(connection, table)
    others = {c.name: insert.excluded[c.name] for c in table.c if c.name != key}
    connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=others), list(rows))
