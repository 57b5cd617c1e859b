"""Emission factors and what turns gas into energy: dated, sourced, versioned; nothing is filled in between.

A factor is kg of CO2 (or CO2e) per kWh or m³, which is t per MWh. `basis` says of a fuel whether its kWh are of net
or gross calorific value. Which of several published schemes counts for a carrier is the table's `order`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from core.dated_tables import Provenance, Reach, Validity, check_positive
from core.errors import InputError
from core.registry import Commodity, Point


class Carrier(StrEnum):
    """What carries the energy, or the water."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    LPG = "lpg"
    HEATING_OIL = "heating_oil"
    HARD_COAL = "hard_coal"
    LIGNITE = "lignite"
    BRIQUETTES = "briquettes"
    COKE = "coke"
    WOOD = "wood"
    WATER_SUPPLY = "water_supply"
    WATER_TREATMENT = "water_treatment"


class Basis(StrEnum):
    """Of which calorific value a fuel's kWh are; NONE for what is no fuel."""

    NET = "net"
    GROSS = "gross"
    NONE = ""


CARRIER_OF: Final = {
    Commodity.ELECTRICITY: Carrier.ELECTRICITY,
    Commodity.GAS: Carrier.GAS,
    Commodity.HEAT: Carrier.HEAT,
    Commodity.COLD_WATER: Carrier.WATER_SUPPLY,
    Commodity.HOT_WATER: Carrier.WATER_SUPPLY,
}
"""What a commodity's points carry where no supply says otherwise; PV is generation and carries nothing in."""

SCOPE: Final = {
    Carrier.ELECTRICITY: 2,
    Carrier.HEAT: 2,
    Carrier.WATER_SUPPLY: 3,
    Carrier.WATER_TREATMENT: 3,
}
"""Scope of the GHG Protocol; what is burnt on the spot is scope 1."""
WATER_SCOPE: Final = 3


def scope_of(carrier: Carrier) -> int:
    """Return the scope in which a carrier's emissions are."""
    return SCOPE.get(carrier, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """An emission factor: `kg` of `gas` per `per` (kWh or m³); `supplier` empty where it is nobody's own."""

    id: str
    carrier: Carrier
    kg: float
    scheme: str
    valid: Validity
    provenance: Provenance
    per: str = "kWh"
    basis: Basis = Basis.NONE
    gas: str = "CO2"
    supplier: str = ""

    def __post_init__(self) -> None:
        check_positive(f"factor {self.id}:", self.kg, zero=True)
        if self.per != ("m³" if scope_of(self.carrier) == WATER_SCOPE else "kWh"):
            raise InputError(
                f"factor {self.id} is per {self.per}", remedy="write one of energy in t/MWh, one of water in kg/m3"
            )
        if not (self.scheme or self.supplier):
            raise InputError(
                f"factor {self.id} has neither scheme nor supplier",
                remedy="name the supplier whose it is, or a scheme of `order` such as mpo-production",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalorificRatio:
    """Gross over net calorific value of gas."""

    id: str
    gross_over_net: float
    valid: Validity
    provenance: Provenance
    reach: Reach = field(default_factory=Reach)

    def __post_init__(self) -> None:
        if not 1.0 <= self.gross_over_net < 1.3:  # noqa: PLR2004 - hydrogen, the most of all fuels, has 1.18
            raise InputError(
                f"ratio {self.gross_over_net} of {self.id} is no gross over net calorific value",
                remedy="write one such as 1.108",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GasConversion:
    """What turns metered m³ into billed kWh: volume correction times gross calorific value [kWh/m³]."""

    id: str
    volume_correction: float
    gross_kwh_m3: float
    valid: Validity
    provenance: Provenance
    reach: Reach = field(default_factory=Reach)

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("volume correction", self.volume_correction, 0.5, 20.0),  # meters under pressure count many standard m³
            ("gross calorific value", self.gross_kwh_m3, 3.0, 40.0),
        ):
            if not low <= value <= high:
                raise InputError(
                    f"{name} {value} of {self.id} cannot be",
                    remedy="write the correction as 0.975 and the calorific value in kWh/m3, or mj_m3 in MJ",
                )

    @property
    def kwh_per_m3(self) -> float:
        """Billed kWh in a metered m³."""
        return self.volume_correction * self.gross_kwh_m3


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Who supplies points of a commodity, and with what, where it is not what the commodity says."""

    id: str
    commodity: Commodity
    carrier: Carrier
    supplier: str
    valid: Validity
    reach: Reach = field(default_factory=Reach)
    version: int = 1


def closest(rows: Sequence["Reaching"], point: Point, organisation: str, day: date) -> "Reaching | None":
    """Return the row that means a point on a day most closely; of equals the one begun last, its newest version."""
    fits = [(row.reach.closeness(point, organisation), row) for row in rows if row.valid.holds(day)]
    fits = [(near, row) for near, row in fits if near >= 0]
    return max(fits, key=lambda pair: (pair[0], pair[1].valid.since, version_of(pair[1])), default=(0, None))[1]


Reaching = CalorificRatio | GasConversion | Supply


def version_of(row: Reaching) -> int:
    """Return the version of a row."""
    return row.version if isinstance(row, Supply) else row.provenance.version


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorTables:
    """All factors; `order` names the schemes that count for a carrier, the first one first.

    `former` are the versions of factors that newer ones replaced: they answer where they are asked for by version.
    """

    factors: tuple[Factor, ...] = ()
    order: Mapping[Carrier, tuple[str, ...]] = field(default_factory=dict)
    ratios: tuple[CalorificRatio, ...] = ()
    conversions: tuple[GasConversion, ...] = ()
    supplies: tuple[Supply, ...] = ()
    former: tuple[Factor, ...] = ()

    def factor(
        self, carrier: Carrier, day: date, *, supplier: str = "", versions: Mapping[str, int] | None = None
    ) -> Factor | None:
        """Return the factor of a carrier, or of a supplier's, that holds on a day; None where the table has none.

        The newest version counts unless `versions` names another by the factor's id.
        """
        fits = [
            f
            for f in self._of(versions or {})
            if f.carrier is carrier and f.supplier == supplier and f.valid.holds(day) and self._rank(f) is not None
        ]
        return min(fits, key=lambda f: (self._rank(f), -f.valid.since.toordinal(), -f.provenance.version), default=None)

    def _of(self, versions: Mapping[str, int]) -> list[Factor]:
        """Return the factors that count, those with a wanted version in that version."""
        every = [*self.factors, *(f for f in self.former if f.id in versions)]
        return [f for f in every if f.provenance.version == versions.get(f.id, f.provenance.version)]

    def _rank(self, factor: Factor) -> int | None:
        if factor.supplier:
            return 0
        order = self.order.get(factor.carrier, ())
        return order.index(factor.scheme) if factor.scheme in order else None

    def residual(self, day: date, versions: Mapping[str, int] | None = None) -> Factor | None:
        """Return the residual mix of electricity on a day, None where the table has none."""
        mixes = FactorTables(factors=self.factors, former=self.former, order={Carrier.ELECTRICITY: (RESIDUAL,)})
        return mixes.factor(Carrier.ELECTRICITY, day, versions=versions)

    def ratio(self, point: Point, organisation: str, day: date) -> CalorificRatio | None:
        """Return the gross over net calorific value of a point's gas on a day."""
        found = closest(self.ratios, point, organisation, day)
        return found if isinstance(found, CalorificRatio) else None

    def conversion(self, point: Point, organisation: str, day: date) -> GasConversion | None:
        """Return what turns a point's m³ into kWh on a day."""
        found = closest(self.conversions, point, organisation, day)
        return found if isinstance(found, GasConversion) else None

    def supply(self, point: Point, organisation: str, day: date) -> Supply | None:
        """Return who supplies a point on a day."""
        mine = [s for s in self.supplies if s.commodity is point.commodity]
        found = closest(mine, point, organisation, day)
        return found if isinstance(found, Supply) else None


RESIDUAL: Final = "residual-mix"
"""The scheme of what electricity is left in the grid once contracts have taken theirs."""
