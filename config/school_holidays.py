"""School holidays of the region's districts, from the dated table that ships and an operator's own."""

from datetime import date, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, model_validator

from config.tables import FOLDER, Row, read_rows

SHIPPED: Final = FOLDER / "school_holidays.toml"


class HolidayRow(Row):
    """A span of days without school, both ends included."""

    first: date
    last: date
    kind: str

    @model_validator(mode="after")
    def _in_order(self) -> "HolidayRow":
        if self.last < self.first:
            raise ValueError(f"it ends on {self.last}, before it begins on {self.first}")
        return self


class SchoolHolidays(BaseModel):
    """A table of school holidays."""

    model_config = Row.model_config

    holiday: tuple[HolidayRow, ...] = ()


def load_school_holidays(years: range, own: Path | None = None) -> frozenset[date]:
    """Return the days without school in some years; July and August are always among them (561/2004 Sb., § 24)."""
    rows = [row for file in (SHIPPED, own) if file is not None for row in read_rows(file, SchoolHolidays).holiday]
    spans = [(row.first, row.last) for row in rows]
    spans += [(date(year, 7, 1), date(year, 8, 31)) for year in years]
    return frozenset(day for first, last in spans for day in _days(first, last) if day.year in years)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
