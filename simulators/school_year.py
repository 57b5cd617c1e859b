"""School holidays of the region of Liberec, for simulated occupancy only.

Source: MŠMT, organizace školního roku (vyhláška 16/2005 Sb. for the rules), as schools published it for 2021/22 to
2025/26. All four districts (Česká Lípa, Jablonec nad Nisou, Liberec, Semily) have their spring week together; it
moves by a week a year through six weeks: seen published for 2015 (2 February), 2023 (20 February), 2025 (3 March)
and 2026 (9 March), the others follow from the rota. Not seen published, so unsure: autumn 2026 to 2028, Christmas
2026/27 to 2028/29, half-term 2027 and 2028, spring 2022, 2024, 2027 and 2028, summer 2027 and 2028.
"""

from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

import holidays


class District(StrEnum):
    """A district of the region."""

    LIBEREC = "Liberec"
    JABLONEC = "Jablonec nad Nisou"
    SEMILY = "Semily"
    CESKA_LIPA = "Česká Lípa"


FIRST_YEAR: Final = 2022
LAST_YEAR: Final = 2028

AUTUMN: Final = {
    2022: (date(2022, 10, 26), date(2022, 10, 27)),
    2023: (date(2023, 10, 26), date(2023, 10, 27)),
    2024: (date(2024, 10, 29), date(2024, 10, 30)),
    2025: (date(2025, 10, 27), date(2025, 10, 29)),
    2026: (date(2026, 10, 29), date(2026, 10, 30)),  # unsure
    2027: (date(2027, 10, 27), date(2027, 10, 29)),  # unsure: as in 2021, when 28 October was a Thursday too
    2028: (date(2028, 10, 26), date(2028, 10, 27)),  # unsure: as in 2023, when 28 October was a Saturday too
}
CHRISTMAS: Final = {
    2021: (date(2021, 12, 23), date(2022, 1, 2)),
    2022: (date(2022, 12, 23), date(2023, 1, 2)),
    2023: (date(2023, 12, 23), date(2024, 1, 2)),
    2024: (date(2024, 12, 23), date(2025, 1, 3)),
    2025: (date(2025, 12, 22), date(2026, 1, 2)),
    2026: (date(2026, 12, 23), date(2027, 1, 3)),  # unsure
    2027: (date(2027, 12, 23), date(2028, 1, 2)),  # unsure
    2028: (date(2028, 12, 23), date(2029, 1, 2)),  # unsure
}
HALF_TERM: Final = {
    2022: date(2022, 2, 4),
    2023: date(2023, 2, 3),
    2024: date(2024, 2, 2),
    2025: date(2025, 1, 31),
    2026: date(2026, 1, 30),
    2027: date(2027, 1, 29),  # unsure
    2028: date(2028, 2, 4),  # unsure: as in 2022, when 31 January was a Monday too
}
SUMMER: Final = {
    2022: (date(2022, 7, 1), date(2022, 8, 31)),
    2023: (date(2023, 7, 1), date(2023, 9, 3)),
    2024: (date(2024, 6, 29), date(2024, 9, 1)),
    2025: (date(2025, 6, 28), date(2025, 8, 31)),
    2026: (date(2026, 7, 1), date(2026, 8, 31)),
    2027: (date(2027, 7, 1), date(2027, 8, 31)),  # unsure
    2028: (date(2028, 7, 1), date(2028, 9, 3)),  # unsure
}
SPRING_WEEK: Final = {d: {2023: 2} for d in District}
"""The week (0 to 5) of each district in a known year; a year later it is the next one."""


def _days(first: date, last: date) -> frozenset[date]:
    return frozenset(first + timedelta(days=n) for n in range((last - first).days + 1))


def spring_week(year: int, district: District) -> tuple[date, date]:
    """Return the Monday and Sunday of the spring holidays: weeks follow the Friday of half-term."""
    known, week = next(iter(SPRING_WEEK[district].items()))
    friday = HALF_TERM.get(year) or _half_term_by_rule(year)
    monday = friday + timedelta(days=3, weeks=(week + year - known) % 6)
    return monday, monday + timedelta(days=6)


def _half_term_by_rule(year: int) -> date:
    """Return the first Friday after 29 January."""
    first = date(year, 1, 29)
    return first + timedelta(days=(4 - first.weekday()) % 7)


@lru_cache(maxsize=256)
def school_holidays(year: int, district: District) -> frozenset[date]:
    """Return the days of a calendar year without school besides weekends and public holidays.

    Years without a table follow the rules: 26 and 27 October, 23 December to 2 January, July and August.
    """
    before, after = (CHRISTMAS.get(y) or (date(y, 12, 23), date(y + 1, 1, 2)) for y in (year - 1, year))
    spans = [
        AUTUMN.get(year) or (date(year, 10, 26), date(year, 10, 27)),
        before,
        after,
        (HALF_TERM.get(year) or _half_term_by_rule(year),) * 2,
        spring_week(year, district),
        SUMMER.get(year) or (date(year, 7, 1), date(year, 8, 31)),
        (_good_friday(year) - timedelta(days=1),) * 2,
    ]
    return frozenset(day for span in spans for day in _days(*span) if day.year == year)


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """Return the public holidays of Czechia (zákon 245/2000 Sb.)."""
    return frozenset(holidays.country_holidays("CZ", years=year))


def _good_friday(year: int) -> date:
    return next(day for day in sorted(public_holidays(year)) if day.weekday() == 4 and day.month in {3, 4})  # noqa: PLR2004 - Friday; in March or April Good Friday is the one public holiday that always is one
