"""School holidays of the region's districts, from the dated table that ships and an operator's own."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from config.tables import FOLDER, Day, Maker, Makers, Row, both, in_force
from core.errors import InputError
from core.own_rows import RowKind
from core.school_holidays import SchoolHoliday

SHIPPED: Final = FOLDER / "school_holidays.toml"
LONGEST: Final = timedelta(days=100)
"""Longer than July and August: who writes more has written a wrong year."""


class HolidayRow(Row):
    """A span of days without school, both ends included. Without an id it is known by its kind and first day."""

    id: str = ""
    first: Day
    last: Day
    kind: str


class SchoolHolidays(BaseModel):
    """A table of school holidays."""

    model_config = Row.model_config

    holiday: tuple[HolidayRow, ...] = ()


def load_school_holidays(years: range, own: Path | None = None) -> frozenset[date]:
    """Return the days without school in some years; July and August are always among them (561/2004 Sb., § 24)."""
    return school_days(in_force(both(own, SHIPPED, SchoolHolidays, MAKERS), RowKind.HOLIDAY), years)


def school_days(holidays: Iterable[SchoolHoliday], years: range) -> frozenset[date]:
    """Return the days of these holidays in some years, and July and August."""
    spans = [(one.first, one.last) for one in holidays]
    spans += [(date(year, 7, 1), date(year, 8, 31)) for year in years]
    return frozenset(day for first, last in spans for day in _days(first, last) if day.year in years)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _key(row: HolidayRow) -> str:
    return row.id or f"{row.kind}-{row.first}"


def _holiday(row: HolidayRow) -> SchoolHoliday:
    if row.last < row.first:
        raise InputError(
            f"it ends on {row.last}, before it begins on {row.first}", place="last", remedy="write a later last day"
        )
    if row.last - row.first > LONGEST:
        raise InputError(
            f"it lasts from {row.first} to {row.last}, longer than any school holiday",
            place="last",
            remedy="write a row for each holiday",
        )
    return SchoolHoliday(
        id=_key(row),
        first=row.first,
        last=row.last,
        kind=row.kind,
        provenance=row.provenance(),
    )


MAKERS: Final[Makers] = {RowKind.HOLIDAY: Maker(model=HolidayRow, make=_holiday, key=_key, space="")}
