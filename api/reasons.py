"""Why a number cannot be determined, in the reader's language; the codes are the services' and analytics' own."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from api.texts import N_, Language
from core.dated_tables import Status
from core.factors import Carrier
from core.tariffs import CostPart
from services.emission_inventory import Lack

CARRIERS: Final[Mapping[str, str]] = {
    Carrier.ELECTRICITY: N_("Electricity"),
    Carrier.GAS: N_("Gas"),
    Carrier.HEAT: N_("Heat"),
    Carrier.LPG: N_("LPG"),
    Carrier.HEATING_OIL: N_("Heating oil"),
    Carrier.HARD_COAL: N_("Hard coal"),
    Carrier.LIGNITE: N_("Lignite"),
    Carrier.BRIQUETTES: N_("Briquettes"),
    Carrier.COKE: N_("Coke"),
    Carrier.WOOD: N_("Wood"),
    Carrier.WATER_SUPPLY: N_("Drinking water"),
    Carrier.WATER_TREATMENT: N_("Waste water"),
}
STATUSES: Final[Mapping[str, str]] = {
    Status.OFFICIAL: N_("official"),
    Status.PRELIMINARY: N_("preliminary"),
    Status.DEFAULT: N_("international default"),
    Status.SUPPLIER: N_("of the supplier"),
    Status.EXPERT: N_("expert"),
}
PARTS: Final[Mapping[str, str]] = {
    CostPart.ENERGY: N_("Energy or water"),
    CostPart.STANDING: N_("Standing charge"),
    CostPart.NETWORK: N_("Use of the network"),
    CostPart.CAPACITY: N_("Reserved capacity"),
    CostPart.BREACH: N_("Breach of capacity"),
    CostPart.SYSTEM: N_("System services"),
    CostPart.RENEWABLES: N_("Support of renewables"),
    CostPart.TAX: N_("Tax on energy"),
    CostPart.SEWAGE: N_("Waste water"),
}
REASONS: Final[Mapping[str, str]] = {
    "no_factor": N_("cannot be determined: the table has no emission factor for this time"),
    "no_supplier_factor": N_("cannot be determined: the supplier's emission factor is not in the table; ask for it"),
    "no_gas_conversion": N_("cannot be determined: gas in m³ without volume correction and gross calorific value"),
    "no_calorific_ratio": N_("cannot be determined: the ratio of gross to net calorific value is not in the table"),
    "negative": N_("cannot be determined: consumption below zero, export is not told apart"),
    "no_population": N_("cannot be determined: the population of this time is not in the table"),
    "population_series_break": N_("cannot be determined: the populations are of different series (census 2021)"),
    "no_users": N_("cannot be determined: the register has no numbers of users"),
    "users_lacking": N_("cannot be determined: some buildings have no number of users"),
    "no_export": N_("cannot be determined: what is let out is not measured"),
    "no_generation_data": N_("cannot be determined: generation is not known for the whole time"),
    "no_normalised_consumption": N_("cannot be determined: consumption of normal weather is not known"),
    "no_consumption": N_("cannot be determined: consumption is not known"),
    "no_conversion": N_("cannot be determined: gas in m³ without volume correction and gross calorific value"),
    "missing": N_("cannot be determined: too much data is missing"),
    "no_price": N_("cannot be determined: the price is not in the table"),
    "price_unit": N_("cannot be determined: the price is of another unit than the consumption"),
    "no_connection": N_("cannot be determined: distributor and voltage level of the point are not stated"),
    "no_rule": N_("cannot be determined: the table has no rule of this distributor and year"),
    "no_reserved": N_("no reserved capacity is in the register"),
    "no_demand": N_("cannot be determined: quarter-hours were not asked for, or nothing is reserved"),
    "no_peak": N_("cannot be determined: the highest quarter-hour is not known"),
    "no_amount": N_("cannot be determined: consumption is not known"),
    "gaps": N_("some quarter-hours are missing: the maximum is at least this"),
    "coarse": N_("readings are too far apart to show quarter-hours"),
    "coming": N_("nothing has come of this month yet"),
    "peaks_missing": N_("cannot be determined: a month of the last twelve has no reliable maximum"),
    "prices_missing": N_("cannot be determined: the prices of reserved capacity are not in the table"),
    "no_size": N_("area or number of users is not in the register"),
    "no_data": N_("nothing is known of this time"),
    "coverage": N_("too little of this time is known"),
}
"""Texts by code; those of the tables say what to add."""


class Why(msgspec.Struct, frozen=True):
    """Why something is not known: a code for programs, a text for people."""

    code: str
    text: str


class Lacking(msgspec.Struct, frozen=True):
    """What of a carrier has no emission: how much of it, in the months `from` to `to` (both included), and why."""

    code: str
    text: str
    carrier: str
    supplier: str
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    amount: float = 0.0
    unit: str = ""
    points: int = 0


def why(code: str, words: Language) -> Why:
    """Return a reason in a language."""
    return Why(code, words.text(REASONS[code]))


def month(day: date) -> str:
    """Return a month as YYYY-MM."""
    return f"{day:%Y-%m}"


def lacking(found: Lack, words: Language) -> Lacking:
    """Return what lacks, in a language."""
    own = found.code == "no_factor" and (found.supplier or found.carrier is Carrier.HEAT)
    told = REASONS["no_supplier_factor" if own else found.code]
    return Lacking(
        code=found.code,
        text=words.text(told),
        carrier=found.carrier,
        supplier=found.supplier,
        first=month(found.first),
        last=month(found.last),
        amount=found.amount,
        unit=found.unit,
        points=found.points,
    )


def carrier_name(code: str, words: Language) -> str:
    """Return what a carrier is called."""
    return words.text(CARRIERS[Carrier(code)])


def status_name(code: str, words: Language) -> str:
    """Return what a status is called."""
    return words.text(STATUSES[Status(code)])


def part_name(code: str, words: Language) -> str:
    """Return what a part of a bill is called."""
    return words.text(PARTS[CostPart(code)])
