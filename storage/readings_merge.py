"""What becomes of a batch where the store has some of its instants already: pure, the same for every reading store."""

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np

from core.calendar import Bools, Longs
from core.errors import InputError
from core.readings import Codes, Readings, concat

K = TypeVar("K")

FIRST_INSTANT: Final = np.datetime64("1678-01-01", "us")
LAST_INSTANT: Final = np.datetime64("2262-01-01", "us")
"""The span of InfluxDB's nanoseconds; both adapters keep to it, so that readings can move from one to the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What to do: `written` take their places, `replaced` (indices of the stored) go, `revisions` are kept beside."""

    written: Readings
    replaced: Longs
    revisions: Readings


def checked(readings: Readings) -> Readings:
    """Return the readings with those series and sources alone that occur, each once.

    Raises InputError for values and instants that no store can hold.
    """
    _refuse(readings, ~np.isfinite(readings.value), "value")
    for name in ("at", "received"):
        instants = getattr(readings, name)
        _refuse(readings, ~((instants >= FIRST_INSTANT) & (instants < LAST_INSTANT)), name)
    series, code = _occurring(readings.series, readings.code)
    sources, source = _occurring(readings.sources, readings.source)
    return replace(readings, series=series, code=code, sources=sources, source=source)


def _refuse(readings: Readings, wrong: Bools, name: str) -> None:
    if wrong.any():
        worst = int(np.flatnonzero(wrong)[0])
        key = readings.series[readings.code[worst]]
        found = getattr(readings, name)[worst]
        raise InputError(f"{name} {found} of {key.meter} {key.register} cannot be stored", remedy="leave it out")


def _occurring(names: tuple[K, ...], code: Codes) -> tuple[tuple[K, ...], Codes]:
    """Return the names that occur, each once, and the codes into them."""
    seen = np.bincount(code, minlength=len(names)) > 0
    place: dict[K, int] = {}
    table = [place.setdefault(name, len(place)) if used else -1 for name, used in zip(names, seen, strict=True)]
    if table == list(range(len(names))):
        return names, code
    return tuple(place), np.array(table, np.int32)[code]


def merge(stored: Readings, batch: Readings, *, skip_same: bool) -> Merged:
    """Return what to do with a batch, given the stored readings at its instants.

    Of all at one instant of a series, ordered by arrival (the stored one first, then as in the batch), the last
    wins; each other is a revision where it differs from the one after it, and the stored one goes if it did not win.
    With `skip_same`, one that equals the stored to arrival and source is not written; that is for a store that shows
    what is durable alone.
    """
    both = concat([stored, batch]) if len(stored) else batch
    order, last = _ordered(both)
    ordered = both if order is None else both.take(order)
    ours = np.arange(len(both)) if order is None else order
    new = ours >= len(stored)
    kept = ~last
    if kept.any():
        kept[:-1] &= _differ(ordered)[: len(kept) - 1]
    same = _identical_to_stored(ordered, last, new) if skip_same and len(stored) else np.zeros(len(both), bool)
    return Merged(
        written=ordered.take(last & new & ~same),
        replaced=ours[_give_way(last, new, same)],
        revisions=ordered.take(kept),
    )


def _ordered(readings: Readings) -> tuple[Longs | None, Bools]:
    """Return the order by series, instant and arrival (None: it is so), and which is the last of its instant."""
    if _rises(readings):
        return None, np.ones(len(readings), bool)
    order = np.lexsort((readings.received, readings.at, readings.code))
    code, at = readings.code[order], readings.at[order]
    last = np.ones(len(order), bool)
    last[:-1] = (code[1:] != code[:-1]) | (at[1:] != at[:-1])
    return order, last


def _rises(readings: Readings) -> bool:
    """Return whether the readings stand by series and instant already, each instant once."""
    code, at = readings.code, readings.at
    return bool(((code[1:] > code[:-1]) | ((code[1:] == code[:-1]) & (at[1:] > at[:-1]))).all())


def _differ(ordered: Readings) -> Bools:
    """Return of each reading whether it says something else than the next one; n-1 entries."""
    names = ("value", "kind", "quality", "span_s")
    differ = np.zeros(max(len(ordered) - 1, 0), bool)
    for name in names:
        column = getattr(ordered, name)
        differ |= column[1:] != column[:-1]
    return differ


def _identical_to_stored(ordered: Readings, last: Bools, new: Bools) -> Bools:
    """Return which winners equal the stored reading just before them to the arrival and source: a redelivery."""
    same = np.zeros(len(ordered), bool)
    same[1:] = last[1:] & ~last[:-1] & new[1:] & ~new[:-1] & ~_differ(ordered)
    same[1:] &= (ordered.received[1:] == ordered.received[:-1]) & (ordered.source[1:] == ordered.source[:-1])
    return same


def _give_way(last: Bools, new: Bools, same: Bools) -> Bools:
    """Return which are stored readings that do not stay."""
    stays = last.copy()
    stays[:-1] |= same[1:]
    return ~new & ~stays
