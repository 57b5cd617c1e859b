"""Readings of a table beside what is stored: which are new, the same or changed, and what would look wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import Bools, Longs, instant, micros, moment
from core.plausible import HOUR_US, RATING_MARGIN, SLACK_US
from core.ports import ReadingStore
from core.readings import Bytes, Floats, Kind, Readings, SeriesKey, concat
from core.registry import DialEvent, Meter, Point
from core.table_troubles import Told, Trouble
from services.reading_import_place import Placed, told_rows
from services.reading_import_subjects import INVOICES, PROFILES, bounds_us, mounted_then
from services.register_rules import Snapshot

NEW: Final = 0
SAME: Final = 1
CHANGED: Final = 2
MOST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Of each reading: its state (NEW, SAME, CHANGED), the stored value (NaN: none), and whether its kind differs."""

    state: Bytes
    former: Floats
    other_kind: Bools
    stored: Readings


def readings_of(placed: Placed) -> Readings:
    """Return a table's readings as a store takes them; arrival and source are the import's."""
    table = placed.table
    kind = np.where(table.span_s > 0, int(Kind.INTERVAL), int(Kind.CUMULATIVE))
    return Readings.of(
        placed.series,
        placed.code,
        table.at,
        table.value,
        kind=kind,
        quality=table.quality,
        span_s=table.span_s,
    )


def compare(readings: Readings, store: ReadingStore) -> Compared:
    """Return how readings stand to the stored ones at their instants."""
    count = len(readings)
    state, former = np.zeros(count, np.uint8), np.full(count, np.nan)
    other_kind = np.zeros(count, bool)
    if not count:
        return Compared(state=state, former=former, other_kind=other_kind, stored=Readings.empty())
    begin = readings.at - readings.span_s.astype("timedelta64[s]")
    start, end = begin.min(), readings.at.max() + np.timedelta64(1, "us")
    known = [key for key in readings.series if key in set(store.known(sorted({k.meter for k in readings.series})))]
    stored = _as(readings.series, store.read(known, start, end) if known else Readings.empty())
    place, found = _matched(readings, stored)
    mine, theirs = np.flatnonzero(found), place[found]
    same = np.ones(len(mine), bool)
    for name in ("value", "kind", "span_s", "quality"):
        same &= getattr(readings, name)[mine] == getattr(stored, name)[theirs]
    state[mine] = np.where(same, SAME, CHANGED)
    former[mine] = stored.value[theirs]
    other_kind[mine] = readings.kind[mine] != stored.kind[theirs]
    other_kind |= _of_other_kind(readings, _as(readings.series, store.latest(known)) if known else stored)
    return Compared(state=state, former=former, other_kind=other_kind, stored=stored)


def _as(series: tuple[SeriesKey, ...], readings: Readings) -> Readings:
    """Return readings coded as these series."""
    place = {key: n for n, key in enumerate(series)}
    table = np.array([place.get(key, -1) for key in readings.series] or [0], np.int32)
    code = table[readings.code]
    columns = {
        name: getattr(readings, name) for name in ("at", "value", "kind", "quality", "span_s", "received", "source")
    }
    return Readings(series=series, code=code, sources=readings.sources, **columns)


def _matched(readings: Readings, stored: Readings) -> tuple[Longs, Bools]:
    """Return the place among the stored of each reading's instant, and whether there is one."""
    if not len(stored):
        return np.zeros(len(readings), np.int64), np.zeros(len(readings), bool)
    low = min(int(micros(readings.at).min()), int(micros(stored.at).min()))
    width = max(int(micros(readings.at).max()), int(micros(stored.at).max())) - low + 1
    mine, theirs = (r.code.astype(np.int64) * width + (micros(r.at) - low) for r in (readings, stored))
    order = np.argsort(theirs, kind="stable")
    place = np.minimum(np.searchsorted(theirs[order], mine), len(theirs) - 1)
    return order[place], theirs[order][place] == mine


def _of_other_kind(readings: Readings, latest: Readings) -> Bools:
    """Return which readings are of a series whose newest reading is of another kind."""
    kinds = np.full(len(readings.series), -1)
    kinds[latest.code] = latest.kind
    return np.asarray((kinds[readings.code] >= 0) & (kinds[readings.code] != readings.kind))


# What would look wrong


def findings(
    placed: Placed, readings: Readings, compared: Compared, register: Snapshot, store: ReadingStore
) -> list[Told]:
    """Return what is worth looking at before readings are stored."""
    merged = _merged(readings, compared, store)
    return [
        *_falls(placed, merged, register),
        *_overlaps(placed, merged),
        *_rates(placed, readings, register),
        *_outside(placed, register),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merged:
    """Stored and new readings together, by series and instant; `row` is the place among the new ones, -1: stored."""

    readings: Readings
    row: Longs


def _merged(readings: Readings, compared: Compared, store: ReadingStore) -> _Merged:
    if not len(readings):
        return _Merged(readings=readings, row=np.zeros(0, np.int64))
    known = [key for key in readings.series if key in set(store.known(sorted({k.meter for k in readings.series})))]
    row = np.arange(len(readings))
    if not known:  # amounts alone cannot fall, nor overlap what is not there
        row = np.flatnonzero(readings.kind == Kind.CUMULATIVE)
        readings = readings.take(row)
    if not len(readings):
        return _Merged(readings=readings, row=row)
    start, end = readings.at.min(), readings.at.max() + np.timedelta64(1, "us")
    beside = _as(readings.series, store.neighbours(known, start, end) if known else Readings.empty())
    stays = ~_matched(compared.stored, readings)[1] if len(compared.stored) else np.zeros(0, bool)
    parts = [compared.stored.take(stays), beside, readings]
    row = np.concatenate([np.full(int(stays.sum()) + len(beside), -1), row])
    every = concat([p for p in parts if len(p)])
    every = _as(readings.series, every)
    order = np.lexsort((micros(every.at), every.code))
    return _Merged(readings=every.take(order), row=row[order])


def _falls(placed: Placed, merged: _Merged, register: Snapshot) -> list[Told]:
    """Return where a dial falls, but for exchanges that the register knows."""
    r = merged.readings
    together = r.code[1:] == r.code[:-1]
    fallen = (
        together & (r.kind[1:] == Kind.CUMULATIVE) & (r.kind[:-1] == Kind.CUMULATIVE) & (r.value[1:] < r.value[:-1])
    )
    fallen &= (merged.row[1:] >= 0) | (merged.row[:-1] >= 0)
    found: list[Told] = []
    for i in np.flatnonzero(fallen).tolist():
        row = int(merged.row[i + 1] if merged.row[i + 1] >= 0 else merged.row[i])
        device = r.series[r.code[i]].meter
        if _exchanged(register, device, int(micros(r.at[i])), int(micros(r.at[i + 1]))):
            continue
        args = {"before": f"{r.value[i]:g}", "after": f"{r.value[i + 1]:g}"}
        found += told_rows(placed.table, np.array([row]), Trouble.FALL, args)
        if len(found) >= MOST:
            break
    return found


def _exchanged(register: Snapshot, device: str, since_us: int, until_us: int) -> bool:
    """Return whether the register knows of an exchange or reset of a device's dial between two instants."""
    times = [int(micros(instant(e.at))) for e in register.every(DialEvent) if e.meter == device and not e.retracted]
    times += [bounds_us(m)[0] for m in register.every(Meter) if m.device == device]
    return any(since_us < at <= until_us for at in times)


def _overlaps(placed: Placed, merged: _Merged) -> list[Told]:
    """Return, of each series, the first new period that overlaps a stored one."""
    r, row = merged.readings, merged.row
    begin = micros(r.at) - r.span_s * 1_000_000
    over = (r.code[1:] == r.code[:-1]) & (r.span_s[1:] > 0) & (begin[1:] < micros(r.at[:-1])) & (r.span_s[:-1] > 0)
    mixed = over & ((row[1:] >= 0) != (row[:-1] >= 0))
    places = np.flatnonzero(mixed)
    _, first = np.unique(r.code[1:][places], return_index=True)
    mine = [int(row[i + 1] if row[i + 1] >= 0 else row[i]) for i in places[first].tolist()]
    return told_rows(placed.table, np.array(mine, np.int64), Trouble.OVERLAP)


def _rates(placed: Placed, readings: Readings, register: Snapshot) -> list[Told]:
    """Return amounts that are more than the point's maximum lets through."""
    points = {p.id: p for p in register.every(Point)}
    most = np.array([getattr(points.get(name), "max_rate", None) or np.inf for name in placed.points] or [np.inf])
    whole = np.array(
        ["/" not in k.register and not k.register.startswith("reactive") for k in placed.series] or [False]
    )
    limit = np.where(whole, most, np.inf)[readings.code] * RATING_MARGIN
    hours = (readings.span_s * 1_000_000 + SLACK_US) / HOUR_US
    wrong = (readings.span_s > 0) & (readings.value > limit * hours)
    return told_rows(placed.table, np.flatnonzero(wrong)[:MOST], Trouble.RATE)


def _outside(placed: Placed, register: Snapshot) -> list[Told]:
    """Return, of each device that is named, the first reading at a time at which it was on no point."""
    found: list[Told] = []
    for n, key in enumerate(placed.series):
        if key.meter.startswith((INVOICES, PROFILES)):
            continue
        meters = sorted((m for m in register.every(Meter) if m.device == key.meter), key=lambda m: m.mounted)
        rows = np.flatnonzero(placed.code == n)
        if not meters or not len(rows):
            continue
        out = rows[mounted_then(meters, micros(placed.table.at[rows])) < 0]
        found += told_rows(placed.table, out[:1], Trouble.NO_METER_THEN, {"value": meters[0].id})
    return found


def day(at_us: int) -> str:
    """Return an instant as a day for people."""
    return f"{moment(np.datetime64(at_us, 'us')):%d.%m.%Y}"


def unknown_devices(placed: Placed, register: Snapshot) -> Sequence[str]:
    """Return the devices that stand on no point."""
    known = {m.device for m in register.every(Meter)}
    own = (INVOICES, PROFILES)
    return [d for d in dict.fromkeys(k.meter for k in placed.series) if d not in known and not d.startswith(own)]
