"""Readings in columns: what a batch of messages says, and what a store keeps.

Every array has one entry a reading. Instants are `datetime64[us]` in UTC, values canonical (see core.units).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from core.calendar import Instants, Longs
from core.errors import InputError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

VALUE_LIMIT: Final = 9.0e9
"""The largest value [kWh, m³, ...] that the curve's integers hold; no dial of a building shows more."""


class SeriesKey(NamedTuple):
    """A series of readings: the meter's name as it publishes itself, and its register (energy.import, ...)."""

    meter: str
    register: str


class Kind(IntEnum):
    """What a value is. A snapshot (last month's closing dial) is a cumulative reading at its own date."""

    CUMULATIVE = 0
    INTERVAL = 1
    DELTA = 2
    GAUGE = 3


class Quality(IntFlag):
    """What is to be known of a reading; 0 is good."""

    GOOD = 0
    ARRIVAL_TIME = 1  # the message had no time: the instant is that of its arrival
    AMBIGUOUS_TIME = 2  # a naive time in the repeated hour that the order of arrival did not resolve
    MANUAL = 4  # read by a person
    CORRECTED = 8  # put in the place of another by a person
    SUSPECT = 16  # the device itself reported a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Readings of many meters.

    `series` are the distinct series and `code` indexes them. `span_s` is the length [s] of the period that ends
    at `at`, for kind INTERVAL, else 0. `received` is when it came in, `source` indexes `sources` (a topic's
    profile, an import, a person).
    """

    series: tuple[SeriesKey, ...]
    code: Codes
    at: Instants
    value: Floats
    kind: Bytes
    quality: Bytes
    span_s: Longs
    received: Instants
    sources: tuple[str, ...] = ("",)
    source: Codes

    def __post_init__(self) -> None:
        lengths = {len(getattr(self, name)) for name in ARRAYS}
        if len(lengths) != 1:
            raise InputError("columns of readings differ in length", remedy="give one entry a reading in each")

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def empty(cls) -> Self:
        """Return no readings."""
        return cls.of((), [], [], [])

    @classmethod
    def of(
        cls,
        series: Sequence[SeriesKey],
        code: npt.ArrayLike,
        at: npt.ArrayLike,
        value: npt.ArrayLike,
        *,
        kind: npt.ArrayLike = Kind.CUMULATIVE,
        quality: npt.ArrayLike = 0,
        span_s: npt.ArrayLike = 0,
        received: npt.ArrayLike | None = None,
        source: str = "",
    ) -> Self:
        """Return readings of one source; scalars of kind, quality, span and arrival hold for all."""
        instants = np.asarray(at, "datetime64[us]")
        shape = instants.shape

        def column(values: npt.ArrayLike, dtype: str) -> npt.NDArray[np.generic]:
            return np.broadcast_to(np.asarray(values, dtype), shape)

        return cls(
            series=tuple(series),
            code=np.asarray(code, np.int32).reshape(shape),
            at=instants,
            value=np.asarray(value, np.float64).reshape(shape),
            kind=column(kind, "u1"),  # type: ignore[arg-type]
            quality=column(quality, "u1"),  # type: ignore[arg-type]
            span_s=column(span_s, "i8"),  # type: ignore[arg-type]
            received=instants if received is None else column(received, "M8[us]"),  # type: ignore[arg-type]
            sources=(source,),
            source=np.zeros(shape, np.int32),
        )

    def take(self, chosen: npt.NDArray[np.generic]) -> Self:
        """Return the readings that an index or mask chooses; the series stay."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in ARRAYS})

    def of_series(self, key: SeriesKey) -> Self:
        """Return the readings of one series."""
        if key not in self.series:
            return self.take(np.zeros(len(self), bool))
        return self.take(self.code == self.series.index(key))


ARRAYS: Final = tuple(f.name for f in fields(Readings) if f.name not in {"series", "sources"})


def _merged(parts: Sequence[tuple[tuple[object, ...], Codes]]) -> tuple[tuple[object, ...], Codes]:
    """Return one dictionary for several, and the codes into it."""
    place: dict[object, int] = {}
    codes = []
    for names, code in parts:
        table = np.array([place.setdefault(name, len(place)) for name in names] or [0], np.int32)
        codes.append(table[code])
    return tuple(place), np.concatenate(codes) if codes else np.empty(0, np.int32)


def concat(batches: Iterable[Readings]) -> Readings:
    """Return one batch of several, series and sources merged, in their order."""
    parts = list(batches)
    if not parts:
        return Readings.empty()
    if len(parts) == 1:
        return parts[0]
    series, code = _merged([(p.series, p.code) for p in parts])
    sources, source = _merged([(p.sources, p.source) for p in parts])
    columns = {
        name: np.concatenate([getattr(p, name) for p in parts]) for name in ARRAYS if name not in {"code", "source"}
    }
    return Readings(series=series, code=code, sources=sources, source=source, **columns)  # type: ignore[arg-type]


def last_wins(readings: Readings) -> tuple[Readings, Readings]:
    """Return the readings ordered by series and instant with one each, and the ones that lost.

    Of two at the same instant of a series the later received wins; received together, the later in order.
    """
    ascending = (readings.code[1:] > readings.code[:-1]) | (
        (readings.code[1:] == readings.code[:-1]) & (readings.at[1:] > readings.at[:-1])
    )
    if ascending.all():
        return readings, readings.take(np.zeros(len(readings), bool))
    order = np.lexsort((np.arange(len(readings)), readings.received, readings.at, readings.code))
    ordered = readings.take(order)
    last = np.ones(len(ordered), bool)
    last[:-1] = (ordered.code[1:] != ordered.code[:-1]) | (ordered.at[1:] != ordered.at[:-1])
    return ordered.take(last), ordered.take(~last)
