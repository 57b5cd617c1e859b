"""Consumption as rows: what an answer says of each period, with the counterpart it is compared with beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from api.answers import utc_texts
from api.comparison import Counterparts, Side, differ, places
from core.calendar import Bools, Instants, utc_offsets
from core.readings import Floats
from services.consumption import PointConsumption, Total

Number = float | None


class Compared(msgspec.Struct, frozen=True, gc=False):
    """The counterpart of a period; difference and percent are null where `reason` says why."""

    start: str | None
    end: str | None
    amount: Number
    measured: Number
    estimated: Number
    missing: Number
    difference: Number
    percent: Number
    reason: str


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A period of a point: `amount` is null where nothing of it is known, and of its known part where some is missing.

    `measured`, `estimated` and `missing` are shares of its time, summing to 1.
    """

    start: str
    end: str
    amount: Number
    measured: float
    estimated: float
    missing: float
    first_reading: str | None
    last_reading: str | None
    compared: Compared | msgspec.UnsetType = msgspec.UNSET


class TotalRow(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A period of a sum over points; `lacking` tells how many of the `points` lack data in it."""

    start: str
    end: str
    amount: Number
    measured: float
    estimated: float
    missing: float
    points: int
    lacking: int
    compared: Compared | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """With what is compared, and how much of a period may be missing for it."""

    with_: Counterparts
    most_missing: float


class LocalTexts:
    """Instants as ISO 8601 of a zone; asked for the same array again, it answers from memory.

    The points of one question share their periods, so their texts are made once.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone: Final = zone
        self._last: tuple[Instants, list[str]] | None = None

    def of(self, at: Instants) -> list[str]:
        """Return a text an instant, with its offset."""
        if self._last is None or not np.array_equal(self._last[0], at):
            self._last = (at, local_texts(at, self.zone))
        return self._last[1]


def local_texts(at: Instants, zone: ZoneInfo) -> list[str]:
    """Return instants as ISO 8601 with the zone's offset, to the second."""
    offsets = utc_offsets(at, zone)
    minutes = offsets.astype("timedelta64[m]").astype(int)
    kinds = {int(m): f"{'-' if m < 0 else '+'}{abs(int(m)) // 60:02}:{abs(int(m)) % 60:02}" for m in np.unique(minutes)}
    texts = (at + offsets).astype("datetime64[s]").astype(str).tolist()
    return [text + kinds[m] for text, m in zip(texts, minutes.tolist(), strict=True)]


def numbers(values: Floats) -> list[Number]:
    """Return numbers, None for NaN."""
    return np.where(np.isnan(values), None, values).tolist()  # type: ignore[no-any-return, call-overload]


@dataclass(frozen=True, slots=True)
class Texts:
    """Makes the texts of starts and ends."""

    starts: LocalTexts
    ends: LocalTexts

    @classmethod
    def of(cls, zone: ZoneInfo) -> "Texts":
        """Return the texts of a zone."""
        return cls(LocalTexts(zone), LocalTexts(zone))


def point_rows(part: PointConsumption, texts: Texts, compared: Sequence[Compared] | None) -> list[Row]:
    """Return the rows of a point."""
    columns = [
        texts.starts.of(part.starts),
        texts.ends.of(part.ends),
        numbers(part.amount),
        part.measured.tolist(),
        part.estimated.tolist(),
        part.missing.tolist(),
        utc_texts(part.first_at),
        utc_texts(part.last_at),
    ]
    return list(map(Row, *columns, *([compared] if compared is not None else [])))


def total_rows(total: Total, texts: Texts, compared: Sequence[Compared] | None) -> list[TotalRow]:
    """Return the rows of a sum."""
    columns = [
        texts.starts.of(total.starts),
        texts.ends.of(total.ends),
        numbers(total.amount),
        total.measured.tolist(),
        total.estimated.tolist(),
        total.missing.tolist(),
        [total.points] * len(total.starts),
        total.lacking.tolist(),
    ]
    return list(map(TotalRow, *columns, *([compared] if compared is not None else [])))


def compare(
    now: PointConsumption | Total, before: PointConsumption | Total | None, how: Comparison, texts: Texts
) -> list[Compared]:
    """Return the counterpart of each period, where there is one."""
    if before is None or before.unit != now.unit or not len(before.starts):
        nothing = Compared(None, None, None, None, None, None, None, None, "no_counterpart")
        return [nothing] * len(now.starts)
    place = places(before.starts, how.with_.starts)
    there = place >= 0
    amount, lost = _picked(before.amount, place, there), _picked(before.missing, place, there)
    mine = Side(amount=now.amount, missing=_lost(now))
    other = Side(amount=amount, missing=_picked(_lost(before), place, there))
    found = differ(mine, other, there, how.most_missing)
    columns = [
        _texts(texts.starts.of(before.starts), place),
        _texts(texts.ends.of(before.ends), place),
        numbers(amount),
        numbers(_picked(before.measured, place, there)),
        numbers(_picked(before.estimated, place, there)),
        numbers(lost),
        numbers(found.difference),
        numbers(found.percent),
        list(found.reason),
    ]
    return list(map(Compared, *columns))


def _lost(part: PointConsumption | Total) -> Floats:
    """Return the missing share of each period; of a sum also the share of points that lack data, if that is more."""
    if isinstance(part, PointConsumption):
        return part.missing
    return np.maximum(part.missing, part.lacking / max(part.points, 1))


def _picked(values: Floats, place: np.ndarray[tuple[int], np.dtype[np.int64]], there: Bools) -> Floats:
    return np.where(there, values[place], np.nan)


def _texts(texts: list[str], place: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[str | None]:
    return (texts[i] if i >= 0 else None for i in place.tolist())
