"""Days on which schools are empty."""

from dataclasses import dataclass
from datetime import date

from core.dated_tables import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolHoliday:
    """A span of days without school, both ends included."""

    id: str
    first: date
    last: date
    kind: str
    provenance: Provenance
