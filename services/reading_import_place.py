"""Readings of a table to their series: each value gets its device and its register, or a fault in its place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from core.calendar import Bools, Longs, micros, moment
from core.errors import InputError
from core.ports import ReadingStore
from core.reading_tables import Layout, TableMapping, TableReadings
from core.readings import Codes, Kind, SeriesKey
from core.registry import Commodity, Meter, Point
from core.table_troubles import Told, Trouble
from core.units import Quantity
from services.reading_import_subjects import INVOICES, PROFILES, Home, Names, Whose, mounted_then
from services.register_rules import Snapshot

ARRAYS: Final = (
    "subject", "register", "quantity", "at", "span_s", "value", "quality", "row", "column", "document", "price_czk"
)  # fmt: skip
MOST: Final = 200
"""Rows of one trouble that are told singly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A table whose readings have their series: `code` indexes `series`, `points` names the point of each series.

    `homes` are those of the devices. The arrays of `table` have the same length as `code`.
    """

    table: TableReadings
    series: tuple[SeriesKey, ...]
    code: Codes
    points: tuple[str, ...]
    homes: dict[str, Home]
    faults: tuple[Told, ...]


def taken(table: TableReadings, chosen: Bools | Longs) -> TableReadings:
    """Return the readings that a mask or index chooses."""
    if np.asarray(chosen).dtype == bool and np.asarray(chosen).all():
        return table
    columns: dict[str, Any] = {name: getattr(table, name)[chosen] for name in ARRAYS}
    return replace(table, **columns)


def joined(table: TableReadings, more: TableReadings) -> TableReadings:
    """Return the readings of a table and more of the same."""
    columns: dict[str, Any] = {n: np.concatenate([getattr(table, n), getattr(more, n)]) for n in ARRAYS}
    return replace(table, **columns)


def told_rows(
    table: TableReadings, wrong: Bools | Longs, trouble: Trouble, args: dict[str, str] | None = None
) -> list[Told]:
    """Return the trouble of each reading that is chosen."""
    rows = np.flatnonzero(wrong) if np.asarray(wrong).dtype == bool else np.asarray(wrong)
    return [
        Told(
            sheet=table.sheet,
            row=int(table.row[i]),
            column=table.columns[int(table.column[i])] if table.columns else "",
            trouble=trouble,
            args={"value": f"{table.value[i]:g}", **(args or {})},
        )
        for i in rows[:MOST].tolist()
    ]


def place(table: TableReadings, mapping: TableMapping, register: Snapshot, store: ReadingStore) -> Placed:
    """Return a table's readings with their series; those that have none are faults."""
    names = Names(register, unknown_to_inbox=mapping.unknown_to_inbox)
    faults: list[Told] = []
    devices = np.full(len(table), -1, np.int64)
    homes: list[tuple[str, Home]] = []
    for number, name in enumerate(table.subjects):
        mine = np.flatnonzero(table.subject == number)
        if not len(mine):
            continue
        whose = names.find(name)
        if whose.trouble is not None:
            faults += told_rows(table, mine, whose.trouble, dict(whose.args))
            continue
        _settle(_Case(table, mapping, whose, mine, names, store), devices, homes, faults)
    return _registered(table, devices, homes, faults)


@dataclass(frozen=True, slots=True)
class _Case:
    """The readings of one name of a table."""

    table: TableReadings
    mapping: TableMapping
    whose: Whose
    mine: Longs
    names: Names
    store: ReadingStore


def _settle(case: _Case, devices: Longs, homes: list[tuple[str, Home]], faults: list[Told]) -> None:
    """Give the readings of a name their devices; amounts of a meter are those of its point."""
    whose, amounts = case.whose, bool((case.table.span_s[case.mine] > 0).all())
    point = whose.point
    if point is None and amounts and not whose.by_device:
        point = case.names.point(whose.meters[-1].point)
        mounted = tuple(case.names.mounted(whose.meters[-1].point))
        case = replace(case, whose=replace(whose, point=point, meters=mounted))
    if point is None:
        found = _of_device(case, faults)
    elif amounts:
        found = _amounts_of_point(case, point)
    else:
        found = _dials_of_point(case, point, faults)
    for rows, home, name in found:
        devices[rows] = len(homes)
        homes.append((name, home))


_Found = Sequence[tuple[Longs, Home, str]]


def _of_device(case: _Case, faults: list[Told]) -> _Found:
    """Return the home of readings that name their device; amounts must not be multiplied once more."""
    whose, mine = case.whose, case.mine
    amounts = bool((case.table.span_s[mine] > 0).any())
    multiplied = next((m for m in whose.meters if m.multiplier != 1.0), None)
    if amounts and multiplied is not None:
        args = {"value": multiplied.id, "multiplier": f"{multiplied.multiplier:g}"}
        faults += told_rows(case.table, mine, Trouble.MULTIPLIER, args)
        return []
    newest = whose.meters[-1] if whose.meters else None
    point = None if newest is None else case.names.point(newest.point)
    return [
        (
            mine,
            _home(case, whose.device, None if point is None else point.commodity, newest),
            newest.point if newest else "",
        )
    ]


def _dials_of_point(case: _Case, point: Point, faults: list[Told]) -> _Found:
    """Return the homes of dials of a point: of the meter that was mounted at each instant."""
    at_us = micros(case.table.at[case.mine])
    which = mounted_then(case.whose.meters, at_us)
    nowhere = np.flatnonzero(which < 0)
    for i in nowhere[:MOST].tolist():
        args = {"value": point.id, "at": f"{moment(case.table.at[case.mine[i]]):%d.%m.%Y}"}
        faults += told_rows(case.table, case.mine[i : i + 1], Trouble.NOT_MOUNTED, args)
    return [
        (case.mine[which == n], _home(case, meter.device, point.commodity, meter), point.id)
        for n, meter in enumerate(case.whose.meters)
        if (which == n).any()
    ]


def _amounts_of_point(case: _Case, point: Point) -> _Found:
    """Return the home of amounts of a point: its meter where that has amounts alone, else a series of their own."""
    if case.mapping.layout is not Layout.INVOICES:
        at_us = micros(case.table.at[case.mine])
        first, last = int((at_us - case.table.span_s[case.mine] * 1_000_000).min()), int(at_us.max())
        which = mounted_then(case.whose.meters, np.array([first, last]))
        meter = case.whose.meters[which[0]] if which[0] == which[1] >= 0 else None
        if meter is not None and meter.multiplier == 1.0 and _amounts_alone(case.store, meter, first, last):
            return [(case.mine, _home(case, meter.device, point.commodity, meter), point.id)]
    begin = INVOICES if case.mapping.layout is Layout.INVOICES else PROFILES
    return [(case.mine, _home(case, begin + point.id, point.commodity, None), point.id)]


def _amounts_alone(store: ReadingStore, meter: Meter, first_us: int, last_us: int) -> bool:
    """Return whether a meter has amounts and nothing else, as far as the time of the table and its newest tell.

    A meter without any readings may begin to send its dial, which would hide amounts in its series.
    """
    known = store.known([meter.device])
    start, end = np.datetime64(first_us, "us"), np.datetime64(last_us + 1, "us")
    held = (store.latest(known), store.read(known, start, end))
    return bool(known) and all((some.kind == Kind.INTERVAL).all() for some in held)


def _home(case: _Case, device: str, commodity: Commodity | None, meter: Meter | None) -> Home:
    present = tuple(key.register for key in case.store.known([device]))
    return Home(device=device, commodity=commodity, meter=meter, present=present)


def _registered(table: TableReadings, devices: Longs, homes: list[tuple[str, Home]], faults: list[Told]) -> Placed:
    """Give the readings their registers: once for each device, register part and quantity."""
    good = devices >= 0
    parts, kinds = max(len(table.registers), 1), max(len(table.quantities), 1)
    group = (devices * parts + table.register) * kinds + table.quantity
    group[~good] = -1
    place_of: dict[tuple[SeriesKey, str], int] = {}
    code = np.full(len(table), -1, np.int32)
    for number in np.unique(group[good]).tolist():
        here = group == number
        point, home = homes[number // kinds // parts]
        quantity, written = table.quantities[number % kinds]
        part = table.registers[number // kinds % parts]
        wrong = _misfit(home, part, quantity, written)
        if isinstance(wrong, tuple):
            faults += told_rows(table, here, wrong[0], wrong[1])
            continue
        code[here] = place_of.setdefault((SeriesKey(home.device, wrong), point), len(place_of))
    kept = code >= 0
    return Placed(
        table=taken(table, kept),
        series=tuple(key for key, _ in place_of),
        code=code[kept],
        points=tuple(point for _, point in place_of),
        homes={home.device: home for _, home in homes},
        faults=tuple(faults),
    )


def _misfit(home: Home, part: str, quantity: Quantity, written: str) -> str | tuple[Trouble, dict[str, str]]:
    """Return the register, or the trouble that keeps readings from having one."""
    if not home.fits(quantity):
        return Trouble.WRONG_QUANTITY, {"value": written or str(quantity), "commodity": str(home.commodity)}
    try:
        return home.register(part, quantity)
    except InputError:
        return Trouble.REGISTER_UNKNOWN, {"value": part}
