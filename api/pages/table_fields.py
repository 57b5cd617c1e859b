"""The fields that forms for rows of the dated tables ask, by the kind of row."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.reasons import CARRIERS, PARTS, STATUSES
from api.settings_texts import HOLIDAYS, TRUST
from api.texts import LABELS, N_
from core.dated_tables import Trust
from core.own_rows import RowKind
from core.tariffs import PARTS_OF


class Entry(StrEnum):
    """How a field is entered."""

    TEXT = "text"
    NUMBER = "number"
    MONTH = "month"
    LAST_MONTH = "last_month"
    DAY = "day"
    LAST_DAY = "last_day"
    CHOICE = "choice"
    TICKS = "ticks"
    IDS = "ids"
    BUILDINGS = "buildings"
    ORGANISATIONS = "organisations"
    PLANS = "plans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: its name in rows, what it is called, how it is entered, and of a choice the codes with their texts.

    Choices that stand for themselves (units) have no text of ours: their code is shown.
    """

    name: str
    label: str
    entry: Entry = Entry.TEXT
    needed: bool = False
    choices: Mapping[str, str] | None = None
    hint: str = ""
    usual: str = ""


def _themselves(*codes: str) -> dict[str, str]:
    return dict.fromkeys(codes, "")


ID: Final = Field(
    name="id",
    label=N_("Id"),
    needed=True,
    hint=N_("A short word of yours by which its versions are known, such as mpo-electricity-2026."),
)
COMMODITIES: Final = {code.value: LABELS[code.value] for code in PARTS_OF}
CARRIER_NAMES: Final = {code.value: text for code, text in CARRIERS.items()}  # type: ignore[attr-defined]  # its keys are of an enum
SUPPLIER: Final = Field(
    name="supplier", label=N_("Supplier"), hint=N_("Only where the value is one supplier's own; else leave it empty.")
)
DISTRIBUTOR: Final = Field(name="distributor", label=N_("Distributor"), needed=True)
LEVEL: Final = Field(
    name="level",
    label=N_("Voltage level"),
    entry=Entry.CHOICE,
    needed=True,
    choices=_themselves("NN", "VN", "VVN"),
)
SINCE: Final = Field(
    name="since", label=N_("Valid from month"), entry=Entry.MONTH, needed=True, hint=N_("Write it as 2026-01.")
)
UNTIL: Final = Field(
    name="until",
    label=N_("Valid to month (included)"),
    entry=Entry.LAST_MONTH,
    hint=N_("Empty: it goes on holding."),
)
VALID: Final = (SINCE, UNTIL)
REACH: Final = (
    Field(name="organisations", label=N_("Only these organisations"), entry=Entry.ORGANISATIONS),
    Field(name="buildings", label=N_("Only these buildings"), entry=Entry.BUILDINGS),
    Field(
        name="points",
        label=N_("Only these metering points"),
        entry=Entry.IDS,
        hint=N_("Their ids, separated by commas. Nothing chosen: it holds for all."),
    ),
)
SOURCE: Final = (
    Field(
        name="source",
        label=N_("Source"),
        needed=True,
        hint=N_("Who published it and where: a document with its number, a contract, an address."),
    ),
    Field(
        name="status",
        label=N_("Kind of value"),
        entry=Entry.CHOICE,
        choices={str(code): text for code, text in STATUSES.items()},
        usual="official",
    ),
    Field(
        name="trust",
        label=N_("How the source was seen"),
        entry=Entry.CHOICE,
        choices=TRUST,
        usual=Trust.OPERATOR.value,
    ),
    Field(name="note", label=N_("Note")),
)


def _amount(name: str, label: str, *, needed: bool = False, hint: str = "") -> Field:
    return Field(name=name, label=label, entry=Entry.NUMBER, needed=needed, hint=hint)


UNITS: Final = (
    "t/MWh", "kg/kWh", "kg/MWh", "g/kWh", "kg/GJ", "t/GJ", "kg/TJ", "t/TJ", "kg/m³", "g/m3", "t/m3",
)  # fmt: skip
OF_KIND: Final[Mapping[RowKind, tuple[Field, ...]]] = {
    RowKind.FACTOR: (
        ID,
        Field(name="carrier", label=N_("Energy carrier"), entry=Entry.CHOICE, needed=True, choices=CARRIER_NAMES),
        _amount("value", N_("Value"), needed=True),
        Field(name="unit", label=N_("Unit"), entry=Entry.CHOICE, needed=True, choices=_themselves(*UNITS)),
        Field(
            name="basis",
            label=N_("Of which calorific value (fuels)"),
            entry=Entry.CHOICE,
            choices={"net": N_("net calorific value"), "gross": N_("gross calorific value")},
        ),
        Field(
            name="scheme",
            label=N_("Scheme"),
            hint=N_("Who publishes such values; the schemes that count for a carrier stand above the form."),
        ),
        SUPPLIER,
        Field(name="gas", label=N_("Gas"), entry=Entry.CHOICE, choices=_themselves("CO2", "CO2e"), usual="CO2"),
        *VALID,
    ),
    RowKind.RATIO: (ID, _amount("value", N_("Gross over net calorific value"), needed=True), *VALID, *REACH),
    RowKind.CONVERSION: (
        ID,
        _amount("volume_correction", N_("Volume correction"), needed=True),
        _amount("gross_kwh_m3", N_("Gross calorific value, kWh/m³")),
        _amount("gross_mj_m3", N_("or in MJ/m³"), hint=N_("Write one of both, as the bill has it.")),
        *VALID,
        *REACH,
    ),
    RowKind.SUPPLY: (
        ID,
        Field(name="commodity", label=N_("What"), entry=Entry.CHOICE, needed=True, choices=COMMODITIES),
        Field(name="supplier", label=N_("Supplier")),
        Field(
            name="carrier",
            label=N_("Energy carrier, where it is another"),
            entry=Entry.CHOICE,
            choices=CARRIER_NAMES,
        ),
        *VALID,
        *REACH,
    ),
    RowKind.PRICE: (
        ID,
        Field(name="commodity", label=N_("What"), entry=Entry.CHOICE, needed=True, choices=COMMODITIES),
        _amount("price", N_("Price")),
        Field(
            name="unit",
            label=N_("Unit"),
            entry=Entry.CHOICE,
            choices=_themselves("Kč/MWh", "Kč/kWh", "Kč/GJ", "Kč/m³"),
        ),
        _amount("month_czk", N_("Standing price, Kč a month")),
        Field(
            name="covers",
            label=N_("What of the bill it pays"),
            entry=Entry.TICKS,
            choices={str(code): text for code, text in PARTS.items()},
            usual="energy",
        ),
        Field(
            name="vat",
            label=N_("VAT"),
            entry=Entry.CHOICE,
            choices={"excluded": N_("without VAT"), "included": N_("with VAT")},
            usual="excluded",
        ),
        _amount("vat_percent", N_("VAT rate, %")),
        Field(name="distributor", label=N_("Distributor"), hint=N_("Only of prices of a network.")),
        Field(name="level", label=N_("Voltage level"), entry=Entry.CHOICE, choices=_themselves("NN", "VN", "VVN")),
        *VALID,
        *REACH,
    ),
    RowKind.CONNECTION: (ID, DISTRIBUTOR, LEVEL, *VALID, *REACH),
    RowKind.RESERVED: (
        ID,
        DISTRIBUTOR,
        LEVEL,
        _amount("yearly_czk_kw", N_("Yearly capacity, Kč/kW and month")),
        _amount("monthly_czk_kw", N_("Monthly capacity, Kč/kW and month")),
        _amount("breach_czk_kw", N_("Breach, Kč/kW"), hint=N_("Write a price, or a multiple of another price.")),
        _amount("breach_times_monthly", N_("Breach: so many times the monthly price")),
        _amount("breach_times_yearly", N_("Breach: so many times the yearly price")),
        _amount("input_breach_czk_kw", N_("Breach of input power, Kč/kW")),
        _amount("input_breach_times_monthly", N_("Breach of input power: so many times the monthly price")),
        *VALID,
    ),
    RowKind.MEASURED: (
        ID,
        DISTRIBUTOR,
        LEVEL,
        Field(name="plan", label=N_("Plans: the cheaper one counts each month"), entry=Entry.PLANS, needed=True),
        _amount("input_breach_czk_kw", N_("Breach of input power, Kč/kW")),
        *VALID,
    ),
    RowKind.POPULATION: (
        ID,
        Field(name="place", label=N_("Place"), needed=True, hint=N_("As the other rows name it: Liberecký kraj.")),
        _amount("inhabitants", N_("Inhabitants"), needed=True),
        Field(name="at", label=N_("As of day"), entry=Entry.DAY, needed=True),
        Field(
            name="until",
            label=N_("To day (included)"),
            entry=Entry.LAST_DAY,
            hint=N_("Only of a mean state of a span: its last day."),
        ),
        Field(name="series", label=N_("Series"), hint=N_("States are put together within one series only.")),
    ),
    RowKind.NORMAL: (
        Field(name="place", label=N_("Place"), needed=True),
        _amount("limit_c", N_("Heating limit, °C"), needed=True),
        _amount("days", N_("Heating days a year"), needed=True),
        _amount("outdoor_c", N_("Mean outdoor temperature of these days, °C"), needed=True),
        Field(name="span", label=N_("Years it was made of")),
        _amount("altitude_m", N_("Altitude, m")),
    ),
    RowKind.HOLIDAY: (
        Field(name="kind", label=N_("Which holidays"), entry=Entry.CHOICE, needed=True, choices=HOLIDAYS),
        Field(name="first", label=N_("First day"), entry=Entry.DAY, needed=True),
        Field(name="last", label=N_("Last day"), entry=Entry.DAY, needed=True),
    ),
}
"""What each kind of row asks besides its source."""


def fields_of(kind: RowKind) -> tuple[Field, ...]:
    """Return the fields of a kind of row."""
    return (*OF_KIND[kind], *SOURCE)
