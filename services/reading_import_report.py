"""What a plan comes to, for people: by series and month, and row by row."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calendar import local, micros
from core.calendar import zone as zone_of
from core.readings import Kind, Readings
from services.points import unit_of
from services.reading_import import Plan
from services.reading_import_check import CHANGED, NEW, SAME

ROWS: Final = 200
"""Readings that are shown singly."""

STATES: Final = {NEW: "new", SAME: "same", CHANGED: "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """What a file says of one series: how many readings, from when to when, and what they come to.

    `first` is the first dial or the begin of the first period, `last` the last dial or the end of the last period.
    `amount` is the sum of amounts, or by how much a dial rose (without what it fell), in `unit`; `months` the same by
    the month of the zone, a dial's rise in the month of the later reading.
    """

    meter: str
    register: str
    unit: str
    point: str
    kind: Kind
    new: int
    same: int
    changed: int
    first: np.datetime64
    last: np.datetime64
    first_value: float
    last_value: float
    amount: float
    months: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """One reading as it would be stored, and what stood there before (None: nothing)."""

    row: int
    column: str
    meter: str
    register: str
    at: np.datetime64
    span_s: int
    value: float
    unit: str
    kind: Kind
    quality: int
    state: str
    former: float | None


def series_of(plan: Plan) -> list[SeriesReport]:
    """Return what a plan says of each series that has readings, in order."""
    found = []
    order = np.lexsort((micros(plan.readings.at), plan.readings.code))
    code = plan.readings.code[order]
    for n in np.unique(code).tolist():
        mine = order[code == n]
        found.append(_series(plan, plan.readings.take(mine), plan.state[mine], n))
    return sorted(found, key=lambda s: (s.point, s.meter, s.register))


def _series(plan: Plan, mine: Readings, state: np.typing.NDArray[np.uint8], n: int) -> SeriesReport:
    key = mine.series[n]
    counts = np.bincount(state, minlength=3)
    amount = _amounts(mine)
    return SeriesReport(
        meter=key.meter,
        register=key.register,
        unit=unit_of(key.register),
        point=plan.points[n],
        kind=Kind(int(mine.kind[0])),
        new=int(counts[NEW]),
        same=int(counts[SAME]),
        changed=int(counts[CHANGED]),
        first=mine.at[0] - mine.span_s[0].astype("timedelta64[s]"),
        last=mine.at[-1],
        first_value=float(mine.value[0]),
        last_value=float(mine.value[-1]),
        amount=float(amount.sum()),
        months=_months(mine, amount, plan.mapping.zone),
    )


def _amounts(mine: Readings) -> np.typing.NDArray[np.float64]:
    """Return the amount of each reading; of a dial by how much it rose since the one before."""
    if mine.kind[0] == Kind.INTERVAL:
        return mine.value
    rise = np.diff(mine.value, prepend=mine.value[:1])
    return np.asarray(np.maximum(rise, 0.0))


def _months(mine: Readings, amount: np.typing.NDArray[np.float64], zone: str) -> tuple[tuple[str, float], ...]:
    inside = mine.at - np.where(mine.span_s > 0, np.timedelta64(1, "us"), np.timedelta64(0, "us"))
    months, which = np.unique(local(inside, zone_of(zone)).astype("datetime64[M]"), return_inverse=True)
    sums = np.bincount(which, weights=amount, minlength=len(months))
    return tuple(zip(months.astype(str).tolist(), sums.tolist(), strict=True))


def rows_of(plan: Plan, most: int = ROWS) -> list[RowReport]:
    """Return the first readings of a plan in the order of the file."""
    order = np.lexsort((plan.column, plan.row))[:most]
    return [_row(plan, i) for i in order.tolist()]


def _row(plan: Plan, i: int) -> RowReport:
    r = plan.readings
    key = r.series[int(r.code[i])]
    former = float(plan.former[i])
    return RowReport(
        row=int(plan.row[i]),
        column=plan.columns[int(plan.column[i])],
        meter=key.meter,
        register=key.register,
        at=r.at[i],
        span_s=int(r.span_s[i]),
        value=float(r.value[i]),
        unit=unit_of(key.register),
        kind=Kind(int(r.kind[i])),
        quality=int(r.quality[i]),
        state=STATES[int(plan.state[i])],
        former=None if np.isnan(former) else former,
    )


def counts_of(plan: Plan) -> tuple[int, int, int]:
    """Return how many readings are new, the same and changed."""
    counts = np.bincount(plan.state, minlength=3).tolist()
    return counts[NEW], counts[SAME], counts[CHANGED]
