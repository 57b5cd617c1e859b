"""Long-term degree days of places: what a normal year is, dated and sourced."""

from dataclasses import dataclass

from core.dated_tables import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """A place's long-term heating period: `days` below `limit_c`, `outdoor_c` their mean temperature.

    `span` are the years that it was made of, empty where the source does not tell. `altitude_m` [m above the sea].
    """

    place: str
    limit_c: float
    outdoor_c: float
    days: float
    provenance: Provenance
    span: str = ""
    altitude_m: float | None = None

    def degree_days(self, indoor_c: float) -> float:
        """Return D = d x (indoor - outdoor) [K d]; D19, D20, D21 by the indoor temperature (ČSN EN ISO 15927-6)."""
        return self.days * (indoor_c - self.outdoor_c)
