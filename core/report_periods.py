"""Which report is meant: its kind and the span that it tells of."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from core.errors import InputError
from core.plan import ReportKind

_YEAR: Final = re.compile(r"(\d{4})")
_YEARS: Final = re.compile(r"(\d{4})-(\d{4})")
EARLIEST: Final = 1990
LATEST: Final = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportId:
    """A report by kind and period: a year (`2025`), of the closing one the years from and to (`2024-2026`).

    `first` up to the day before `end` are the days that it tells of, of the mid-year one those of January to June.
    """

    kind: ReportKind
    period: str

    def __post_init__(self) -> None:
        if not EARLIEST <= self._years[0] <= self._years[1] <= LATEST:
            raise InputError(f"period {self.period!r} cannot be", place="period", remedy=self._remedy)

    @classmethod
    def parse(cls, kind: str, period: str) -> Self:
        """Return the report of two texts; raise InputError naming the one that is wrong."""
        if kind not in set(ReportKind):
            raise InputError(
                f"{kind!r} is no kind of report", place="kind", remedy=f"write one of {', '.join(ReportKind)}"
            )
        return cls(kind=ReportKind(kind), period=period)

    @property
    def first(self) -> date:
        """The first day."""
        return date(self._years[0], 1, 1)

    @property
    def end(self) -> date:
        """The day after the last."""
        year = self._years[1]
        return date(year, 7, 1) if self.kind is ReportKind.MID_YEAR else date(year + 1, 1, 1)

    @property
    def _years(self) -> tuple[int, int]:
        found = (_YEARS if self.kind is ReportKind.CLOSING else _YEAR).fullmatch(self.period)
        if found is None:
            raise InputError(
                f"period {self.period!r} of a {self.kind} report cannot be read", place="period", remedy=self._remedy
            )
        return int(found[1]), int(found[found.re.groups])

    @property
    def _remedy(self) -> str:
        return "write 2024-2026" if self.kind is ReportKind.CLOSING else "write a year, as 2025"

    def __str__(self) -> str:
        return f"{self.kind}/{self.period}"
