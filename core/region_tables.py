"""All dated tables of a region together, as acts are given them."""

from dataclasses import dataclass, field

from core.climate import Normal
from core.factors import FactorTables
from core.populations import Population
from core.tariffs import Tariffs


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTables:
    """Factors, tariffs, populations and normals; `place` is the one whose inhabitants count."""

    factors: FactorTables = field(default_factory=FactorTables)
    tariffs: Tariffs = field(default_factory=Tariffs)
    populations: tuple[Population, ...] = ()
    normals: tuple[Normal, ...] = ()
    place: str = "Liberecký kraj"
