"""Emission factors, gas conversion and supplies, from the table that ships and an operator's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field

from config.tables import FOLDER, DatedRow, Maker, Makers, Number, Reaching, Words, both, in_force, read_rows
from core.errors import InputError
from core.factors import CARRIER_OF, Basis, CalorificRatio, Carrier, Factor, FactorTables, GasConversion, Supply
from core.own_rows import ListedRow, RowKind
from core.registry import Commodity

SHIPPED: Final = FOLDER / "factors.toml"
KG_PER_KWH: Final[Mapping[str, float]] = {
    "t/MWh": 1.0,
    "kg/kWh": 1.0,
    "kg/MWh": 1e-3,
    "g/kWh": 1e-3,
    "kg/GJ": 0.0036,
    "t/GJ": 3.6,
    "kg/TJ": 3.6e-6,
    "t/TJ": 0.0036,
}
KG_PER_M3: Final[Mapping[str, float]] = {"kg/m3": 1.0, "kg/m³": 1.0, "g/m3": 1e-3, "t/m3": 1e3}
MJ_PER_KWH: Final = 3.6


class FactorRow(DatedRow):
    """A factor as a table writes it."""

    id: str
    carrier: Carrier
    value: Annotated[Number, Field(ge=0)]
    unit: str
    scheme: str = ""
    basis: Basis = Basis.NONE
    gas: str = "CO2"
    supplier: str = ""


class RatioRow(DatedRow, Reaching):
    """A ratio of calorific values as a table writes it."""

    id: str
    value: Number


class ConversionRow(DatedRow, Reaching):
    """A gas conversion as a table writes it; the calorific value in kWh/m³, or in MJ/m³ as some bills print it."""

    id: str
    volume_correction: Number
    gross_kwh_m3: Number | None = None
    gross_mj_m3: Number | None = None


class SupplyRow(DatedRow, Reaching):
    """A supply as a table writes it."""

    id: str
    commodity: Commodity
    supplier: str = ""
    carrier: Carrier | None = None
    source: str = "operator"


class Factors(BaseModel):
    """A table of factors."""

    model_config = DatedRow.model_config

    order: dict[Carrier, Words] = Field(default_factory=dict)
    factor: tuple[FactorRow, ...] = ()
    ratio: tuple[RatioRow, ...] = ()
    conversion: tuple[ConversionRow, ...] = ()
    supply: tuple[SupplyRow, ...] = ()


def load_factors(own: Path | None = None) -> FactorTables:
    """Return the factors that ship and the operator's; `order` of the operator outdoes the shipped one by carrier."""
    return factor_tables(both(own, SHIPPED, Factors, MAKERS), load_order(own))


def load_order(own: Path | None = None) -> Mapping[Carrier, Words]:
    """Return which published schemes count for a carrier."""
    return {name: words for file in (SHIPPED, own) if file for name, words in read_rows(file, Factors).order.items()}


def factor_tables(rows: Sequence[ListedRow], order: Mapping[Carrier, Words]) -> FactorTables:
    """Return what counts of these rows, and the former versions of factors."""
    former = (row for row in rows if row.kind is RowKind.FACTOR and not row.newest and not row.withdrawn)
    return FactorTables(
        factors=in_force(rows, RowKind.FACTOR),
        order=order,
        ratios=in_force(rows, RowKind.RATIO),
        conversions=in_force(rows, RowKind.CONVERSION),
        supplies=in_force(rows, RowKind.SUPPLY),
        former=tuple(row.made for row in former),
    )


FUELS: Final = frozenset(Carrier) - {
    Carrier.ELECTRICITY,
    Carrier.HEAT,
    Carrier.WATER_SUPPLY,
    Carrier.WATER_TREATMENT,
}


def _factor(row: FactorRow) -> Factor:
    per = "kWh" if row.unit in KG_PER_KWH else "m³"
    scale = KG_PER_KWH.get(row.unit) or KG_PER_M3.get(row.unit)
    if scale is None:
        known = ", ".join([*KG_PER_KWH, *KG_PER_M3])
        raise InputError(f"unit {row.unit!r} of {row.id} is not known", remedy=f"write one of {known}")
    if (row.carrier in FUELS) != (row.basis is not Basis.NONE):
        raise InputError(
            f"basis {row.basis.value!r} of {row.id} cannot be of {row.carrier}",
            remedy="write net or gross for a fuel that is burnt here, and no basis for anything else",
        )
    return Factor(
        id=row.id,
        carrier=row.carrier,
        kg=float(f"{row.value * scale:.15g}"),
        scheme=row.scheme,
        valid=row.valid(),
        provenance=row.provenance(),
        per=per,
        basis=row.basis,
        gas=row.gas,
        supplier=row.supplier,
    )


def _ratio(row: RatioRow) -> CalorificRatio:
    return CalorificRatio(
        id=row.id, gross_over_net=row.value, valid=row.valid(), provenance=row.provenance(), reach=row.reach()
    )


def _conversion(row: ConversionRow) -> GasConversion:
    if (row.gross_kwh_m3 is None) == (row.gross_mj_m3 is None):
        raise InputError(
            f"{row.id} needs one calorific value", remedy="write gross_kwh_m3, or gross_mj_m3 where the bill says MJ"
        )
    gross = row.gross_kwh_m3 if row.gross_mj_m3 is None else row.gross_mj_m3 / MJ_PER_KWH
    return GasConversion(
        id=row.id,
        volume_correction=row.volume_correction,
        gross_kwh_m3=gross or 0.0,
        valid=row.valid(),
        provenance=row.provenance(),
        reach=row.reach(),
    )


def _supply(row: SupplyRow) -> Supply:
    if row.commodity not in CARRIER_OF:
        raise InputError(f"{row.id}: nobody supplies {row.commodity}", remedy="write electricity, gas, heat or water")
    return Supply(
        id=row.id,
        commodity=row.commodity,
        carrier=row.carrier or CARRIER_OF[row.commodity],
        supplier=row.supplier,
        valid=row.valid(),
        reach=row.reach(),
        version=row.version,
    )


MAKERS: Final[Makers] = {
    RowKind.FACTOR: Maker(model=FactorRow, make=_factor, space="factor"),
    RowKind.RATIO: Maker(model=RatioRow, make=_ratio, space="ratio"),
    RowKind.CONVERSION: Maker(model=ConversionRow, make=_conversion, space="conversion"),
    RowKind.SUPPLY: Maker(model=SupplyRow, make=_supply, space="supply"),
}
