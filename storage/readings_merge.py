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
    What a source says again and again is one, as of its first arrival: what was known at an instant stays known.
    With `skip_same`, one that equals the stored is not written; that is for a store that shows what is durable alone.
    """
    both = concat([stored, batch]) if len(stored) else batch
    order, last = _ordered(both)
    if order is None:
        return _as_it_is(both, len(stored))
    new = order >= len(stored)
    ordered = both.take(order)
    differ = _differ(ordered)
    ended = last.copy()
    ended[:-1] |= differ
    began = np.concatenate([[0], np.flatnonzero(ended[:-1]) + 1])[np.cumsum(ended) - ended]
    said = replace(ordered, received=ordered.received[began])
    exact = ~new & (ordered.received == said.received)
    wins = _in_runs(last, began)
    there = _in_runs(exact, began) & last
    return Merged(
        written=said.take(last & (~there if skip_same else new | ~there)),
        replaced=order[~new & ~(exact & wins)],
        revisions=said.take(ended & ~last),
    )


def _as_it_is(both: Readings, stored: int) -> Merged:
    """Return what to do where no two are at one instant: the new ones are written."""
    none = np.zeros(len(both), bool)
    return Merged(
        written=both.take(np.arange(len(both)) >= stored), replaced=np.flatnonzero(none), revisions=both.take(none)
    )


def _in_runs(chosen: Bools, began: Longs) -> Bools:
    """Return which readings are in a run that holds a chosen one; `began` is where the run of each begins."""
    marked = np.zeros(len(began), bool)
    marked[began[chosen]] = True
    return marked[began]


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
    """Return of each reading whether it says something else, or by another source, than the next one; n-1 entries."""
    names = ("value", "kind", "quality", "span_s", "source")
    differ = np.zeros(max(len(ordered) - 1, 0), bool)
    for name in names:
        column = getattr(ordered, name)
        differ |= column[1:] != column[:-1]
    return differ
