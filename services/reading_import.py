"""Readings in from a table: planned first, then stored whole or not at all, remembered, and undone.

The same file twice changes nothing. What an import replaced comes back when it is undone: every reading carries the
import as its source, and the store takes the readings of one source out again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from core.calendar import Bools, Longs, instant, micros, moment
from core.errors import Conflict, InputError, NotFound, StoreError
from core.notes import AuditEntry, InboxItem, Job
from core.ports import ReadingStore, RecordStore
from core.reading_tables import Layout, ReadingTable, ReadingTables, TableMapping, TableReadings
from core.readings import Bytes, Codes, Floats, Readings, SeriesKey
from core.registry import Meter
from core.table_troubles import Told, Trouble
from services.points import unit_of
from services.reading_import_amounts import SOURCE, once, overlapping, with_totals
from services.reading_import_check import NEW, SAME, compare, findings, readings_of, unknown_devices
from services.reading_import_counting import Counting, counting, gaps
from services.reading_import_invoices import Line, ledger, ledger_key, ledger_text, net
from services.reading_import_mapping import remember
from services.reading_import_place import Placed, place, taken, told_rows
from services.register import By, Change, perform
from services.register_rules import Snapshot

IMPORT: Final = "reading-import"
"""The kind of the job that stands for an import of readings; its id undoes it."""

UNDONE: Final = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import would do: readings with their state (NEW, SAME, CHANGED) and the stored value, and its troubles.

    `row` and `column` are the places of the readings in the file; `points` the point of each series.
    """

    name: str
    mapping: TableMapping
    fingerprint: str
    readings: Readings
    state: Bytes
    former: Floats
    row: Longs
    column: Codes
    columns: tuple[str, ...]
    points: tuple[str, ...]
    counting: Counting
    ledgers: Mapping[str, tuple[Line, ...]]
    unknown: tuple[str, ...]
    cost_czk: float | None
    faults: tuple[Told, ...]
    remarks: tuple[Told, ...]


def plan(
    table: ReadingTable,
    mapping: TableMapping,
    *,
    tables: ReadingTables,
    readings: ReadingStore,
    records: RecordStore,
    now: np.datetime64,
    name: str = "",
) -> Plan:
    """Return what importing a table would do; nothing is changed."""
    register = Snapshot.of(records)
    read = table.read(mapping)
    placed = place(read, mapping, register, readings)
    faults = [*read.faults, *placed.faults]
    ledgers: Mapping[str, tuple[Line, ...]] = {}
    if mapping.layout is Layout.INVOICES:
        netted = net(placed, records)
        placed, ledgers = netted.placed, netted.ledgers
        faults += netted.faults
    placed, wrong = once(placed)
    faults += wrong
    placed, wrong = with_totals(placed, readings)
    faults += [*wrong, *overlapping(placed)]
    placed, wrong = _within_bounds(placed, tables, now)
    faults += [*wrong, *_turning(placed)]
    candidate = readings_of(placed)
    compared = compare(candidate, readings)
    faults += told_rows(
        placed.table, compared.other_kind, Trouble.OTHER_KIND, {"value": _first_meter(placed, compared.other_kind)}
    )
    counted = counting(placed, ledgers, register, mapping.zone, readings)
    unknown = unknown_devices(placed, register)
    remarks = [
        *read.remarks,
        *findings(placed, candidate, compared, register, readings),
        *counted.remarks,
        *_gaps(ledgers, read.sheet, mapping.zone),
        *(Told(sheet=read.sheet, row=0, column="", trouble=Trouble.TO_INBOX, args={"value": d}) for d in unknown),
    ]
    return Plan(
        name=name,
        mapping=mapping,
        fingerprint=table.fingerprint,
        readings=candidate,
        state=compared.state,
        former=compared.former,
        row=placed.table.row,
        column=placed.table.column,
        columns=placed.table.columns,
        points=placed.points,
        counting=counted,
        ledgers=ledgers,
        unknown=tuple(unknown),
        cost_czk=_cost(read),
        faults=_in_order(faults),
        remarks=tuple(remarks),
    )


def _cost(read: TableReadings) -> float | None:
    """Return what the documents of a table come to [Kč], each row once; None where none tells it."""
    _, first = np.unique(read.row, return_index=True)
    told = read.price_czk[first]
    return None if np.isnan(told).all() else float(np.nansum(told))


def _in_order(faults: Sequence[Told]) -> tuple[Told, ...]:
    once_each = {(f.sheet, f.row, f.column, f.trouble, tuple(sorted(f.args.items()))): f for f in faults}
    return tuple(sorted(once_each.values(), key=lambda f: (f.row, f.column, f.trouble.name)))


def _within_bounds(placed: Placed, tables: ReadingTables, now: np.datetime64) -> tuple[Placed, list[Told]]:
    """Return the readings that every door accepts, and the others as faults."""
    refused = tables.refused(readings_of(placed), now)
    if not refused:
        return placed, []
    faults = []
    kept = np.ones(len(placed.code), bool)
    for one in refused:
        kept[one.index] = False
        day = f"{moment(placed.table.at[one.index]):%d.%m.%Y %H:%M} UTC"
        args = {} if one.of_value else {"value": day}
        trouble = Trouble.VALUE_BOUND if one.of_value else Trouble.TIME_BOUND
        faults += told_rows(placed.table, np.array([one.index]), trouble, args)
    return replace(placed, table=taken(placed.table, kept), code=placed.code[kept]), faults


def _turning(placed: Placed) -> list[Told]:
    """Return where readings would make another register count than the one that has readings."""
    faults: list[Told] = []
    for device, home in placed.homes.items():
        codes = [n for n, key in enumerate(placed.series) if key.meter == device]
        turned = home.turns([placed.series[n].register for n in codes])
        if turned:
            mine = [n for n in codes if placed.series[n].register == turned[1]]
            args = {"value": turned[1], "former": turned[0]}
            faults += told_rows(placed.table, np.flatnonzero(np.isin(placed.code, mine))[:1], Trouble.COUNTING, args)
    return faults


def _first_meter(placed: Placed, wrong: Bools) -> str:
    rows = np.flatnonzero(wrong)
    return placed.series[placed.code[rows[0]]].meter if len(rows) else ""


def _gaps(ledgers: Mapping[str, tuple[Line, ...]], sheet: str, zone: str) -> list[Told]:
    found: list[Told] = []
    for lines in ledgers.values():
        registers = sorted({line.register for line in lines})
        found += gaps(lines, registers[0], sheet, zone) if registers else []
    return found


# Doing it


class Note(msgspec.Struct, frozen=True):
    """What is kept of an import: enough to tell of it and to take it back."""

    name: str
    by: str
    why: str
    at: datetime
    new: int
    changed: int
    series: list[tuple[str, str, int, int]]
    saved: list[Meter]
    former: list[Meter]
    ledgers: dict[str, tuple[str, str]]
    unknown: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did: its id (empty where nothing changed), how many readings are new and changed."""

    id: str
    new: int
    changed: int


def apply(made: Plan, *, readings: ReadingStore, records: RecordStore, act: By, partial: bool = False) -> Imported:
    """Store what was planned, all or nothing; raise InputError where it has faults.

    With `partial` rows with faults are left out, but for invoices, whose documents belong together. Doing it twice
    changes nothing the second time. The mapping is remembered by the headings.
    """
    if made.faults and (not partial or made.mapping.layout is Layout.INVOICES):
        raise refusal(made)
    remember(made.fingerprint, made.mapping, records)
    chosen = made.state != SAME
    ledgers = _changed_ledgers(made, records)
    if not chosen.any() and not made.counting.save and not ledgers:
        return Imported(id="", new=0, changed=0)
    wanted = made.readings.take(chosen)
    number = _number(made, wanted, act)
    note = _note_of(made, wanted, ledgers, records, act)
    records.keep(_key(number), msgspec.json.encode(note).decode())
    records.save_job(_job(number, note, act, "running"))
    _store(number, note, wanted, made, readings, records, act)
    records.save_job(_job(number, note, act, "done"))
    records.record([_audit(number, note, act, undone=False)])
    return Imported(id=number, new=note.new, changed=note.changed)


def refusal(made: Plan) -> InputError:
    """Return the error that names the first faults of a plan."""
    told = "; ".join(f"{f.sheet}, row {f.row}, {f.column}: {f.problem}" for f in made.faults[:5])
    more = len(made.faults) - 5
    return InputError(
        told + (f"; and {more} more" if more > 0 else ""), place=made.name, remedy="mend the file and plan it again"
    )


def _number(made: Plan, wanted: Readings, act: By) -> str:
    digest = hashlib.sha256(made.name.encode() + wanted.at.tobytes() + wanted.value.tobytes()).hexdigest()[:12]
    return f"{act.now:%Y%m%dT%H%M%S%f}-{digest}"


def _key(number: str) -> str:
    return f"{IMPORT}/{number}"


def _job(number: str, note: Note, act: By, state: str) -> Job:
    total = note.new + note.changed
    done = total if state in {"done", UNDONE} else 0
    return Job(
        id=number, kind=IMPORT, state=state, done=done, total=total, started=note.at, changed=act.now, detail=note.name
    )  # fmt: skip


def _changed_ledgers(made: Plan, records: RecordStore) -> dict[str, tuple[str, str]]:
    """Return the texts of ledgers before and after, of those that change."""
    found = {}
    for point, lines in made.ledgers.items():
        before, after = ledger_text(ledger(records, point)), ledger_text(lines)
        if before != after:
            found[point] = (before, after)
    return found


def _note_of(made: Plan, wanted: Readings, ledgers: dict[str, tuple[str, str]], records: RecordStore, act: By) -> Note:
    state = made.state[made.state != SAME]
    spans = []
    for n in np.unique(wanted.code).tolist():
        at = micros(wanted.at[wanted.code == n])
        spans.append((*wanted.series[n], int(at.min()), int(at.max())))
    touched = {m.id for m in (*made.counting.save, *made.counting.remove)}
    former = [m for m in records.find(Meter) if m.id in touched] if touched else []
    return Note(
        name=made.name,
        by=act.by,
        why=act.why,
        at=act.now,
        new=int((state == NEW).sum()),
        changed=int((state != NEW).sum()),
        series=spans,
        saved=list(made.counting.save),
        former=former,
        ledgers=ledgers,
        unknown=list(made.unknown),
    )


def _store(  # noqa: PLR0917 - what one import writes
    number: str, note: Note, wanted: Readings, made: Plan, readings: ReadingStore, records: RecordStore, act: By
) -> None:
    """Write readings, then entries and ledgers; where one fails what was written is taken back."""
    now = np.full(len(wanted), instant(act.now))
    try:
        readings.write(
            replace(wanted, received=now, sources=(SOURCE + number,), source=np.zeros(len(wanted), np.int32))
        )
        if note.saved or made.counting.remove:
            change = Change(save=made.counting.save, remove=made.counting.remove)
            perform(records, lambda _: change, replace(act, why=f"import {note.name}"))
        for point, (_, after) in note.ledgers.items():
            records.keep(ledger_key(point), after)
    except Exception:
        with suppress(StoreError):  # what cannot be taken back now can be undone later, by the id
            _take_back(number, note, readings, records, act)
            records.save_job(_job(number, note, act, "failed"))
        raise
    records.see(_sightings(number, wanted, note, act))


def _sightings(number: str, wanted: Readings, note: Note, act: By) -> list[InboxItem]:
    """Return what the inbox is to know of devices that stand on no point."""
    found = []
    for n, key in enumerate(wanted.series):
        mine = np.flatnonzero(wanted.code == n)
        if key.meter in note.unknown and len(mine):
            found.append(_sighting(number, key, wanted, mine, note, act))
    return found


def _sighting(  # noqa: PLR0917 - the parts of one sighting
    number: str, key: SeriesKey, wanted: Readings, mine: Longs, note: Note, act: By
) -> InboxItem:
    last = int(mine[np.argmax(wanted.at[mine])])
    return InboxItem(
        device=key.meter,
        register=key.register,
        unit=unit_of(key.register),
        first_seen=moment(wanted.at[mine].min()),
        last_seen=act.now,
        count=len(mine),
        last_value=float(wanted.value[last]),
        topic=SOURCE + number,
        sample=note.name.encode(),
    )


def _audit(number: str, note: Note, act: By, *, undone: bool) -> AuditEntry:
    said = {"name": note.name, "new": note.new, "changed": note.changed, "series": len(note.series)}
    before, after = (said, None) if undone else (None, said)
    return AuditEntry(
        at=act.now, by=act.by, entity="reading_import", key=number, why=act.why, before=before, after=after
    )  # fmt: skip


# Undoing it


def _withdraw(number: str, note: Note, readings: ReadingStore) -> int:
    if not note.series:
        return 0
    keys = [SeriesKey(meter, register) for meter, register, _, _ in note.series]
    start = np.datetime64(min(first for _, _, first, _ in note.series), "us")
    end = np.datetime64(max(last for _, _, _, last in note.series) + 1, "us")
    return readings.withdraw(SOURCE + number, keys, start, end)


def _take_back(number: str, note: Note, readings: ReadingStore, records: RecordStore, act: By) -> int:
    """Take out what an import stored, and put back what it changed; return how many readings went."""
    gone = _withdraw(number, note, readings)
    for point, (before, after) in note.ledgers.items():
        if records.kept(ledger_key(point)) == after:
            records.keep(ledger_key(point), before)
    _restore(number, note, records, act)
    silent = [d for d in note.unknown if not readings.known([d])]
    if silent:
        records.leave_inbox(silent)
    return gone


def undo(number: str, *, readings: ReadingStore, records: RecordStore, act: By) -> int:
    """Take an import back, what it replaced comes back; return how many readings went.

    Raise NotFound for an unknown import, Conflict where invoices of a point were imported after it. Doing it twice
    changes nothing the second time.
    """
    note = note_of(records, number)
    for point, (_, after) in note.ledgers.items():
        if records.kept(ledger_key(point)) not in {after, note.ledgers[point][0]}:
            raise Conflict(f"invoices of point {point} were imported after this; undo that import first")
    gone = _take_back(number, note, readings, records, act)
    records.save_job(_job(number, note, act, UNDONE))
    records.record([_audit(number, note, act, undone=True)])
    return gone


def note_of(records: RecordStore, number: str) -> Note:
    """Return what an import did; raise NotFound."""
    text = records.kept(_key(number))
    if not text:
        raise NotFound(f"import {number} is not known")
    return msgspec.json.decode(text, type=Note)


def _restore(number: str, note: Note, records: RecordStore, act: By) -> None:
    """Put back the entries that an import changed, but for those that were changed since."""
    if not note.saved and not note.former:
        return
    saved, former = {m.id: m for m in note.saved}, {m.id: m for m in note.former}

    def decide(register: Snapshot) -> Change:
        now = {m.id: m for m in register.every(Meter)}
        mine = [key for key in {*saved, *former} if now.get(key) == saved.get(key)]
        back = tuple(former[key] for key in sorted(mine) if key in former)
        gone = tuple(now[key] for key in sorted(mine) if key not in former and key in now)
        return Change(save=back, remove=gone)

    perform(records, decide, replace(act, why=act.why or f"undo import {number}"))


def imports(records: RecordStore, limit: int = 100) -> list[tuple[Job, Note]]:
    """Return the imports of readings, newest first, with what they did."""
    found = []
    for job in records.jobs(kind=IMPORT, limit=limit):
        text = records.kept(_key(job.id))
        if text:
            found.append((job, msgspec.json.decode(text, type=Note)))
    return found
