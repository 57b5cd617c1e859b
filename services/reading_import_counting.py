"""Where a point's own series of invoices or profiles counts: while no meter is mounted on it, in whole periods.

An invoice is evidence, not a second meter. So its series is an entry of the register like a meter's, mounted where
nothing else is; what lies in the time of a meter stays beside it and is never added to it. Profiles go before invoices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from core.calendar import Bools, Longs, local, micros, moment
from core.calendar import zone as zone_of
from core.ports import ReadingStore
from core.registry import MAIN_REGISTERS, Meter, Point
from core.table_troubles import Told, Trouble
from services.points import main_register, unit_of
from services.reading_import_invoices import Line
from services.reading_import_place import Placed
from services.reading_import_subjects import INVOICES, PROFILES, SUFFIXES, Names, bounds_us
from services.register_rules import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Entries to save and to remove, and what is to be told of them."""

    save: tuple[Meter, ...] = ()
    remove: tuple[Meter, ...] = ()
    remarks: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A point's own series: its device, the register that counts, begins and ends of its periods [µs]."""

    point: Point
    device: str
    register: str
    begin: Longs
    end: Longs


def counting(
    placed: Placed, ledgers: Mapping[str, Sequence[Line]], register: Snapshot, zone: str, store: ReadingStore
) -> Counting:
    """Return the entries by which own series count, as they are to be."""
    names = Names(register, unknown_to_inbox=False)
    save: list[Meter] = []
    remove: list[Meter] = []
    remarks: list[Told] = []
    for own in _owns(placed, ledgers, names, store):
        blocked = _blocked(own, names)
        free = _free(own, blocked)
        former = names.own(own.point.id, own.device)
        wanted = _entries(own, free, blocked, former)
        save += [m for m in wanted if m not in former]
        remove += [m for m in former if m.id not in {w.id for w in wanted}]
        remarks += [_counts(placed.table.sheet, own, m, zone) for m in wanted]
        remarks += _beside(placed.table.sheet, own, free, blocked, store)
    return Counting(save=tuple(save), remove=tuple(remove), remarks=tuple(remarks))


def _owns(placed: Placed, ledgers: Mapping[str, Sequence[Line]], names: Names, store: ReadingStore) -> list[_Own]:
    found = []
    for device in dict.fromkeys(k.meter for k in placed.series if k.meter.startswith((INVOICES, PROFILES))):
        point = names.point(device.partition("/")[2])
        if point is None:
            continue
        register = _counted(point, names, [k.register for k in placed.series if k.meter == device], store)
        begin, end = _periods(placed, device, register, ledgers.get(point.id, ()))
        if len(end):
            found.append(_Own(point=point, device=device, register=register, begin=begin, end=end))
    return found


def _counted(point: Point, names: Names, registers: Sequence[str], store: ReadingStore) -> str:
    """Return the register that counts: in the unit of the point's newest meter where there is one."""
    choices = [r for r in MAIN_REGISTERS[point.commodity] if r in registers]
    meters = names.mounted(point.id)
    if meters:
        present = [key.register for key in store.known([meters[-1].device])]
        unit = unit_of(main_register(meters[-1], point.commodity, present), meters[-1])
        choices.sort(key=lambda r: unit_of(r) != unit)
    return choices[0] if choices else registers[0]


def _periods(placed: Placed, device: str, register: str, lines: Sequence[Line]) -> tuple[Longs, Longs]:
    """Return the periods of a register: those of the table, and of the documents kept before."""
    codes = [n for n, key in enumerate(placed.series) if key.meter == device and key.register == register]
    rows = np.concatenate([np.flatnonzero(placed.code == code) for code in codes] or [np.zeros(0, np.int64)])
    end = micros(placed.table.at[rows])
    begin = end - placed.table.span_s[rows] * 1_000_000
    kept = [(line.begin, line.end) for line in lines if line.register.partition("/")[0] == register]
    before = np.array(kept, np.int64).reshape(-1, 2)
    begin, end = np.concatenate([begin, before[:, 0]]), np.concatenate([end, before[:, 1]])
    order = np.lexsort((end, begin))
    return begin[order], end[order]


class _Mounted(NamedTuple):
    """A meter and when it is mounted [µs]."""

    start_us: int
    end_us: int
    meter: Meter


def _blocked(own: _Own, names: Names) -> list[_Mounted]:
    """Return what is mounted on the point that goes before the series, in order."""
    better = list(names.mounted(own.point.id))
    if own.device.startswith(INVOICES):
        better += names.own(own.point.id, PROFILES + own.point.id)
    return sorted((_Mounted(*bounds_us(m), m) for m in better), key=lambda m: (m.start_us, m.meter.id))


def _free(own: _Own, blocked: Sequence[_Mounted]) -> Bools:
    """Return which periods lie wholly where nothing is mounted."""
    free = np.ones(len(own.end), bool)
    for start, end, _ in blocked:
        free &= (own.end <= start) | (own.begin >= end)
    return free


def _entries(own: _Own, free: Bools, blocked: Sequence[_Mounted], former: Sequence[Meter]) -> list[Meter]:
    """Return the entries that mount the series over its free periods, one between two of what blocks it."""
    begin, end = own.begin[free], own.end[free]
    if own.device.startswith(PROFILES):  # what was imported before is known by its entries alone
        begin = np.concatenate([begin, [bounds_us(m)[0] for m in former]]).astype(np.int64)
        end = np.concatenate([end, [min(bounds_us(m)[1], int(own.end.max())) for m in former]]).astype(np.int64)
    if not len(begin):
        return []
    piece = np.searchsorted(np.array([m.start_us for m in blocked], np.int64), begin, side="right")
    made = []
    for number, which in enumerate(np.unique(piece).tolist(), 1):
        since, until = int(begin[piece == which].min()), int(end[piece == which].max())
        if (own.end[~free] == since).any():
            since += 1  # a period that ends here and began under a meter would count else
        made.append(_entry(own, number, since, until))
    return [_kept(m, former) for m in made]


def _entry(own: _Own, number: int, since_us: int, until_us: int) -> Meter:
    suffix = SUFFIXES[own.device.partition("/")[0] + "/"]
    return Meter(
        id=f"{own.point.id}{suffix}" + (f"-{number}" if number > 1 else ""),
        point=own.point.id,
        device=own.device,
        mounted=moment(np.datetime64(since_us, "us")),
        removed=moment(np.datetime64(until_us, "us")),
        register=own.register,
    )


def _kept(made: Meter, former: Sequence[Meter]) -> Meter:
    """Return an entry with what an operator wrote at the former one."""
    old = next((m for m in former if m.id == made.id), None)
    return made if old is None else replace(old, mounted=made.mounted, removed=made.removed, register=made.register)


def _counts(sheet: str, own: _Own, entry: Meter, zone: str) -> Told:
    since, until = bounds_us(entry)
    args = {"point": own.point.id, "since": _day(since, zone), "until": _day(until - 1, zone)}
    return Told(sheet=sheet, row=0, column="", trouble=Trouble.COUNTS, args=args)


def _beside(sheet: str, own: _Own, free: Bools, blocked: Sequence[_Mounted], store: ReadingStore) -> list[Told]:
    """Return beside which meters periods do not count; one that never sent anything is worth a question."""
    here = [m for m in blocked if ((own.end > m.start_us) & (own.begin < m.end_us) & ~free).any()]
    speaking = {key.meter for key in store.known([m.meter.device for m in here])} if here else set()
    return [
        Told(
            sheet=sheet,
            row=0,
            column="",
            trouble=Trouble.EVIDENCE if m.meter.device in speaking else Trouble.SILENT,
            args={"value": m.meter.id, "point": own.point.id},
        )
        for m in here
    ]


def _day(at_us: int, zone: str) -> str:
    wall = local(np.array([at_us], np.int64).view("datetime64[us]"), zone_of(zone))
    return f"{moment(wall[0]):%d.%m.%Y}"


def gaps(lines: Sequence[Line], register: str, sheet: str, zone: str) -> list[Told]:
    """Return where no invoice of a register covers the time between two that follow on each other."""
    periods = sorted({(line.begin, line.end) for line in lines if line.register == register})
    found = []
    reach = periods[0][1] if periods else 0
    for begin, end in periods[1:]:
        if begin > reach:
            args = {"since": _day(reach, zone), "until": _day(begin - 1, zone)}
            found.append(Told(sheet=sheet, row=0, column="", trouble=Trouble.GAP, args=args))
        reach = max(reach, end)
    return found
