"""The settings of deliveries for reports of the action plan."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from config.sections import Section, Whole


def _month_day(text: str) -> str:
    try:
        date.fromisoformat(f"2001-{text}")  # a year without 29 February: each year has the day
    except ValueError as err:
        raise ValueError("a day of the year is written as 02-28") from err
    return text


def _numbers(value: object) -> object:
    """Return the numbers of a list that the environment writes as one text, parted by commas."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


MonthDay = Annotated[str, AfterValidator(_month_day)]
Days = Annotated[tuple[Annotated[Whole, Field(ge=0, le=365)], ...], BeforeValidator(_numbers)]


class DeliverySettings(Section):
    """Until when guarantors deliver their parts of reports, and when they are reminded."""

    annual_due: MonthDay = "02-28"
    """Last day for the annual report, in the year after its own: month and day."""
    mid_year_due: MonthDay = "07-31"
    """Last day for the mid-year report, in the same year: month and day."""
    closing_due: MonthDay = "02-28"
    """Last day for the closing report, in the year after the plan's last: month and day."""
    plan_years: Annotated[str, Field(pattern=r"^(\d{4}-\d{4})?$")] = "2024-2026"
    """Years of the plan, of which the closing report tells; empty: nobody is reminded of it."""
    remind_days: Days = (21, 7, 1)
    """So many days before the last one people are reminded by e-mail of what lacks; none: never."""
