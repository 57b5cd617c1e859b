"""Comparison with another time, period by period; pure functions of arrays.

A period is compared with its counterpart: the same calendar period of the year before (weeks: 52 weeks before, so
that weekdays match), the one as many periods before as were asked for, or the one at the same place of a named span.
29 February, and the second pass of an hour that was not repeated the year before, have no counterpart.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from api.asking import SHORTEST, Span, instant_of
from core.calendar import NAT, Instants, Longs, Period, instant, local, micros, spans
from core.errors import InputError
from core.readings import Floats

DAY: Final = np.timedelta64(1, "D").astype("timedelta64[us]")
WEEKS_52: Final = 52 * 7 * DAY
REPEATS: Final = tuple(np.timedelta64(m, "m").astype("timedelta64[us]") for m in (30, 60))
MONTHS_IN_YEAR: Final = 12


class Against(StrEnum):
    """The named comparisons; FROM/TO names a span itself."""

    PREVIOUS_YEAR = "previous-year"
    PREVIOUS_PERIOD = "previous-period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparts:
    """The span to ask for, and for each of n periods the start of its counterpart in it (NaT: none)."""

    start: np.datetime64
    end: np.datetime64
    starts: Instants


def counterparts(against: str, period: Period, span: Span, zone: ZoneInfo) -> Counterparts:
    """Return with what the periods touching a span are compared; raise InputError where `against` is no comparison."""
    starts, _ = spans(period, instant(span.start), instant(span.end), zone)
    if against == Against.PREVIOUS_YEAR:
        return _year_before(period, starts, zone)
    if against == Against.PREVIOUS_PERIOD:
        return _just_before(period, starts, zone)
    begin, slash, end = against.partition("/")
    if not slash:
        raise InputError(
            f"{against!r} is no comparison",
            place="compare",
            remedy="write previous-year, previous-period or FROM/TO such as 2024-01-01/2025-01-01",
        )
    named = Span(start=instant_of(begin, zone, place="compare"), end=instant_of(end, zone, place="compare"))
    return _at_same_place(period, starts, named, zone)


def _at_same_place(period: Period, starts: Instants, named: Span, zone: ZoneInfo) -> Counterparts:
    others, ends = spans(period, instant(named.start), instant(named.end), zone)
    return _padded(others[: len(starts)], ends[: len(starts)], len(starts))


def _padded(others: Instants, ends: Instants, count: int) -> Counterparts:
    starts = np.full(count, NAT, "datetime64[us]")
    starts[: len(others)] = others
    begin, end = (others[0], ends[-1]) if len(others) else (NAT, NAT)
    return Counterparts(start=begin, end=end, starts=starts)


def _just_before(period: Period, starts: Instants, zone: ZoneInfo) -> Counterparts:
    if not len(starts):
        return _padded(starts, starts, 0)
    reach = np.timedelta64(SHORTEST[period] * 1.2 * (len(starts) + 2), "us")
    others, ends = spans(period, starts[0] - reach, starts[0], zone)
    before = ends <= starts[0]
    return _padded(others[before][-len(starts) :], ends[before][-len(starts) :], len(starts))


def _year_before(period: Period, starts: Instants, zone: ZoneInfo) -> Counterparts:
    if not len(starts):
        return _padded(starts, starts, 0)
    wall = local(starts, zone)
    wanted, there = (wall - WEEKS_52, np.ones(len(wall), bool)) if period is Period.WEEK else _last_year(wall)
    others, ends = spans(period, wanted.min() - 3 * DAY, wanted.max() + 3 * DAY, zone)
    place = _places(_key(local(others, zone), _repeated(others, zone)), _key(wanted, _repeated(starts, zone)))
    place[~there] = -1
    found = np.where(place >= 0, others[place], NAT)
    used = place[place >= 0]
    if not len(used):
        return Counterparts(start=NAT, end=NAT, starts=found)
    return Counterparts(start=others[used.min()], end=ends[used.max()], starts=found)


def _last_year(wall: Instants) -> tuple[Instants, npt.NDArray[np.bool_]]:
    """Return the same wall times a year before, and whether that day was there."""
    days, months = wall.astype("datetime64[D]"), wall.astype("datetime64[M]")
    before = months - MONTHS_IN_YEAR
    day = before.astype("datetime64[D]") + (days - months.astype("datetime64[D]"))
    return (day + (wall - days)).astype("datetime64[us]"), day.astype("datetime64[M]") == before


def _repeated(at: Instants, zone: ZoneInfo) -> npt.NDArray[np.bool_]:
    """Return which instants are the second pass of a wall time."""
    wall = local(at, zone)
    half, whole = (local(at - step, zone) == wall for step in REPEATS)
    return np.asarray(half | whole)


def _key(wall: Instants, repeated: npt.NDArray[np.bool_]) -> Longs:
    return micros(wall) * 2 + repeated


def _places(held: Longs, wanted: Longs) -> Longs:
    """Return where each wanted key stands among the held ones (-1: nowhere)."""
    order = np.argsort(held)
    spot = np.minimum(np.searchsorted(held[order], wanted), len(held) - 1)
    return np.where(held[order][spot] == wanted, order[spot], -1)


def places(starts: Instants, wanted: Instants) -> Longs:
    """Return where each wanted start stands among ascending starts (-1: nowhere, or NaT)."""
    if not len(starts):
        return np.full(len(wanted), -1)
    return np.where(np.isnat(wanted), -1, _places(micros(starts), micros(wanted)))


class Reason(StrEnum):
    """Why two amounts are not compared."""

    NONE = ""
    NO_COUNTERPART = "no_counterpart"
    MISSING = "missing"
    MISSING_BEFORE = "missing_before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Per period: now less before, in percent of before, and why not where it is not compared (NaN)."""

    difference: Floats
    percent: Floats
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison: amounts and the share of each period that is missing."""

    amount: Floats
    missing: Floats


def differ(now: Side, before: Side, matched: npt.NDArray[np.bool_], most_missing: float) -> Difference:
    """Compare amounts whose missing shares are at most `most_missing`, else say why not."""
    unknown = np.isnan(now.amount) | (now.missing > most_missing)
    unknown_before = np.isnan(before.amount) | (before.missing > most_missing)
    reason = np.select(
        [~matched, unknown, unknown_before],
        [Reason.NO_COUNTERPART.value, Reason.MISSING.value, Reason.MISSING_BEFORE.value],
        Reason.NONE.value,
    )
    difference = np.where(reason == "", now.amount - before.amount, np.nan)
    percent = np.full(len(now.amount), np.nan)
    np.divide(100 * difference, before.amount, out=percent, where=(reason == "") & (before.amount > 0))
    return Difference(difference=difference, percent=percent, reason=tuple(reason.tolist()))
