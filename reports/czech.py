"""Czech as it is printed: numbers, days, spaces that do not break, and texts of people made fit for a document."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from core.calendar import PRAGUE

NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
NOTHING: Final = "—"
MONTHS: Final = (
    "ledna", "února", "března", "dubna", "května", "června",
    "července", "srpna", "září", "října", "listopadu", "prosince",
)  # fmt: skip

_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\ue000]"
)
"""What XML cannot say, and what turns the direction of a text around."""
_SHORT_WORD: Final = re.compile(r"(?<![^\s(„\u00a0])([KkSsVvZzOoUuAaIi]) +(?=\S)")
_NUMBER_AND_UNIT: Final = re.compile(r"(?<=\d) +(?=(?:%|°C|[kMGT]?Wh?\b|m²|m³|t\b|kg\b|Kč\b|os\.|ks\b|h\b|l\b))")
_DATE: Final = re.compile(rf"(?<=\d\.) +(?=(?:\d|{'|'.join(MONTHS)}))")
_ABBREVIATION: Final = re.compile(
    r"\b(č|čl|odst|písm|str|tab|obr|příl|r|tj|tzv|např|ing|mgr|bc)\. +(?=\S)", re.IGNORECASE
)


def number(value: float | None, decimals: int) -> str:
    """Return a number with a decimal comma, thousands parted by spaces that do not break, rounded half up."""
    if value is None or value != value:  # noqa: PLR0124 - NaN alone is not equal to itself
        return NOTHING
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(exact):,.{decimals}f}".replace(",", NBSP).replace(".", ",")
    return f"{MINUS}{text}" if exact < 0 else text


def signed(value: float | None, decimals: int) -> str:
    """Return a change with its sign."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text.strip("0,") else text


def amount(value: float | None, decimals: int, unit: str) -> str:
    """Return a number with its unit; what is not known is a dash without one."""
    text = number(value, decimals)
    return text if text == NOTHING or not unit else f"{text}{NBSP}{unit}"


def share(value: float | None, decimals: int = 0) -> str:
    """Return a share in percent; what is nearly but not quite all or nothing never reads as 100 or 0."""
    if value is None or value != value:  # noqa: PLR0124 - same
        return NOTHING
    text = number(100 * value, decimals)
    if 0 < value < 1 and text in {number(0, decimals), number(100, decimals)}:
        bound = number(10.0**-decimals if value < 0.5 else 100 - 10.0**-decimals, decimals)  # noqa: PLR2004 - a half
        text = f"{'<' if value < 0.5 else '>'}{NBSP}{bound}"  # noqa: PLR2004 - same
    return f"{text}{NBSP}%"


def day(at: date) -> str:
    """Return a day as 05.03.2025."""
    return f"{at:%d.%m.%Y}"


def day_of(at: datetime, zone: ZoneInfo = PRAGUE) -> str:
    """Return the local day of an instant."""
    return day(at.astimezone(zone).date())


def minute(at: datetime, zone: ZoneInfo = PRAGUE) -> str:
    """Return an instant in local time to the minute."""
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M}".replace(" ", NBSP)


def span(first: date, end: date) -> str:
    """Return the days from `first` up to the day before `end`."""
    last = date.fromordinal(end.toordinal() - 1)
    return f"{day(first)}{NBSP}–{NBSP}{day(last)}"


def fit(text: str) -> str:
    """Return a text without what no document can hold; lines stay."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def line(text: str) -> str:
    """Return a text as one line, typeset."""
    return typeset(" ".join(fit(text).split(" ")).replace("\n", " ").strip())


def typeset(text: str) -> str:
    """Return a text whose one-letter words, numbers with units, dates and abbreviations stay with what follows."""
    bound = _SHORT_WORD.sub(rf"\1{NBSP}", text)
    bound = _SHORT_WORD.sub(rf"\1{NBSP}", bound)  # two of them in a row
    bound = _NUMBER_AND_UNIT.sub(NBSP, bound)
    bound = _DATE.sub(NBSP, bound)
    return _ABBREVIATION.sub(rf"\1.{NBSP}", bound)


def listed(names: Iterable[str], most: int = 0) -> str:
    """Return names as a sentence lists them; of more than `most` (0: any number) the rest is counted."""
    all_names = list(names)
    if most and len(all_names) > most:
        rest = len(all_names) - most
        return f"{', '.join(all_names[:most])} a{NBSP}{rest}{NBSP}{plural(rest, 'další', 'další', 'dalších')}"
    return f"{', '.join(all_names[:-1])} a{NBSP}{all_names[-1]}" if len(all_names) > 1 else "".join(all_names)


def plural(count: int, one: str, few: str, many: str) -> str:
    """Return the form of a word that goes with a count: 1 budova, 2 budovy, 5 budov."""
    return one if count == 1 else few if 2 <= count <= 4 else many  # noqa: PLR2004 - of the grammar


def counted(count: int, one: str, few: str, many: str) -> str:
    """Return a count with its word."""
    return f"{number(count, 0)}{NBSP}{plural(count, one, few, many)}"
