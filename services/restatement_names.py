"""What the causes of a restatement were, by name: points, imports, entries of the register, rows of tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from core.calendar import Period, instant, moment
from core.indicators import Used, Value
from core.notes import AuditEntry, JsonValue
from core.readings import Readings, SeriesKey
from core.registry import DialEvent, Meter, Point, Station
from core.rollup import NANO, RollUp
from services.as_of_register import WORDS
from services.as_of_rollups import RollUpsOf
from services.baselines import Facts
from services.points import MAIN
from services.stands import Live, Stand

Span = tuple[date, date]
BEFORE: Final = np.timedelta64(3 * 366 * 86_400 * 1_000_000, "us")
"""How far before a period late temperatures may count: models learn from former years."""
MOST: Final = 200
"""Things that are named of one cause; `more` tells how many others there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A thing that a cause was: its kind (point, station, a kind of the register, a table), its id, and facts."""

    kind: str
    key: str
    facts: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))


def bounded(named: Iterable[Named]) -> tuple[Named, ...]:
    """Return the first of many, and how many more there are."""
    every = tuple(named)
    more = (Named(kind="more", key=str(len(every) - MOST)),) if len(every) > MOST else ()
    return every[:MOST] + more


# Late data


def named_late(before: RollUpsOf, after: RollUpsOf, span: Span, then: Stand, live: Live) -> tuple[Named, ...]:
    """Return the points whose days changed by readings that came since, and how much; stations that got late ones."""
    changed = _changed_days(before, after, span, live)
    start, end = _instants(span, live)
    points = [_late_point(key, amount, after, (start, end), then) for key, amount in changed.items()]
    return bounded([*points, *_late_stations(after, (start - BEFORE, end), then)])


def _instants(span: Span, live: Live) -> tuple[np.datetime64, np.datetime64]:
    first, end = (instant(datetime.combine(day, time(), live.zone).astimezone(UTC)) for day in span)
    return first, end


def _changed_days(before: RollUpsOf, after: RollUpsOf, span: Span, live: Live) -> dict[str, int]:
    """Return by how many nano-units the days of each point changed in sum, of those where any day did."""
    start, end = _instants(span, live)
    ids = sorted({one.id for side in (before, after) for one in side.register.find(Point)})
    keys = [SeriesKey(one, MAIN) for one in ids]
    old, new = (side(Period.DAY, keys, start, end) for side in (before, after))
    found = {}
    for key in keys:
        one, other = old.of_series(key), new.of_series(key)
        if not _same_days(one, other):
            found[key.meter] = int(other.nano.sum()) - int(one.nano.sum())
    return found


def _same_days(one: RollUp, other: RollUp) -> bool:
    names = ("start", "nano", "missing_s", "estimated_s")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _late_point(key: str, nano: int, after: RollUpsOf, span: tuple[np.datetime64, np.datetime64], then: Stand) -> Named:
    facts: dict[str, JsonValue] = {"change": nano / NANO}
    late = _late(after, after.series_of(key), span, then)
    return Named(kind="point", key=key, facts=facts | _told_of(late))


def _late(
    after: RollUpsOf, series: Sequence[SeriesKey], span: tuple[np.datetime64, np.datetime64], then: Stand
) -> Readings:
    found = after.readings.read(series, *span) if series else Readings.empty()
    return found.take(found.received > instant(then.cutoff))


def _told_of(late: Readings) -> dict[str, JsonValue]:
    if not len(late):
        return {}
    sources = sorted({late.sources[code] for code in late.source.tolist()})
    return {
        "readings": len(late),
        "first": moment(late.at.min()).isoformat(),
        "last": moment(late.at.max()).isoformat(),
        "sources": sources,
    }


def _late_stations(after: RollUpsOf, span: tuple[np.datetime64, np.datetime64], then: Stand) -> Iterable[Named]:
    for station in after.register.find(Station):
        late = _late(after, [SeriesKey(station.arrives_as, station.register)], span, then)
        if len(late):
            yield Named(kind="station", key=station.id, facts=_told_of(late))


# Corrections of the register


def named_entries(
    entries: Sequence[AuditEntry], before: RollUpsOf, after: RollUpsOf, span: Span, live: Live
) -> tuple[Named, ...]:
    """Return what was corrected, each thing once from its former to its last state; what changed no curve is left out.

    Entries of meters and dials count where a day of their point is another.
    """
    changed = set(_changed_days(before, after, span, live))
    points = _points_of_devices(before, after)
    merged: dict[tuple[str, str], list[AuditEntry]] = {}
    for entry in entries:
        merged.setdefault((entry.entity, entry.key), []).append(entry)
    return bounded(
        _entry(kind, key, trail)
        for (kind, key), trail in merged.items()
        if trail[-1].before != trail[0].after and _matters(trail, points, changed)
    )


def _points_of_devices(*sides: RollUpsOf) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for side in sides:
        for meter in side.register.find(Meter):
            found.setdefault(meter.device, set()).add(meter.point)
    return found


def _matters(trail: Sequence[AuditEntry], points: Mapping[str, set[str]], changed: set[str]) -> bool:
    states = [state for entry in trail for state in (entry.before, entry.after) if state]
    kind = WORDS[trail[0].entity]
    if kind is Meter:
        return any(str(state.get("point")) in changed for state in states)
    if kind is DialEvent:
        return any(points.get(str(state.get("meter")), set()) & changed for state in states)
    return True


def _entry(kind: str, key: str, trail: Sequence[AuditEntry]) -> Named:
    """Return what became of an entry: `trail` is newest first."""
    last = trail[0]
    before, after = trail[-1].before or {}, last.after or {}
    fields = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    did = "added" if trail[-1].before is None else "removed" if last.after is None else "changed"
    facts: dict[str, JsonValue] = {"did": did, "by": last.by, "at": last.at.isoformat(), "why": last.why}
    if did == "changed":
        facts["fields"] = {name: [before.get(name), after.get(name)] for name in fields}
    return Named(kind=kind, key=key, facts=facts)


# The calendar


def named_days(before: Facts | None, after: Facts | None) -> tuple[Named, ...]:
    """Return the spans of days that are free now and were not, and the other way round."""
    found = []
    for kind in ("holidays", "school"):
        old, new = (getattr(one, kind) if one is not None else frozenset[date]() for one in (before, after))
        for did, days in (("added", new - old), ("removed", old - new)):
            found += [_days_off(kind, did, first, last) for first, last in _runs(days)]
    return bounded(found)


def _days_off(kind: str, did: str, first: date, last: date) -> Named:
    return Named(kind=kind, key=first.isoformat(), facts={"did": did, "last": last.isoformat()})


def _runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and last of days that follow each other."""
    ordered = sorted(days)
    begins = [n for n, day in enumerate(ordered) if n == 0 or day - ordered[n - 1] > timedelta(days=1)]
    for begin, end in pairwise([*begins, len(ordered)]):
        yield ordered[begin], ordered[end - 1]


# Dated tables


def named_used(before: Value, after: Value) -> tuple[Named, ...]:
    """Return the rows of tables that a value uses otherwise than before."""
    old, new = ({(one.kind, one.key, one.since): one for one in value.used} for value in (before, after))
    keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
    return bounded(_row(key, old.get(key), new.get(key)) for key in keys)


def _row(key: tuple[str, str, str], old: Used | None, new: Used | None) -> Named:
    facts: dict[str, JsonValue] = {"since": key[2]}
    for name, used in (("before", old), ("after", new)):
        if used is not None:
            facts[name] = {"version": used.version, "value": used.value, "source": used.source}
    return Named(kind=key[0], key=key[1], facts=facts)


def named_tables(name: str, before: Any, after: Any) -> tuple[Named, ...]:  # noqa: ANN401 - a dated table
    """Return the rows that one of two tables has and the other has not."""
    old, new = _rows(before), _rows(after)
    gone = [Named(kind=name, key=key, facts={"did": "removed", "version": v}) for key, v in old - new]
    came = [Named(kind=name, key=key, facts={"did": "added", "version": v}) for key, v in new - old]
    return bounded(sorted([*gone, *came], key=lambda one: (one.key, one.facts["did"])))


def _rows(table: Any) -> set[tuple[str, int]]:  # noqa: ANN401 - a dated table
    """Return id and version of each row of a table; a normal is known by its place and limit."""
    if isinstance(table, tuple):
        return {(_id_of(row), _version(row)) for row in table}
    return {
        pair
        for name in table.__slots__
        if isinstance(getattr(table, name), tuple)
        for pair in _rows(getattr(table, name))
    }


def _id_of(row: Any) -> str:  # noqa: ANN401 - a row of a table
    return str(row.id) if hasattr(row, "id") else f"{row.place} {row.limit_c:g} °C {row.span}".strip()


def _version(row: Any) -> int:  # noqa: ANN401 - a row of a table
    return int(row.provenance.version if hasattr(row, "provenance") else row.version)
