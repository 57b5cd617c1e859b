"""What a table says by its mapping: columns of values to readings in canonical units, with every fault in its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.calendar import Bools, Longs
from core.errors import InputError, UnitError
from core.reading_tables import Amount, Layout, Means, TableMapping, TableReadings, ValueColumn
from core.readings import Bytes, Codes, Floats, Quality
from core.table_troubles import Trouble
from core.units import Quantity, Unit, unit
from ingest.reading_tables_file import Grid, is_date
from ingest.reading_tables_headings import Role, plain, register_of, role_of
from ingest.reading_tables_notes import Notes
from ingest.reading_tables_numbers import SHEET_ERRORS, absent, decimal_mark, numbers
from ingest.reading_tables_periods import When, when
from ingest.reading_tables_propose import is_numeric, means
from ingest.tables_xlsx import Value

FLOWS: Final = {
    Quantity.POWER: Quantity.ENERGY,
    Quantity.REACTIVE_POWER: Quantity.REACTIVE_ENERGY,
    Quantity.FLOW: Quantity.VOLUME,
}
COUNTABLE: Final = {Quantity.ENERGY, Quantity.REACTIVE_ENERGY, Quantity.VOLUME}
_FOOTER: Final = re.compile(r"(celkem|soucet|suma|total|sum|prumer|maximum|minimum|max|min|average)\b.*")
_WHOLE_CODE: Final = 10**15
COLUMN_FIELDS: Final = (
    "subject", "time", "clock", "start", "end", "period", "unit", "register", "status",
    "document", "document_kind", "price",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A column of names: the distinct ones and the index of each row's."""

    names: tuple[str, ...]
    code: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """The readings of one column of values: which rows are good, and what they say."""

    good: Bools
    value: Floats
    quality: Bytes
    register: _Named
    quantity: Codes
    quantities: tuple[tuple[Quantity, str], ...]


def read(grid: Grid, mapping: TableMapping) -> TableReadings:
    """Return what a grid says by a mapping; rows with a fault are not among its readings."""
    notes = Notes(grid)
    mapping = _checked(grid, mapping, notes)
    if notes.faults or not grid.count:
        return _empty(grid, notes)
    used = _used(grid, mapping, notes)
    subject = _subjects(grid, mapping)
    registers = _registers(grid, mapping, used, notes)
    times = when(grid, mapping, _together(subject, registers), used, notes)
    mark = _mark(grid, mapping, notes)
    if notes.faults and not times.good.any():
        return _empty(grid, notes)
    made = [_values(grid, mapping, column, times, registers, mark, notes) for column in mapping.values]
    for heading in unread(grid, mapping):
        notes.remark(Trouble.COLUMN_LEFT, heading, value=heading)
    if times.ambiguous.any():
        notes.remark(Trouble.AMBIGUOUS, mapping.time, count=str(int(times.ambiguous.sum())))
    if not (any(column.good.any() for column in made) or notes.faults or notes.remarks):
        return _empty(grid, notes)
    return _stacked(grid, mapping, made, times, subject, _prices(grid, mapping, mark, notes), notes)


def unread(grid: Grid, mapping: TableMapping) -> list[str]:
    """Return the headings of numbers that a mapping does not name."""
    named = {getattr(mapping, f) for f in COLUMN_FIELDS} | {n for v in mapping.values for n in (v.column, v.status)}
    return [h for h in grid.columns if h not in named and role_of(h) is Role.VALUE and is_numeric(grid, h)]


def _checked(grid: Grid, mapping: TableMapping, notes: Notes) -> TableMapping:
    """Note what a mapping lacks or names that is not there; values under no heading too."""
    for row, value in grid.stray:
        notes.cells("", np.arange(grid.count) == row - grid.first_row, Trouble.NO_HEADING, value=value[:80])
    named = [getattr(mapping, f) for f in COLUMN_FIELDS]
    named += [name for column in mapping.values for name in (column.column, column.status)]
    for name in dict.fromkeys(filter(None, named)):
        if name not in grid.columns:
            notes.table(Trouble.COLUMN_LACKING, name, value=name)
    if not mapping.values:
        notes.table(Trouble.VALUE_COLUMN)
    if not mapping.subject and not mapping.whole and not all(v.subject for v in mapping.values):
        notes.table(Trouble.SUBJECT_COLUMN)
    if mapping.layout is Layout.INVOICES:
        return replace(mapping, amount=Amount.INTERVAL)
    if mapping.amount is None:
        notes.table(Trouble.KIND_UNSURE, mapping.values[0].column if mapping.values else "")
    return mapping


def _used(grid: Grid, mapping: TableMapping, notes: Notes) -> Bools:
    """Return which rows are to be read: those with a value or a time, but for the last ones that look like sums."""
    times = [name for name in (mapping.time, mapping.start, mapping.end, mapping.period) if name]
    filled = np.zeros(grid.count, bool)
    for name in (*(column.column for column in mapping.values), *times):
        filled |= ~absent(grid.column(name))
        if filled.all():
            break
    for row in np.flatnonzero(filled)[-20:].tolist():
        first = next((c[row] for c in grid.cells if c[row] is not None), None)
        dated = any(is_date(grid.column(name)[row]) for name in times)
        if isinstance(first, str) and _FOOTER.fullmatch(plain(first)) and not dated:
            filled[row] = False
            notes.remark(Trouble.TOTAL_LEFT, row=row)
    return filled


def _name(cell: Value) -> str:
    """Return a name as text; a code that a spreadsheet made a number keeps its digits where it has them."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.6E}" if abs(cell) >= _WHOLE_CODE else str(int(cell))
    if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) >= _WHOLE_CODE:
        return f"{float(cell):.6E}"
    return str(cell).strip()


def _coded(cells: Sequence[Value]) -> _Named:
    place: dict[Value, int] = {}
    code = np.fromiter((place.setdefault(c, len(place)) for c in cells), np.int32, len(cells))
    names: dict[str, int] = {}
    table = np.array([names.setdefault(_name(c), len(names)) for c in place] or [0], np.int32)
    return _Named(names=tuple(names) or ("",), code=table[code])


def _whole(name: str, count: int) -> _Named:
    return _Named(names=(name,), code=np.zeros(count, np.int32))


def _subjects(grid: Grid, mapping: TableMapping) -> _Named:
    if mapping.subject:
        return _coded(grid.column(mapping.subject))
    return _whole(mapping.whole, grid.count)


def _registers(grid: Grid, mapping: TableMapping, used: Bools, notes: Notes) -> _Named:
    """Return the registers that the rows name, full or partial."""
    if not mapping.register:
        return _whole("", grid.count)
    found = _coded(grid.column(mapping.register))
    names: dict[str, int] = {}
    table = []
    for number, written in enumerate(found.names):
        try:
            table.append(names.setdefault(register_of(written), len(names)))
        except InputError:
            table.append(names.setdefault("", len(names)))
            notes.cells(mapping.register, used & (found.code == number), Trouble.REGISTER_UNKNOWN, value=written)
    return _Named(names=tuple(names), code=np.array(table, np.int32)[found.code])


def _together(subject: _Named, register: _Named) -> Codes:
    return np.asarray(subject.code * len(register.names) + register.code, np.int32)


def _mark(grid: Grid, mapping: TableMapping, notes: Notes) -> str:
    """Return the decimal mark: as said, as the values tell, or (noted) unsure."""
    if mapping.decimal:
        return mapping.decimal
    names = [v.column for v in mapping.values] + ([mapping.price] if mapping.price else [])
    found = decimal_mark(grid.column(name) for name in names)
    if not found.mark and found.unsure:
        notes.table(Trouble.MARK_UNSURE, mapping.values[0].column, value=found.unsure)
    return found.mark


# Values


def _values(  # noqa: PLR0917 - one column of one act
    grid: Grid, mapping: TableMapping, column: ValueColumn, times: When, rows: _Named, mark: str, notes: Notes
) -> _Column:
    """Return the readings of one column."""
    cells = grid.column(column.column)
    found = numbers(cells, mark)
    status = _statuses(grid, column.status or mapping.status, mapping.statuses, times.good & ~found.empty, notes)
    wanted = times.good & ~found.empty & ~status.skip
    broken = np.fromiter((c in SHEET_ERRORS for c in cells), bool, len(cells)) if found.bad.any() else found.bad
    notes.cells(column.column, wanted & found.bad & broken, Trouble.SHEET_ERROR, cells)
    notes.cells(column.column, wanted & found.bad & ~broken, Trouble.NO_NUMBER, cells)
    below = wanted & (found.value < 0) & (mapping.layout is not Layout.INVOICES)
    notes.cells(column.column, below, Trouble.NEGATIVE, cells)
    units = _units(grid, mapping, column, wanted, notes)
    good = wanted & ~found.bad & ~below & ~status.unknown & units.good
    quality = np.zeros(len(cells), np.uint8) | np.uint8(Quality.MANUAL if mapping.manual else 0)
    quality[status.suspect] |= np.uint8(Quality.SUSPECT)
    quality[times.ambiguous] |= np.uint8(Quality.AMBIGUOUS_TIME)
    value = found.value * units.scale / units.divisor
    if mapping.amount is Amount.MEAN_POWER:
        value = value * times.span_s / 3600
    register = _whole(column.register, grid.count) if column.register else rows
    empty = int((times.good & found.empty & ~status.skip).sum())
    if empty:
        notes.remark(Trouble.EMPTY_LEFT, column.column, count=str(empty))
    return _Column(
        good=good, value=value, quality=quality, register=register, quantity=units.code, quantities=units.quantities
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statuses:
    skip: Bools
    suspect: Bools
    unknown: Bools


def _statuses(grid: Grid, column: str, said: Mapping[str, Means], wanted: Bools, notes: Notes) -> _Statuses:
    """Return what the statuses of the rows say; a word that nobody explained is a fault."""
    none = np.zeros(grid.count, bool)
    if not column:
        return _Statuses(skip=none, suspect=none, unknown=none)
    found = _coded(grid.column(column))
    masks = {Means.SKIP: none.copy(), Means.SUSPECT: none.copy(), None: none.copy(), Means.GOOD: none.copy()}
    for number, written in enumerate(found.names):
        here = found.code == number
        told = Means.GOOD if not written else means(written, said)
        masks[told] |= here
        count = str(int((here & wanted).sum()))
        if told is Means.SKIP and count != "0":
            notes.remark(Trouble.STATUS_LEFT, column, count=count, value=written)
        if told is Means.SUSPECT and count != "0":
            notes.remark(Trouble.STATUS_SUSPECT, column, count=count, value=written)
        if told is None:
            first = np.zeros(grid.count, bool)
            first[np.flatnonzero(here & wanted)[:1]] = True
            notes.cells(column, first, Trouble.STATUS_UNKNOWN, value=written)
    return _Statuses(skip=masks[Means.SKIP], suspect=masks[Means.SUSPECT], unknown=masks[None])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """The unit of each row: scale and divisor to the canonical one, the quantity, and whether it is known."""

    scale: Floats
    divisor: Floats
    code: Codes
    quantities: tuple[tuple[Quantity, str], ...]
    good: Bools


def _units(grid: Grid, mapping: TableMapping, column: ValueColumn, wanted: Bools, notes: Notes) -> _Units:
    written = _whole(column.unit, grid.count)
    place = column.column
    if not column.unit and mapping.unit:
        written, place = _coded(grid.column(mapping.unit)), mapping.unit
    found = [_unit(name, mapping.amount) for name in written.names]
    good = np.ones(grid.count, bool)
    for number, (name, one) in enumerate(zip(written.names, found, strict=True)):
        if isinstance(one, Trouble):
            here = written.code == number
            first = np.zeros(grid.count, bool)
            first[np.flatnonzero(here & wanted)[: 1 if written.names == (name,) else None]] = True
            notes.cells(place, first, one, value=name)
            good &= ~here
    units = [Unit(Quantity.UNSTATED) if isinstance(one, Trouble) else one for one in found]
    quantities = tuple(
        (FLOWS.get(one.quantity, one.quantity), name) for one, name in zip(units, written.names, strict=True)
    )
    return _Units(
        scale=np.array([one.scale for one in units])[written.code],
        divisor=np.array([one.divisor for one in units])[written.code],
        code=written.code,
        quantities=quantities,
        good=good,
    )


def _unit(name: str, amount: Amount | None) -> Unit | Trouble:
    """Return the unit that was written, or what is wrong with it for such values."""
    if not name:
        return Trouble.UNIT_UNSTATED
    try:
        found = unit(name)
    except UnitError:
        return Trouble.UNIT_UNKNOWN
    flows = found.quantity in FLOWS
    if amount is Amount.MEAN_POWER:
        return found if flows else Trouble.NO_POWER_UNIT
    if flows:
        return Trouble.POWER_UNIT
    return found if found.quantity in COUNTABLE else Trouble.QUANTITY


def _prices(grid: Grid, mapping: TableMapping, mark: str, notes: Notes) -> Floats:
    if not mapping.price:
        return np.full(grid.count, np.nan)
    found = numbers(grid.column(mapping.price), mark)
    notes.cells(mapping.price, found.bad, Trouble.NO_NUMBER, grid.column(mapping.price))
    return found.value


# All together


def _stacked(  # noqa: PLR0917 - the parts of one table
    grid: Grid,
    mapping: TableMapping,
    made: Sequence[_Column],
    times: When,
    subject: _Named,
    prices: Floats,
    notes: Notes,
) -> TableReadings:
    """Return the columns as one, column after column."""
    chosen = [np.flatnonzero(column.good) for column in made]
    rows = np.concatenate(chosen)
    subjects, subject_code = _dictionary(
        [
            (_whole(v.subject, grid.count) if v.subject else subject, picked)
            for v, picked in zip(mapping.values, chosen, strict=True)
        ]
    )
    registers, register_code = _dictionary([(c.register, picked) for c, picked in zip(made, chosen, strict=True)])
    quantities: dict[tuple[Quantity, str], int] = {}
    tables = [np.array([quantities.setdefault(q, len(quantities)) for q in c.quantities], np.int32) for c in made]
    documents, document = _documents(grid, mapping)
    pairs = list(zip(made, chosen, tables, strict=True))
    return TableReadings(
        sheet=grid.name,
        columns=tuple(v.column for v in mapping.values),
        subjects=subjects,
        registers=registers,
        quantities=tuple(quantities),
        subject=subject_code,
        register=register_code,
        quantity=np.concatenate([table[c.quantity[picked]] for c, picked, table in pairs]),
        at=times.at_us[rows].view("datetime64[us]"),
        span_s=times.span_s[rows],
        value=np.concatenate([c.value[picked] for c, picked, _ in pairs]),
        quality=np.concatenate([c.quality[picked] for c, picked, _ in pairs]),
        row=rows + grid.first_row,
        column=np.repeat(np.arange(len(made), dtype=np.int32), [len(picked) for picked in chosen]),
        documents=documents,
        document=document[rows],
        price_czk=prices[rows],
        faults=tuple(notes.faults),
        remarks=tuple(notes.remarks),
    )


def _dictionary(parts: Sequence[tuple[_Named, Longs]]) -> tuple[tuple[str, ...], Codes]:
    place: dict[str, int] = {}
    codes = []
    for named, picked in parts:
        table = np.array([place.setdefault(name, len(place)) for name in named.names], np.int32)
        codes.append(table[named.code[picked]])
    return tuple(place), np.concatenate(codes)


def _documents(grid: Grid, mapping: TableMapping) -> tuple[tuple[tuple[str, str], ...], Codes]:
    numbers_, kinds = (
        [_name(c) for c in grid.column(name)] if name else [""] * grid.count
        for name in (mapping.document, mapping.document_kind)
    )
    place: dict[tuple[str, str], int] = {}
    code = [place.setdefault(pair, len(place)) for pair in zip(numbers_, kinds, strict=True)]
    return tuple(place) or (("", ""),), np.array(code, np.int32)


def _empty(grid: Grid, notes: Notes) -> TableReadings:
    if not notes.faults:
        notes.table(Trouble.NOTHING_TO_READ)
    none = np.zeros(0, np.int32)
    longs = np.zeros(0, np.int64)
    return TableReadings(
        sheet=grid.name,
        columns=(),
        subjects=(),
        registers=(),
        quantities=(),
        subject=none,
        register=none,
        quantity=none,
        at=longs.view("datetime64[us]"),
        span_s=longs,
        value=np.zeros(0),
        quality=np.zeros(0, np.uint8),
        row=longs,
        column=none,
        document=none,
        price_czk=np.zeros(0),
        faults=tuple(notes.faults),
        remarks=tuple(notes.remarks),
    )
