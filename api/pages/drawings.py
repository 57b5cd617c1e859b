"""Small pictures that stand in the page as SVG from the first moment on: trends, heat maps, a map of gaps.

Colours are classes of the style sheet, for the page's policy allows no style within an element.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from core.readings import Floats

LEVELS: Final = 8
WIDTH: Final = 100.0
HEIGHT: Final = 24.0
MARGIN: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A trend as the path of a line over 100 x 24, broken where nothing is known; the last point stands out."""

    path: str
    last: tuple[float, float] | None


def spark(values: Sequence[float | None]) -> Spark | None:
    """Return the trend of values in order, None where fewer than two are known."""
    known = [v for v in values if v is not None]
    if len(known) < 2:  # noqa: PLR2004 - one point is no line
        return None
    high, low = max(*known, 0.0), min(*known, 0.0)
    step, size = WIDTH / (len(values) - 1), high - low or 1.0
    path, pen, last = [], "M", None
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        last = round(place * step, 1), round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / size, 1)
        path.append(f"{pen}{last[0]:g} {last[1]:g}")
        pen = "L"
    return Spark(path="".join(path), last=last)


def levels(values: Floats) -> list[list[int]]:
    """Return the level, 0 to 8, of each of (r, c) values between nothing and the highest; -1 where not known.

    The scale ends at the 98th percentile, so that one peak does not make all the rest look empty.
    """
    known = np.isfinite(values)
    top = float(np.quantile(values[known], 0.98)) if known.any() else 0.0
    scaled = np.clip(np.where(known, values, 0.0) / (top or 1.0), 0.0, 1.0)
    found: list[list[int]] = np.where(known, np.rint(scaled * LEVELS), -1).astype(int).tolist()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """A day of a calendar: its column (week) and row (weekday), level and amount."""

    day: date
    column: int
    row: int
    level: int
    amount: float | None


def calendar_cells(first: date, amounts: Floats) -> list[DayCell]:
    """Return the cells of consecutive days from `first` on, weeks in columns, Monday on top."""
    level = levels(amounts[None, :])[0] if len(amounts) else []
    offset = first.weekday()
    return [
        DayCell(
            day=first + timedelta(days=n),
            column=(offset + n) // 7,
            row=(offset + n) % 7,
            level=level[n],
            amount=None if np.isnan(amounts[n]) else float(amounts[n]),
        )
        for n in range(len(amounts))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Days in a row that are known alike: `state` is measured, partly, estimated or missing."""

    start: int
    length: int
    state: str


MEASURED, PARTLY, ESTIMATED, MISSING = "measured", "partly", "estimated", "missing"
STATES: Final = (MEASURED, PARTLY, ESTIMATED, MISSING)
WHOLE: Final = 0.99


def runs(measured: Floats, estimated: Floats) -> list[Run]:
    """Return days (D,) by how they are known, those alike side by side joined."""
    known = measured + estimated
    state = np.select([measured >= WHOLE, known >= WHOLE, known > 1 - WHOLE], [0, 2, 1], 3)
    if not len(state):
        return []
    edges = np.flatnonzero(np.diff(state)) + 1
    starts, ends = np.append(0, edges).tolist(), np.append(edges, len(state)).tolist()
    return [Run(start=a, length=b - a, state=STATES[int(state[a])]) for a, b in zip(starts, ends, strict=True)]
