"""The register in SQL: saving and removing with references checked and every change audited, questions about it.

Writers of the register take turns (`Lock.REGISTER`), so that what is checked here still holds at the commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Select, delete, false, func, insert, select, update

from core.errors import Conflict, InputError, NotFound
from core.notes import AuditEntry
from core.papers import GONE
from core.registry import Building, Entity, Point, Role
from storage import tables
from storage.records_rows import Row, chunks, described, entity_of, in_utc, row_of, state_of, upsert
from storage.tables import KINDS, LISTED, REFERENCES, REGISTER
from storage.tables_papers import papers

E = TypeVar("E", bound=Entity)
Place = tuple[type, str]
Change = tuple[type, str, Entity | None, Entity | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something, when, why."""

    by: str
    now: datetime
    why: str


def check_version(connection: Connection, expected: int | None) -> None:
    """Raise Conflict where the register has changed since it was at the expected version."""
    if expected is not None and expected != version(connection):
        raise Conflict("the register was changed meanwhile; look at it again and repeat")


def save(connection: Connection, entities: Sequence[Entity], act: Act) -> None:
    """Insert or replace all of them; audit each that differs from what was stored."""
    given = _given_once(entities)
    _check_references(connection, given)
    changes: list[Change] = []
    for kind in KINDS:
        mine = {key: entity for (of, key), entity in given.items() if of is kind}
        former: dict[str, Entity] = _stored(connection, kind, list(mine))
        differ = {key: entity for key, entity in mine.items() if former.get(key) != entity}
        upsert(connection, REGISTER[kind], [row_of(entity) for entity in differ.values()], key="id")
        changes += [(kind, key, former.get(key), entity) for key, entity in differ.items()]
    _note(connection, changes, act)


def remove_entities(connection: Connection, entities: Sequence[Entity], act: Act) -> None:
    """Remove these, those that refer to others first."""
    for kind in reversed(KINDS):
        if keys := [entity.id for entity in entities if type(entity) is kind]:
            remove(connection, kind, keys, act)


def remove(connection: Connection, kind: type, keys: Sequence[str], act: Act) -> None:
    """Remove these, with the findings on removed points."""
    wanted = list(dict.fromkeys(keys))
    former: dict[str, Entity] = _stored(connection, kind, wanted)
    unknown = [key for key in wanted if key not in former]
    if unknown:
        raise NotFound(f"{_word(kind)} {', '.join(unknown)} is not in the register")
    _check_unreferred(connection, kind, former)
    if kind is Building:
        _check_no_papers(connection, wanted)
    for some in chunks(wanted):
        connection.execute(delete(REGISTER[kind]).where(REGISTER[kind].c.id.in_(some)))
        if kind is Point:
            connection.execute(delete(tables.findings).where(tables.findings.c.point.in_(some)))
    _note(connection, [(kind, key, former[key], None) for key in wanted], act)


def get(connection: Connection, kind: type[E], key: str) -> E:
    """Return one of the register; raise NotFound."""
    found = _stored(connection, kind, [key])
    if key not in found:
        raise NotFound(f"{_word(kind)} {key} is not in the register")
    return found[key]


def find(
    connection: Connection, kind: type[E], where: Mapping[str, str] | None, after: str, limit: int | None
) -> list[E]:
    """Return those whose fields equal `where`, with id > after, ordered by id."""
    table = REGISTER[kind]
    question = select(table).where(*_conditions(kind, where)).order_by(table.c.id).limit(limit)
    if after:
        question = question.where(table.c.id > after)
    return [entity_of(kind, row) for row in connection.execute(question).mappings()]


def count(connection: Connection, kind: type, where: Mapping[str, str] | None) -> int:
    """Return how many fields equal `where`."""
    question = select(func.count()).select_from(REGISTER[kind]).where(*_conditions(kind, where))
    return connection.execute(question).scalar_one()


def version(connection: Connection) -> int:
    """Return the counter of changes."""
    counters = tables.counters
    question = select(counters.c.value).where(counters.c.name == tables.REGISTER_VERSION)
    return int(connection.execute(question).scalar_one())


def audit(
    connection: Connection, *, entity: str | None, key: str | None, by: str | None, before: int | None, limit: int
) -> list[AuditEntry]:
    """Return changes, newest first."""
    table = tables.audit
    question: Select[tuple[object, ...]] = select(table).order_by(table.c.id.desc()).limit(limit)
    if entity is not None:
        question = question.where(table.c.entity == entity)
    if key is not None:
        question = question.where(table.c.key == key)
    if by is not None:
        question = question.where(table.c.by == by)
    if before is not None:
        question = question.where(table.c.id < before)
    return [AuditEntry(**row) for row in connection.execute(question).mappings()]


def _word(kind: type) -> str:
    return KINDS[kind].replace("_", " ")


def _given_once(entities: Sequence[Entity]) -> dict[Place, Entity]:
    given: dict[Place, Entity] = {}
    for entity in map(in_utc, entities):
        if given.setdefault((type(entity), entity.id), entity) != entity:
            raise Conflict(f"{described(entity)} is given twice with different values")
    return given


def _stored(connection: Connection, kind: type[E], keys: Sequence[str]) -> dict[str, E]:
    table = REGISTER[kind]
    found: dict[str, E] = {}
    for some in chunks(keys):
        rows = connection.execute(select(table).where(table.c.id.in_(some))).mappings()
        found.update({row["id"]: entity_of(kind, row) for row in rows})
    return found


def _references(entity: Entity) -> Iterator[Place]:
    """Return what an entity refers to; the terms of a virtual point are points."""
    for refers in REFERENCES:
        if refers.kind is type(entity) and (key := getattr(entity, refers.field)):
            yield refers.to, key
    if isinstance(entity, Point):
        yield from ((Point, term.point) for term in entity.terms)
    for refers in (r for r in LISTED if r.kind is type(entity)):
        yield from ((refers.to, key) for key in getattr(entity, refers.field))


def _check_references(connection: Connection, given: Mapping[Place, Entity]) -> None:
    wanted = {(kind, key): entity for entity in given.values() for kind, key in _references(entity)}
    for kind in KINDS:
        sought = [key for of, key in wanted if of is kind and (kind, key) not in given]
        known = _known(connection, kind, sought)
        for key in sought:
            if key not in known:
                raise Conflict(
                    f"{described(wanted[kind, key])} refers to {_word(kind)} {key}, which is not in the register"
                )


def _known(connection: Connection, kind: type, keys: Sequence[str]) -> set[str]:
    ids = REGISTER[kind].c.id
    return {key for some in chunks(keys) for key in connection.execute(select(ids).where(ids.in_(some))).scalars()}


def _check_unreferred(connection: Connection, kind: type, removed: Mapping[str, Entity]) -> None:
    for holder, holder_id, key in _referring(connection, kind, removed):
        if not (holder is kind and holder_id in removed):
            raise Conflict(f"{_word(kind)} {key} cannot be removed: {_word(holder)} {holder_id} refers to it")


def _check_no_papers(connection: Connection, buildings: Sequence[str]) -> None:
    """Raise Conflict where a document or a note stands in the list of one of these buildings."""
    later = papers.alias()
    last = select(func.max(later.c.version)).where(later.c.id == papers.c.id).scalar_subquery()
    live = select(papers.c.building).where(papers.c.version == last, papers.c.act.not_in(GONE))
    for some in chunks(buildings):
        row = connection.execute(live.where(papers.c.building.in_(some)).limit(1)).first()
        if row is not None:
            raise Conflict(f"building {row[0]} cannot be removed: it has documents or notes; withdraw them first")


def _referring(connection: Connection, kind: type, keys: Mapping[str, Entity]) -> Iterator[tuple[type, str, str]]:
    """Return (kind, id, key referred to) of what refers to these."""
    for refers in (r for r in REFERENCES if r.to is kind):
        table = REGISTER[refers.kind]
        held = table.c[refers.field]
        for some in chunks(keys):
            rows = connection.execute(select(table.c.id, held).where(held.in_(some)).order_by(table.c.id))
            yield from ((refers.kind, row[0], row[1]) for row in rows)
    if kind is Point:
        virtual = find(connection, Point, {"role": Role.VIRTUAL}, "", None)
        yield from ((Point, p.id, term.point) for p in virtual for term in p.terms if term.point in keys)
    for refers in (r for r in LISTED if r.to is kind):
        holders: list[Entity] = find(connection, refers.kind, None, "", None)
        yield from ((refers.kind, h.id, key) for h in holders for key in getattr(h, refers.field) if key in keys)


def _conditions(kind: type, where: Mapping[str, str] | None) -> list[ColumnElement[bool]]:
    return [_condition(kind, name, value) for name, value in (where or {}).items()]


def _condition(kind: type, name: str, value: str) -> ColumnElement[bool]:
    column = REGISTER[kind].c.get(name)
    if column is None or not isinstance(column.type, tables.PlainText | tables.Reference):
        raise InputError(f"{_word(kind)} cannot be sought by {name!r}", remedy="name a text field or a reference of it")
    if tables.legible(value) != value:
        return false()
    return column.is_(None) if isinstance(column.type, tables.Reference) and not value else column == value


def record(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Write entries of the audit trail that are no changes of the register, whose version stays."""
    names = [f.name for f in fields(AuditEntry) if f.name != "id"]
    rows: list[Row] = [{name: getattr(entry, name) for name in names} for entry in entries]
    if rows:
        connection.execute(insert(tables.audit), rows)


def _note(connection: Connection, changes: Sequence[Change], act: Act) -> None:
    """Write the audit trail and let the version grow, in the transaction of the change."""
    if not changes:
        return
    rows: list[Row] = [
        {
            "at": act.now,
            "by": act.by,
            "why": act.why,
            "entity": KINDS[kind],
            "key": key,
            "before": None if before is None else state_of(before),
            "after": None if after is None else state_of(after),
        }
        for kind, key, before, after in changes
    ]
    connection.execute(insert(tables.audit), rows)
    counters = tables.counters
    grown = update(counters).where(counters.c.name == tables.REGISTER_VERSION)
    connection.execute(grown.values(value=counters.c.value + 1))
