"""The register out to spreadsheets and in again: planned first, then done whole or not at all, and undone.

An export read in again changes nothing. A file may hold some kinds, some columns and some rows of the register:
what it does not name stays. An empty cell empties its field, but for dated values, of which it says nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from core.errors import Conflict, InputError, NotFound
from core.notes import Job
from core.ports import RecordStore, Sheet
from core.registry import Dated, DialEvent, Entity
from services.exchange_columns import COLUMNS, READING_UNIT, SHEETS, Column, column_of, dated_heading, kind_of, nearest
from services.exchange_rows import Fault, Row, Values, entity_of, key_of, read_cells, reading_unit, rows_of
from services.exchange_values import Value, shown
from services.register import By, Change, Done, perform
from services.register_rules import NAMES, Place, Snapshot, place, points_touched, problems

IMPORT: Final = "register-import"
"""The kind of the job that stands for a finished import; its id undoes it."""
_KINDS: Final[dict[str, Any]] = {name: kind for kind, name in NAMES.items()}
_FAULTS_TOLD: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import would do: numbers by kind (organisation, building, point, ...), and what is wrong."""

    name: str
    sheets: tuple[Sheet, ...]
    entities: tuple[Entity, ...]
    creates: Mapping[str, int]
    updates: Mapping[str, int]
    unchanged: Mapping[str, int]
    errors: tuple[Fault, ...]
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: its id, by which it is undone (empty where nothing changed), and what changed."""

    id: str
    done: Done


@dataclass(frozen=True, slots=True)
class _Read:
    row: Row
    key: str
    values: Values


def plan_import(sheets: Sequence[Sheet], records: RecordStore, *, name: str = "") -> Plan:
    """Return what importing these sheets would do; nothing is changed. `name` is the file's."""
    return plan_on(sheets, Snapshot.of(records), name=name)


def plan_on(sheets: Sequence[Sheet], register: Snapshot, *, name: str = "") -> Plan:
    """Return what importing these sheets into a register would do."""
    faults: list[Fault] = []
    rows = [row for sheet in sheets for row in _rows(sheet, register, faults)]
    entities, places, after = _entities(rows, register, faults)
    changed = [thing for where, thing in entities.items() if register.things.get(where) != thing]
    about = set(entities)
    for problem in problems(after, about, assumed=set(places)):
        row = places.get((problem.kind, problem.id))
        named = problem.problem if row else str(problem)
        faults.append((row or next(iter(places.values()))).fault(problem.field, named, problem.remedy))
    return Plan(
        name=name,
        sheets=tuple(sheets),
        entities=tuple(changed),
        creates=_counted(thing for thing in changed if place(thing) not in register.things),
        updates=_counted(thing for thing in changed if place(thing) in register.things),
        unchanged=_counted(thing for where, thing in entities.items() if register.things.get(where) == thing),
        errors=tuple(sorted(set(faults), key=lambda f: (_order(sheets, f.sheet), f.row, f.column, f.problem))),
        points=points_touched(register, after, {place(thing) for thing in changed}),
    )


def _counted(things: Iterable[Entity]) -> dict[str, int]:
    return dict(Counter(NAMES[type(thing)] for thing in things))


def _order(sheets: Sequence[Sheet], name: str) -> int:
    return next((n for n, sheet in enumerate(sheets) if sheet.name == name), len(sheets))


# Sheets to rows


def _rows(sheet: Sheet, register: Snapshot, faults: list[Fault]) -> list[Row]:
    """Return the rows of a sheet; tell what is wrong with its headings."""
    if not sheet.columns:
        return []
    heading = sheet.first_row - 1
    kind = kind_of(sheet.name, sheet.columns)
    if kind is None:
        known = ", ".join(names[0] for names in SHEETS.values())
        faults.append(
            Fault(
                sheet=sheet.name,
                row=heading,
                column=sheet.columns[0],
                problem=f"it cannot be told what sheet {sheet.name!r} holds",
                remedy=f"name it one of {known}",
            )
        )
        return []
    columns = [column_of(kind, written) for written in sheet.columns]
    rows = list(rows_of(sheet, kind, columns))
    wrong = [
        *_unknown(sheet, kind, columns),
        *_doubled(sheet, columns),
        *_missing(sheet, kind, columns, rows, register),
    ]
    faults += wrong
    return [replace(row, spoilt=bool(wrong)) for row in rows]


def _unknown(sheet: Sheet, kind: type, columns: Sequence[Column | None]) -> list[Fault]:
    return [
        Fault(
            sheet=sheet.name,
            row=sheet.first_row - 1,
            column=written,
            problem=f"column {written!r} is not known",
            remedy=f"name it as it should be (nearest is {nearest(kind, written)!r}), or leave it out",
        )
        for written, column in zip(sheet.columns, columns, strict=True)
        if column is None
    ]


def _doubled(sheet: Sheet, columns: Sequence[Column | None]) -> list[Fault]:
    fields = [(column.field, column.part, column.kind) if column else None for column in columns]
    return [
        Fault(
            sheet=sheet.name,
            row=sheet.first_row - 1,
            column=sheet.columns[n],
            problem=f"columns {sheet.columns[fields.index(what)]!r} and {sheet.columns[n]!r} are the same",
            remedy="keep one of them",
        )
        for n, what in enumerate(fields)
        if what is not None and what in fields[:n]
    ]


def _missing(
    sheet: Sheet, kind: type, columns: Sequence[Column | None], rows: Sequence[Row], register: Snapshot
) -> list[Fault]:
    """Return the columns without which rows that are not stored cannot be made."""
    present = {column.field for column in columns if column}
    needed = [c for c in COLUMNS[kind] if c.field not in present and (c.required or c.field == "id")]
    if kind is DialEvent:
        needed = [c for c in needed if c.field != "id"]
    ids = [str(key) for row in rows if (key := read_cells(row).fields.get("id"))]
    stored = "id" in present and all((kind, key) in register.things for key in ids)
    return [
        Fault(
            sheet=sheet.name,
            row=sheet.first_row - 1,
            column=column.czech,
            problem=f"column {column.czech!r} is missing",
            remedy="add it",
        )
        for column in needed
        if rows and not stored
    ]


# Rows to entities


def _entities(
    rows: Sequence[Row], register: Snapshot, faults: list[Fault]
) -> tuple[dict[Place, Entity], dict[Place, Row], Snapshot]:
    """Return the entities, the row of every id in the file, and the register with the entities in it.

    Those referred to are made first, wherever they stand: dial readings need the unit of their meter and point.
    """
    entities: dict[Place, Entity] = {}
    places: dict[Place, Row] = {}
    after = register
    for kind in COLUMNS:
        for read in _read(kind, rows, register, places, faults):
            usable = bool(read.key) and not read.row.spoilt
            made = entity_of(read.row, read.key, read.values, after) if usable else None
            faults += read.values.faults
            if made is not None:
                entities[place(made)] = made
        after = register.changed(entities.values())
    return entities, places, after


def _read(
    kind: type, rows: Sequence[Row], register: Snapshot, places: dict[Place, Row], faults: list[Fault]
) -> list[_Read]:
    """Return the rows of a kind with their cells read; a row whose id stood before is told and left out."""
    read: list[_Read] = []
    for row in (row for row in rows if row.kind is kind):
        values = read_cells(row)
        key = key_of(row, values, register)
        first = places.setdefault((kind, key), row) if key else row
        if first is not row:
            where = f"row {first.number}" + ("" if first.sheet == row.sheet else f" of sheet {first.sheet}")
            problem = f"{NAMES[kind]} {key} stands in {where} and in row {row.number}"
            faults.append(row.fault("id", problem, "keep one of them"))
            faults += values.faults
            continue
        read.append(_Read(row, key, values))
    return read


# Doing it


def apply_import(plan: Plan, records: RecordStore, act: By) -> Imported:
    """Do what was planned, all or nothing, on the register as it now stands; raise InputError where it has errors.

    Doing it twice changes nothing the second time.
    """
    digest = hashlib.sha256(msgspec.json.encode(plan.sheets)).hexdigest()[:12]
    number = f"{act.now:%Y%m%dT%H%M%S%f}-{digest}"
    why = f"import {plan.name}".strip() + (f": {act.why}" if act.why else "")

    def decide(register: Snapshot) -> Change:
        fresh = plan_on(plan.sheets, register, name=plan.name)
        if fresh.errors:
            raise _refused(fresh)
        if fresh.entities:
            records.keep(_note(number), _states(register, fresh.entities))
        return Change(save=fresh.entities)

    done = perform(records, decide, replace(act, why=why))
    if not done.saved:
        return Imported(id="", done=done)
    size = len(done.saved)
    records.save_job(
        Job(
            id=number, kind=IMPORT, state="done", done=size, total=size, started=act.now, changed=act.now,
            detail=plan.name,
        )
    )  # fmt: skip
    return Imported(id=number, done=done)


def _refused(plan: Plan) -> InputError:
    told = "; ".join(f"{f.sheet}, row {f.row}, {f.column}: {f.problem}" for f in plan.errors[:_FAULTS_TOLD])
    more = len(plan.errors) - _FAULTS_TOLD
    return InputError(
        told + (f"; and {more} more" if more > 0 else ""), place=plan.name, remedy="mend the file and plan it again"
    )


def undo_import(records: RecordStore, number: str, act: By) -> Done:
    """Put back what an import changed; raise Conflict where that was changed since, NotFound for an unknown import.

    Doing it twice changes nothing the second time.
    """
    text = records.kept(_note(number))
    if not text:
        raise NotFound(f"import {number} is not known")
    states = [_state(entry) for entry in msgspec.json.decode(text)]

    def decide(register: Snapshot) -> Change:
        if all(register.things.get(place(later)) == former for former, later in states):
            return Change()
        for _, later in states:
            if register.things.get(place(later)) != later:
                raise Conflict(f"{NAMES[type(later)]} {later.id} was changed since the import; correct it by hand")
        restored = tuple(former for former, _ in states if former is not None)
        return Change(save=restored, remove=tuple(later for former, later in states if former is None))

    return perform(records, decide, replace(act, why=act.why or f"undo import {number}"))


def _note(number: str) -> str:
    return f"import/{number}"


def _states(register: Snapshot, entities: Sequence[Entity]) -> str:
    """Return the states before and after, as JSON."""
    entries = [(NAMES[type(thing)], register.things.get(place(thing)), thing) for thing in entities]
    return msgspec.json.encode(entries).decode()


def _state(entry: Sequence[Any]) -> tuple[Entity | None, Entity]:
    kind = _KINDS[entry[0]]
    former: Entity | None = None if entry[1] is None else msgspec.convert(entry[1], kind)
    return former, msgspec.convert(entry[2], kind)


# Out


def export_register(records: RecordStore, *, kinds: Sequence[type] = (), language: str = "cs") -> list[Sheet]:
    """Return the register as sheets, of these kinds (none: of all), with headings and words in cs or en.

    Of dated values the newest of each kind is written.
    """
    register = Snapshot.of(records)
    return [_sheet(register, kind, language) for kind in COLUMNS if kind in (kinds or tuple(COLUMNS))]


def _sheet(register: Snapshot, kind: type, language: str) -> Sheet:
    things: list[Entity] = sorted(register.every(kind), key=lambda thing: thing.id)
    columns = [*COLUMNS[kind], *_further(kind, things, language)]
    which = 0 if language == "cs" else 1
    return Sheet(
        name=SHEETS[kind][which],
        columns=tuple(c.headings[min(which, len(c.headings) - 1)] for c in columns),
        rows=tuple(tuple(_cell(register, thing, c, language) for c in columns) for thing in things),
    )


def _further(kind: type, things: Sequence[Entity], language: str) -> list[Column]:
    """Return columns of dated values of kinds that have none of their own."""
    own = {(c.field, c.kind) for c in COLUMNS[kind] if c.part}
    used = {
        (name, value.kind)
        for name in dict.fromkeys(c.field for c in COLUMNS[kind] if c.part)
        for thing in things
        for value in getattr(thing, name)
    }
    headings = [
        dated_heading(name, part, of, language) for name, of in sorted(used - own) for part in ("value", "since")
    ]
    return [column for heading in headings if (column := column_of(kind, heading))]


def _cell(register: Snapshot, thing: Any, column: Column, language: str) -> Value:  # noqa: ANN401 - an entity
    if column.part:
        mine: list[Dated] = [value for value in getattr(thing, column.field) if value.kind == column.kind]
        newest = max(mine, key=lambda value: value.since, default=None)
        return None if newest is None else shown(getattr(newest, column.part), language)
    if column.field == READING_UNIT:
        read = thing.first is not None or thing.final is not None
        return reading_unit(thing, register) if read else None
    return shown(getattr(thing, column.field), language)
