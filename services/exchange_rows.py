"""Rows of spreadsheets to entities: cell by cell, on top of what is stored, each fault with its place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final

from core.errors import InputError
from core.ports import Sheet
from core.registry import MAIN_REGISTERS, Commodity, Dated, DialEvent, Entity, Meter, Point, Register, Role
from core.units import CANONICAL, Quantity, Unit, unit
from services.exchange_columns import READING_UNIT, Column
from services.exchange_values import Value
from services.register_rules import COUNTED, Snapshot, mounted_at

_LINKED: Final = {"role", "terms", "removed", "code", "parent", "expected_saving", "per_day", "source"}
"""Fields that are wrong only together with others."""
_COUNTS: Final = {Quantity.ENERGY, Quantity.VOLUME, Quantity.PULSE_COUNT, Quantity.HEAT_COST_UNITS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong in a file, where (row 1 is the first of the sheet), and what to do."""

    sheet: str
    row: int
    column: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that is not empty: cells by column, with the headings as they stand in the file.

    It is `spoilt` where the headings of its sheet are wrong: its cells are read for their faults and its id alone.
    """

    kind: type
    sheet: str
    number: int
    cells: tuple[tuple[Column, str, Value], ...]
    spoilt: bool = False

    def heading(self, field: str, kind: str | None = None) -> str:
        """Return the heading of a field in this file, empty where it has none."""
        return next((h for c, h, _ in self.cells if c.field == field and kind in {None, c.kind}), "")

    def fault(self, field: str, problem: str, remedy: str, *, kind: str | None = None) -> Fault:
        """Return a fault of this row, at the id where the file has no such column."""
        column = self.heading(field, kind) or self.heading("id")
        return Fault(sheet=self.sheet, row=self.number, column=column, problem=problem, remedy=remedy)


@dataclass(slots=True)
class Values:
    """The fields of a row as read, with the faults met so far."""

    fields: dict[str, Any] = field(default_factory=dict)
    dated: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def rows_of(sheet: Sheet, kind: type, columns: Sequence[Column | None]) -> Iterator[Row]:
    """Return the rows of a sheet that are not empty, with the cells of the columns that are known."""
    for number, cells in enumerate(sheet.rows, start=sheet.first_row):
        if not all(_blank(value) for value in cells):
            placed = zip(columns, sheet.columns, cells, strict=True)
            known = tuple((column, heading, cell) for column, heading, cell in placed if column is not None)
            yield Row(kind=kind, sheet=sheet.name, number=number, cells=known)


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def read_cells(row: Row) -> Values:
    """Return what the cells say; an empty cell of a plain field is its default, of a dated one says nothing."""
    read = Values()
    for column, heading, cell in row.cells:
        try:
            _take(read, column, cell, row)
        except InputError as err:
            if column.part:
                read.dated.setdefault((column.field, column.kind), {})["wrong"] = True
            read.faults.append(
                Fault(sheet=row.sheet, row=row.number, column=heading, problem=err.problem, remedy=err.remedy)
            )
    return read


def _take(read: Values, column: Column, cell: Value, row: Row) -> None:
    if column.part:
        if not _blank(cell):
            read.dated.setdefault((column.field, column.kind), {})[column.part] = column.read(cell)
    elif not _blank(cell):
        read.fields[column.field] = column.read(cell)
    elif column.required:
        raise InputError("the cell is empty", remedy="fill it in")
    elif column.field not in {"id", READING_UNIT}:
        read.fields[column.field] = _default(row.kind, column.field)


def _default(kind: type, name: str) -> Any:  # noqa: ANN401 - a field of any type
    default = next(f.default for f in fields(kind) if f.name == name)
    if default is MISSING:
        raise InputError("the cell is empty", remedy="fill it in")
    return default


def entity_of(row: Row, key: str, read: Values, register: Snapshot) -> Entity | None:
    """Return the entity that a row makes of what is stored, None where it has faults, which are added to `read`."""
    former = register.get(row.kind, key)
    values: dict[str, Any] = {f.name: getattr(former, f.name) for f in fields(former)} if former else {}
    given = {name: _as_stored(value, values.get(name)) for name, value in read.fields.items() if name != READING_UNIT}
    values |= given | {"id": key}
    _merge_dated(row, read, values)
    _convert_dials(row, read, values, register)
    if read.faults:
        return None
    made, faults = _made(row, values)
    read.faults += faults
    return made


def _as_stored(value: Any, stored: Any) -> Any:  # noqa: ANN401 - a field of any type
    """Return the stored text where the cell differs from it by spaces around alone."""
    return stored if isinstance(stored, str) and isinstance(value, str) and stored.strip() == value else value


# Dated values


def _merge_dated(row: Row, read: Values, values: dict[str, Any]) -> None:
    for (name, kind), said in read.dated.items():
        if "wrong" in said:
            continue
        stored: tuple[Dated, ...] = values.get(name, ())
        mine = [d for d in stored if d.kind == kind]
        newest = max(mine, key=lambda d: d.since, default=None)
        if "value" not in said:
            if newest is None or newest.since != said["since"]:
                read.faults.append(row.fault(name, "there is a date without a value", "write the value", kind=kind))
            continue
        since = said.get("since")
        if since is None and (newest is None or newest.value != said["value"]):
            read.faults.append(
                row.fault(name, "it is not said since when this holds", "fill the column of the date", kind=kind)
            )
        elif since is not None and Dated(since=since, value=said["value"], kind=kind) not in stored:
            others = [d for d in stored if (d.kind, d.since) != (kind, since)]
            added = [*others, Dated(since=since, value=said["value"], kind=kind)]
            values[name] = tuple(sorted(added, key=lambda d: (d.kind, d.since)))


# Dial readings


def _convert_dials(row: Row, read: Values, values: dict[str, Any], register: Snapshot) -> None:
    """Bring the dial readings that stand in the row to canonical units."""
    dials = [name for name in ("first", "final") if read.fields.get(name) is not None]
    if row.kind not in {Meter, DialEvent} or not dials:
        return
    meter = _meter_at(row, values, register)
    said = read.fields.get(READING_UNIT) or values.get("unit") or (meter.unit if meter else "")
    if not said:
        for name in (name for name in dials if read.fields[name] != 0):
            read.faults.append(
                row.fault(name, "the unit of the dial reading is not stated", "fill the column Jednotka stavů")
            )
        return
    dial = unit(said)
    if problem := _unfit(dial, said, values, meter, register):
        field_at_fault = READING_UNIT if read.fields.get(READING_UNIT) else dials[0]
        read.faults.append(row.fault(field_at_fault, problem, "correct the unit"))
    for name in dials:
        values[name] = read.fields[name] * dial.scale / dial.divisor


def _meter_at(row: Row, values: Mapping[str, Any], register: Snapshot) -> Meter | None:
    if row.kind is not DialEvent or not isinstance(values.get("at"), datetime):
        return None
    return _mounted(values.get("meter", ""), values["at"], register)


def _mounted(device: str, at: datetime, register: Snapshot) -> Meter | None:
    return next((m for m in register.every(Meter) if m.device == device and mounted_at(m, at)), None)


def _unfit(dial: Unit, said: str, values: Mapping[str, Any], meter: Meter | None, register: Snapshot) -> str:
    """Return why a unit cannot be that of the dial, empty where it can."""
    if dial.quantity not in _COUNTS:
        return f"{said} is no unit of a dial that counts"
    own = values.get("unit") or (meter.unit if meter else "")
    if own and unit(own).quantity is not dial.quantity:
        return f"the dial counts in {own}, the reading is in {said}"
    point = register.get(Point, values.get("point") or (meter.point if meter else ""))
    pulses = {Quantity.PULSE_COUNT, Quantity.HEAT_COST_UNITS}
    if point is not None and dial.quantity not in COUNTED[point.commodity] | pulses:
        return f"{said} does not count {point.commodity}"
    return ""


def reading_unit(thing: Meter | DialEvent, register: Snapshot) -> str:
    """Return the canonical unit in which the dial readings of a meter or event are kept."""
    meter = thing if isinstance(thing, Meter) else _mounted(thing.meter, thing.at, register)
    if meter is not None and meter.unit:
        return unit(meter.unit).canonical
    point = register.get(Point, meter.point) if meter else None
    named = thing.register or (meter.register if meter else "")
    choices = MAIN_REGISTERS[point.commodity if point else Commodity.ELECTRICITY]
    quantity = Register.parse(named or choices[0]).quantity
    return CANONICAL.get(quantity, "kWh") if quantity in _COUNTS else CANONICAL[Register.parse(choices[0]).quantity]


# Making the entity


def _made(row: Row, values: dict[str, Any]) -> tuple[Entity | None, list[Fault]]:
    """Return the entity, or the faults of the cells to blame."""
    try:
        return row.kind(**values), []
    except InputError as whole:
        alone = [(name, err) for name in values if (err := _alone(row.kind, name, values))]
        blamed = alone or [(_culprit(row.kind, values), whole)]
        return None, [row.fault(name, err.problem, err.remedy) for name, err in blamed]


def _alone(kind: type, name: str, values: Mapping[str, Any]) -> InputError | None:
    """Return what is wrong with one value, whatever the others are."""
    if name in _LINKED:
        return None
    neutral = _neutral(kind, values)
    try:
        kind(**{**neutral, name: values[name]})
    except InputError as err:
        return err
    return None


def _neutral(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that are right, of the fields that have no default."""
    needed = {f.name for f in fields(kind) if f.default is MISSING}
    return {name: "x" if type(value) is str else value for name, value in values.items() if name in needed}


def _culprit(kind: type, values: Mapping[str, Any]) -> str:
    """Return the field without which the rest would do."""
    for name in sorted(_LINKED & set(values), reverse=True):
        default = next((f.default for f in fields(kind) if f.name == name), MISSING)
        without = {**values, name: Role.BILLING if name == "role" else default}
        try:
            kind(**without)
        except InputError:
            continue
        return name
    return "id"


# Rows without id


def key_of(row: Row, read: Values, register: Snapshot) -> str:
    """Return the id of a row; an event without one is known by its device, instant and kind."""
    if "id" in read.fields:
        return str(read.fields["id"])
    if row.kind is not DialEvent:
        if not any(f.column == row.heading("id") for f in read.faults):
            read.faults.append(row.fault("id", "the cell is empty", "write an id"))
        return ""
    device, at = read.fields.get("meter"), read.fields.get("at")
    if not device or at is None:
        return ""
    kind, dial = read.fields.get("kind"), str(read.fields.get("register") or "")
    same = [e for e in register.every(DialEvent) if (e.meter, e.at, e.kind) == (device, at, kind)]
    same = [e for e in same if not dial or e.register in {"", dial}]
    stem = re.sub(r"[\s,;\"'\\]", "_", device)[:60]
    suffix = f"/{dial}" if "/" in dial else ""  # several dials of a device are exchanged at one instant
    return same[0].id if same else f"{stem}/{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}/{kind}{suffix}"
