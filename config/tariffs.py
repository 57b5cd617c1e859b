"""Prices and rules of the year, from the table that ships and an operator's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from config.tables import FOLDER, DatedRow, Maker, Makers, Number, Reaching, Row, both, in_force
from core.errors import ConfigError, InputError
from core.own_rows import ListedRow, RowKind
from core.registry import Commodity
from core.tariffs import Connection, CostPart, MeasuredRule, Plan, Price, ReservedRule, Tariffs, overlapping

SHIPPED: Final = FOLDER / "tariffs.toml"
PRICE_UNITS: Final = {
    "Kč/kWh": (1.0, "kWh"),
    "Kč/MWh": (1e-3, "kWh"),
    "Kč/GJ": (0.0036, "kWh"),
    "Kč/m3": (1.0, "m³"),
    "Kč/m³": (1.0, "m³"),
}
NotBelowZero = Annotated[Number, Field(ge=0)]


class PriceRow(DatedRow, Reaching):
    """A price as a table writes it."""

    id: str
    commodity: Commodity
    price: NotBelowZero | None = None
    unit: str = ""
    month_czk: NotBelowZero | None = None
    covers: tuple[CostPart, ...] = (CostPart.ENERGY,)
    vat: Literal["excluded", "included"] = "excluded"
    vat_percent: Annotated[Number, Field(ge=0, le=50)] | None = None
    distributor: str = ""
    level: str = ""


class ConnectionRow(DatedRow, Reaching):
    """A connection as a table writes it."""

    id: str
    distributor: str
    level: Literal["NN", "VN", "VVN"]
    source: str = "operator"


class ReservedRow(DatedRow):
    """A rule of reserved capacity as a table writes it; a breach at a price, or at a multiple of another price."""

    id: str
    distributor: str
    level: Literal["NN", "VN", "VVN"]
    yearly_czk_kw: NotBelowZero | None = None
    monthly_czk_kw: NotBelowZero | None = None
    breach_czk_kw: NotBelowZero | None = None
    breach_times_monthly: NotBelowZero | None = None
    breach_times_yearly: NotBelowZero | None = None
    input_breach_czk_kw: NotBelowZero | None = None
    input_breach_times_monthly: NotBelowZero | None = None


class PlanRow(BaseModel):
    """A plan of a measured rule as a table writes it."""

    model_config = Row.model_config

    name: str
    input_czk_kw: NotBelowZero
    maximum_czk_kw: NotBelowZero


class MeasuredRow(DatedRow):
    """A rule over measured maxima as a table writes it."""

    id: str
    distributor: str
    level: Literal["NN", "VN", "VVN"]
    input_breach_czk_kw: NotBelowZero | None = None
    plan: tuple[PlanRow, ...] = ()


class TariffTable(BaseModel):
    """A table of tariffs."""

    model_config = Row.model_config

    price: tuple[PriceRow, ...] = ()
    connection: tuple[ConnectionRow, ...] = ()
    reserved: tuple[ReservedRow, ...] = ()
    measured: tuple[MeasuredRow, ...] = ()


def load_tariffs(own: Path | None = None) -> Tariffs:
    """Return the tariffs that ship and the operator's."""
    made = tariff_tables(both(own, SHIPPED, TariffTable, MAKERS))
    if pair := overlapping(made.connections):
        raise ConfigError(
            f"{own}: connections {pair[0].id!r} and {pair[1].id!r} say two things of the same points at once; "
            "end the first where the second begins"
        )
    return made


def tariff_tables(rows: Sequence[ListedRow]) -> Tariffs:
    """Return what counts of these rows."""
    return Tariffs(
        prices=in_force(rows, RowKind.PRICE),
        connections=in_force(rows, RowKind.CONNECTION),
        rules=in_force(rows, RowKind.RESERVED, RowKind.MEASURED),
    )


def _price(row: PriceRow) -> Price:
    if row.price is not None and row.unit not in PRICE_UNITS:
        raise InputError(f"unit {row.unit!r} of {row.id} is not known", remedy=f"write one of {', '.join(PRICE_UNITS)}")
    if row.vat == "included" and row.vat_percent is None:
        raise InputError(f"{row.id} includes VAT of an unknown rate", remedy="write vat_percent")
    scale, unit = PRICE_UNITS.get(row.unit, (1.0, "kWh"))
    bare = 1.0 if row.vat == "excluded" or row.vat_percent is None else 1 + row.vat_percent / 100
    return Price(
        id=row.id,
        commodity=row.commodity,
        valid=row.valid(),
        provenance=row.provenance(),
        per_unit_czk=None if row.price is None else row.price * scale / bare,
        unit=unit,
        month_czk=None if row.month_czk is None else row.month_czk / bare,
        covers=row.covers,
        vat_percent=row.vat_percent,
        distributor=row.distributor,
        level=row.level,
        reach=row.reach(),
    )


def _connection(row: ConnectionRow) -> Connection:
    return Connection(
        id=row.id,
        distributor=row.distributor,
        level=row.level,
        valid=row.valid(),
        reach=row.reach(),
        version=row.version,
    )


def _multiple(row: ReservedRow, name: str, *, of: dict[str, float | None]) -> float | None:
    """Return a price as written, or as the multiple of another that is written; of two ways one may be used."""
    ways = {way: getattr(row, f"{name}_{way}", None) for way in ("czk_kw", *(f"times_{other}" for other in of))}
    told = {way: value for way, value in ways.items() if value is not None}
    if len(told) > 1:
        raise InputError(f"{row.id} tells {name} in two ways", remedy=f"keep one of {', '.join(told)}")
    for way, value in told.items():
        if way == "czk_kw":
            return float(value)
        price = of[way.removeprefix("times_")]
        if price is None:
            raise InputError(f"{row.id}: {name}_{way} has no price to multiply", remedy="write that price too")
        return float(value) * price
    return None


def _reserved(row: ReservedRow) -> ReservedRule:
    prices = {"monthly": row.monthly_czk_kw, "yearly": row.yearly_czk_kw}
    return ReservedRule(
        id=row.id,
        distributor=row.distributor,
        level=row.level,
        valid=row.valid(),
        provenance=row.provenance(),
        yearly_czk_kw=row.yearly_czk_kw,
        monthly_czk_kw=row.monthly_czk_kw,
        breach_czk_kw=_multiple(row, "breach", of=prices),
        input_breach_czk_kw=_multiple(row, "input_breach", of=prices),
    )


def _measured(row: MeasuredRow) -> MeasuredRule:
    return MeasuredRule(
        id=row.id,
        distributor=row.distributor,
        level=row.level,
        valid=row.valid(),
        provenance=row.provenance(),
        plans=tuple(Plan(name=p.name, input_czk_kw=p.input_czk_kw, maximum_czk_kw=p.maximum_czk_kw) for p in row.plan),
        input_breach_czk_kw=row.input_breach_czk_kw,
    )


MAKERS: Final[Makers] = {
    RowKind.PRICE: Maker(model=PriceRow, make=_price, space="price"),
    RowKind.CONNECTION: Maker(model=ConnectionRow, make=_connection, space="connection"),
    RowKind.RESERVED: Maker(model=ReservedRow, make=_reserved, space="rule"),
    RowKind.MEASURED: Maker(model=MeasuredRow, make=_measured, space="rule"),
}
