"""When points use what they use: the typical day, the week by the hour, the year by the day, and year against year."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np

from api.asking import Span
from api.pages.charts import MEASURED, typical_day, years
from api.pages.drawings import DayCell, calendar_cells, levels
from api.pages.figures import Figure, Use, use_of
from api.pages.overview import quality_note
from api.pages.view import Viewer
from api.texts import N_, Language
from core.calendar import Bools, Longs, Period, local
from core.readings import Floats
from core.registry import Point

LEAST_DAYS: Final = 28
"""A shorter span tells no typical day; then the weeks before its end do."""
WEEKS_BEFORE: Final = timedelta(weeks=8)
LONGEST: Final = timedelta(days=366)
YEARS: Final = 5
KNOWN: Final = 0.01
"""The share of an hour that may be missing or estimated for it to tell of a typical day."""
DAY_TYPES: Final = (N_("Workday"), N_("Saturday"), N_("Sunday and holidays"))
WORKDAY, SATURDAY, SUNDAY = range(3)
WEEKEND: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCell:
    """An hour of the week: its level and mean [kW or m³/h], None where it is not known."""

    hour: int
    level: int
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekShape:
    """The week by the hour, and the typical day, from the hours of first to last."""

    first: date
    last: date
    unit: str
    rows: list[tuple[str, list[HourCell]]]
    profile: list[tuple[str, list[float | None]]]
    chart: dict[str, Any]


def week_shape(v: Viewer, points: Sequence[Point], span: Span) -> WeekShape | None:
    """Return when in the week points of one commodity use what they use; None where no hour is known."""
    zone, words = v.room.deps.zone, v.words
    start = max(span.start, span.end - LONGEST)
    start = start if span.end - start >= timedelta(days=LEAST_DAYS) else span.end - WEEKS_BEFORE
    use = use_of(v.room, points, Period.HOUR, start, span.end)
    amount, unit = _together(use)
    if not np.isfinite(amount).any():
        return None
    wall = local(use.starts, zone)
    day = wall.astype("datetime64[D]")
    hour = (wall - day).astype("timedelta64[h]").astype(np.int64)
    weekday = (day.astype(np.int64) + 3) % 7
    kind = _types(v, day, weekday)
    by_weekday, by_type = _means(amount, weekday * 24 + hour, 7 * 24), _means(amount, kind * 24 + hour, 3 * 24)
    level = levels(by_weekday.reshape(7, 24))
    names = [capital(words.text(name)) for name in DAY_TYPES]
    profile = [(name, [_known(x) for x in by_type[n * 24 : n * 24 + 24]]) for n, name in enumerate(names)]
    rate = f"{unit}/h" if unit != "kWh" else "kW"
    return WeekShape(
        first=start.astimezone(zone).date(),
        last=(span.end - timedelta(seconds=1)).astimezone(zone).date(),
        unit=rate,
        rows=[
            (
                words.weekday(d),
                [HourCell(hour=h, level=level[d][h], mean=_known(by_weekday[d * 24 + h])) for h in range(24)],
            )
            for d in range(7)
        ],
        profile=profile,
        chart=typical_day(
            [
                {"hour": h, "type": name, "value": x}
                for name, means in profile
                for h, x in enumerate([*means, means[-1]])  # the last hour reaches to midnight
            ],
            names=names,
            unit=rate,
            words=words,
            title=words.text("Mean use by the hour of workdays, Saturdays, and Sundays with holidays"),
        ),
    )


def capital(text: str) -> str:
    """Return a text that begins a line."""
    return text[:1].upper() + text[1:]


def _together(use: Use) -> tuple[Floats, str]:
    """Return the sum of points (k,), NaN unless all of them are measured then, and its unit."""
    if not len(use) or not len(use.amount):
        return np.empty(0), ""
    sure = (use.measured >= 1 - KNOWN).all(axis=0)
    return np.where(sure, use.amount.sum(axis=0), np.nan), next((u for u in use.units if u), "")


def _types(v: Viewer, day: Any, weekday: Longs) -> Longs:  # noqa: ANN401 - days
    free: Bools = np.zeros(len(day), bool)
    if v.room.deps.facts is not None:
        free = np.isin(day, np.array(sorted(v.room.deps.facts.holidays), "datetime64[D]"))
    return np.select([free | (weekday > WEEKEND), weekday == WEEKEND], [SUNDAY, SATURDAY], WORKDAY)


def _means(amount: Floats, cell: Longs, size: int) -> Floats:
    known = np.isfinite(amount)
    total, count = (
        np.bincount(cell[known], weights=weight, minlength=size) for weight in (amount[known], np.ones(known.sum()))
    )
    return np.asarray(np.divide(total, count, out=np.full(size, np.nan), where=count > 0))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# The year by the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A year by the day: cells, and the column at which each month begins."""

    year: int
    unit: str
    cells: list[DayCell]
    months: list[tuple[str, int]]


def calendar_of(v: Viewer, points: Sequence[Point], year: int) -> Calendar | None:
    """Return the days of a year until yesterday; None where no day is known."""
    zone, words = v.room.deps.zone, v.words
    start = datetime(year, 1, 1, tzinfo=zone)
    today = datetime.combine(v.now.astimezone(zone).date(), time(), zone)
    use = use_of(v.room, points, Period.DAY, start, min(start.replace(year=year + 1), today))
    amount, unit = _days(use)
    if not np.isfinite(amount).any():
        return None
    cells = calendar_cells(start.date(), amount)
    offset = start.weekday()
    months = [(words.month(m), (offset + (date(year, m, 1) - start.date()).days) // 7) for m in range(1, 13)]
    return Calendar(year=year, unit=unit, cells=cells, months=months)


def _days(use: Use) -> tuple[Floats, str]:
    """Return the sum of points by day, NaN where any of them lacks a part of it, and its unit."""
    if not len(use) or not len(use.amount):
        return np.empty(0), ""
    sure = (use.measured + use.estimated >= 1 - KNOWN).all(axis=0)
    return np.where(sure, use.amount.sum(axis=0), np.nan), next((u for u in use.units if u), "")


# Year against year


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRow:
    """A year: its months, and all of it; the running month and year are so far."""

    year: int
    months: list[Figure | None]
    total: Figure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsShape:
    """Years against each other."""

    rows: list[YearRow]
    chart: dict[str, Any] | None


def years_shape(v: Viewer, points: Sequence[Point], color: str = MEASURED) -> YearsShape | None:
    """Return the last years by month, those of which something is known."""
    zone = v.room.deps.zone
    cut = datetime.combine(v.now.astimezone(zone).date(), time(), zone)
    first = datetime((cut - timedelta(days=1)).year - YEARS + 1, 1, 1, tzinfo=zone)
    month = cut.replace(day=1)
    use = use_of(v.room, points, Period.MONTH, first, month)
    use = use.then(use_of(v.room, points, Period.DAY, month, cut).as_one())
    ids = [p.id for p in points]
    figures = [use.period(n, ids) for n in range(len(use))]
    rows = [_year(first.year + n, figures[12 * n : 12 * n + 12], use, ids, n) for n in range(-(-len(figures) // 12))]
    rows = [row for row in rows if any(f is not None and f.amount is not None for f in row.months)]
    if not rows:
        return None
    running = len(figures) - 1 if cut.day != 1 else -1
    drawn = [replace(row, months=_over(row.months, running - 12 * (row.year - first.year))) for row in rows]
    return YearsShape(rows=rows, chart=_years_chart(v.words, drawn, color))


def _over(months: list[Figure | None], running: int) -> list[Figure | None]:
    """Return the months without the running one, which would look like a fall."""
    return [None if n == running else figure for n, figure in enumerate(months)]


def _year(year: int, months: list[Figure | None], use: Use, ids: Sequence[str], place: int) -> YearRow:
    part = use.part(12 * place, 12 * place + 12)
    return YearRow(year=year, months=[*months, *([None] * (12 - len(months)))], total=part.whole(ids))


def _years_chart(words: Language, rows: Sequence[YearRow], color: str) -> dict[str, Any] | None:
    made = [
        {
            "month": words.month(m + 1),
            "series": str(row.year),
            "amount": f.amount,
            "note": quality_note(words, f),
        }
        for row in rows
        for m, f in enumerate(row.months)
        if f is not None and f.amount is not None
    ]
    if not made:
        return None
    unit = next((f.unit for row in rows for f in row.months if f is not None and f.unit), "")
    title = words.text("Consumption by month, years against each other")
    return years(made, names=[str(r.year) for r in rows], color=color, unit=unit, words=words, title=title)
