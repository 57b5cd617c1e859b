"""The columns of the register in spreadsheets: headings in two languages, how their cells are read."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.registry import (
    Adjustment,
    AdjustmentKind,
    Building,
    BuildingKind,
    Commodity,
    DialEvent,
    EventKind,
    Measure,
    MeasureKind,
    Meter,
    Organisation,
    Point,
    Role,
    Station,
    StationSource,
)
from services import exchange_values as values
from services.exchange_values import Value, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: the field that it fills, its heading in Czech and English and other names, how a cell is read.

    `part` is `value` or `since` where the field is a list of dated values, of which it holds the newest of `kind`.
    """

    field: str
    headings: tuple[str, ...]
    read: Callable[[Value], Any]
    required: bool = False
    part: str = ""
    kind: str = ""

    @property
    def czech(self) -> str:
        """The heading in Czech."""
        return self.headings[0]


READING_UNIT: Final = "reading_unit"
"""The field of the unit in which first and final dial readings stand in a row."""


def _id() -> Column:
    return Column(field="id", headings=("Identifikátor", "Id", "Identifier", "Kód záznamu"), read=values.code)


def _dated(field: str, kind: str, *heads: tuple[str, str], others: tuple[str, ...] = ()) -> tuple[Column, Column]:
    (czech, since_czech), (english, since_english) = heads
    return (
        Column(field=field, kind=kind, part="value", headings=(czech, english, *others), read=values.amount),
        Column(field=field, kind=kind, part="since", headings=(since_czech, since_english), read=values.day),
    )


_DATED_HEADS: Final = {
    "areas": (("Plocha m²", "Plocha od"), ("Floor area m²", "Floor area since")),
    "users": (("Uživatelé", "Uživatelé od"), ("Users", "Users since")),
    "reserved_kw": (
        ("Rezervovaná kapacita kW", "Rezervovaná kapacita od"),
        ("Reserved capacity kW", "Reserved capacity since"),
    ),
}
_DIALS: Final = (
    Column(field="first", headings=("Počáteční stav", "First reading", "First", "První odečet"), read=values.number),
    Column(field="final", headings=("Konečný stav", "Final reading", "Final", "Poslední odečet"), read=values.number),
    Column(field=READING_UNIT, headings=("Jednotka stavů", "Reading unit"), read=values.unit_name),
)
_LATITUDE: Final = Column(field="latitude", headings=("Zeměpisná šířka", "Latitude", "Lat"), read=values.number)
_LONGITUDE: Final = Column(
    field="longitude", headings=("Zeměpisná délka", "Longitude", "Lon", "Lng"), read=values.number
)
_REGISTER: Final = Column(field="register", headings=("Registr", "Register"), read=values.text)
_NAME: Final = Column(field="name", headings=("Název", "Name", "Jméno"), read=values.text, required=True)

COLUMNS: Final[dict[type, tuple[Column, ...]]] = {
    Organisation: (
        _id(),
        _NAME,
        Column(field="ico", headings=("IČO", "Registration number", "IČ"), read=values.ico),
    ),
    Building: (
        _id(),
        Column(
            field="organisation",
            headings=("Organizace", "Organisation", "Organization"),
            read=values.code,
            required=True,
        ),
        _NAME,
        Column(field="kind", headings=("Druh", "Kind", "Type", "Typ"), read=values.choice(BuildingKind)),
        Column(field="address", headings=("Adresa", "Address"), read=values.text),
        _LATITUDE,
        _LONGITUDE,
        Column(field="station", headings=("Meteostanice", "Weather station", "Station"), read=values.text),
        *_dated("areas", "", *_DATED_HEADS["areas"], others=("Plocha", "Area", "Area m²", "Podlahová plocha m²")),
        *_dated("users", "pupils", ("Žáci", "Žáci od"), ("Pupils", "Pupils since"), others=("Počet žáků",)),
        *_dated("users", "beds", ("Lůžka", "Lůžka od"), ("Beds", "Beds since"), others=("Počet lůžek",)),
        *_dated(
            "users", "staff", ("Zaměstnanci", "Zaměstnanci od"), ("Staff", "Staff since"), others=("Počet zaměstnanců",)
        ),
    ),
    Point: (
        _id(),
        Column(field="building", headings=("Budova", "Building", "Objekt"), read=values.code, required=True),
        _NAME,
        Column(
            field="commodity",
            headings=("Komodita", "Commodity", "Médium", "Energie"),
            read=values.choice(Commodity),
            required=True,
        ),
        Column(field="role", headings=("Úloha", "Role"), read=values.choice(Role)),
        Column(field="code", headings=("EAN/EIC", "Code", "EAN", "EIC", "Kód"), read=values.text),
        Column(field="parent", headings=("Nadřazené místo", "Parent", "Parent point"), read=values.code),
        Column(field="max_rate", headings=("Nejvyšší odběr kW, m³/h", "Max rate"), read=values.amount),
        Column(field="allowed_gap_h", headings=("Povolená mezera h", "Allowed gap h"), read=values.amount),
        *_dated("reserved_kw", "", *_DATED_HEADS["reserved_kw"], others=("Reserved kW", "Rezervovaná kapacita")),
        Column(field="terms", headings=("Vzorec", "Formula", "Terms"), read=values.formula),
    ),
    Meter: (
        _id(),
        Column(field="point", headings=("Odběrné místo", "Point", "Metering point"), read=values.code, required=True),
        Column(field="device", headings=("Zařízení", "Device"), read=values.text, required=True),
        Column(field="serial", headings=("Výrobní číslo", "Serial number", "Serial"), read=values.text),
        Column(
            field="mounted",
            headings=("Namontováno", "Mounted", "Mounted at", "Montáž"),
            read=values.instant,
            required=True,
        ),
        Column(field="removed", headings=("Demontováno", "Removed", "Removed at", "Demontáž"), read=values.instant),
        _REGISTER,
        Column(field="unit", headings=("Jednotka", "Unit"), read=values.unit_name),
        Column(field="digits", headings=("Počet číslic", "Digits"), read=values.whole),
        Column(field="multiplier", headings=("Násobitel", "Multiplier", "Konstanta"), read=values.number),
        *_DIALS,
    ),
    DialEvent: (
        _id(),
        Column(field="meter", headings=("Zařízení", "Device", "Meter", "Měřidlo"), read=values.text, required=True),
        Column(field="at", headings=("Okamžik", "At", "Instant", "Datum"), read=values.instant, required=True),
        Column(field="kind", headings=("Událost", "Event", "Kind", "Druh"), read=values.choice(EventKind)),
        *reversed(_DIALS[:2]),
        _DIALS[2],
        Column(field="new_device", headings=("Nové zařízení", "New device"), read=values.text),
        _REGISTER,
        Column(field="note", headings=("Poznámka", "Note"), read=values.text),
        Column(field="retracted", headings=("Odvoláno", "Retracted"), read=values.flag),
    ),
    Station: (
        _id(),
        _NAME,
        Column(field="place", headings=("Místo", "Place", "Obec"), read=values.text),
        _LATITUDE,
        _LONGITUDE,
        Column(field="altitude_m", headings=("Nadmořská výška m", "Altitude m", "Altitude"), read=values.number),
        Column(field="source", headings=("Zdroj teplot", "Source", "Zdroj"), read=values.choice(StationSource)),
        Column(field="device", headings=("Zařízení", "Device"), read=values.text),
        _REGISTER,
        Column(field="fallbacks", headings=("Náhradní stanice", "Fallback stations"), read=values.codes),
    ),
    Measure: (
        _id(),
        _NAME,
        Column(
            field="points", headings=("Odběrná místa", "Points", "Metering points"), read=values.codes, required=True
        ),
        Column(field="kind", headings=("Druh", "Kind", "Type", "Typ"), read=values.choice(MeasureKind)),
        Column(field="works_from", headings=("Práce od", "Works from"), read=values.day),
        Column(
            field="effective",
            headings=("Účinné od", "In effect since", "Účinnost od"),
            read=values.day,
            required=True,
        ),
        Column(field="ended", headings=("Účinné do", "Ended", "In effect until"), read=values.day),
        Column(field="investment_czk", headings=("Investice Kč", "Investment CZK", "Investice"), read=values.amount),
        Column(field="subsidy_czk", headings=("Dotace Kč", "Subsidy CZK", "Dotace"), read=values.amount),
        Column(
            field="activity", headings=("Aktivita akčního plánu", "Action plan activity", "Aktivita"), read=values.text
        ),
        Column(
            field="expected_saving",
            headings=("Očekávaná úspora za rok", "Expected saving per year", "Očekávaná úspora"),
            read=values.amount,
        ),
        Column(
            field="expected_unit", headings=("Jednotka úspory", "Unit of saving", "Jednotka"), read=values.unit_name
        ),
        Column(field="note", headings=("Poznámka", "Note"), read=values.text),
    ),
    Adjustment: (
        _id(),
        Column(field="point", headings=("Odběrné místo", "Point", "Metering point"), read=values.code, required=True),
        Column(field="since", headings=("Od", "Since", "Platí od"), read=values.day, required=True),
        Column(field="until", headings=("Do", "Until", "Platí do"), read=values.day),
        Column(
            field="kind", headings=("Druh změny", "Kind of change"), read=values.choice(AdjustmentKind), required=True
        ),
        Column(field="factor", headings=("Činitel", "Factor"), read=values.number),
        Column(field="per_day", headings=("Množství za den", "Amount per day"), read=values.number),
        Column(field="reason", headings=("Důvod", "Reason"), read=values.text, required=True),
        Column(field="who", headings=("Určil", "Determined by"), read=values.text),
    ),
}
"""The columns of each kind, in the order of an export. Kinds stand in the order in which they refer to each other."""

SHEETS: Final[dict[type, tuple[str, ...]]] = {
    Organisation: ("Organizace", "Organisations", "Organizations"),
    Building: ("Budovy", "Buildings", "Objekty"),
    Point: ("Odběrná místa", "Points", "Metering points", "Místa"),
    Meter: ("Měřidla", "Meters", "Měřiče"),
    DialEvent: ("Výměny", "Swaps", "Události", "Events", "Dial events"),
    Station: ("Meteostanice", "Weather stations", "Stations", "Stanice"),
    Measure: ("Opatření", "Measures"),
    Adjustment: ("Neběžné změny", "Adjustments", "Úpravy", "Non-routine events"),
}
"""How the sheet of each kind is named: in Czech, in English, and otherwise."""

_KNOWN: Final = {
    kind: {
        plain(heading): column
        for column in columns
        for heading in (*column.headings, *([] if column.part else [column.field]))
    }
    for kind, columns in COLUMNS.items()
}
_FAMILIES: Final = {
    plain(heads[language][part]): (field, ("value", "since")[part])
    for field, heads in _DATED_HEADS.items()
    for language in (0, 1)
    for part in (0, 1)
}
_OWNER: Final = {"areas": Building, "users": Building, "reserved_kw": Point}


def column_of(kind: type, heading: str) -> Column | None:
    """Return the column of a heading, None where it is not known; `Uživatelé: děti` are users of kind děti."""
    known = _KNOWN[kind].get(plain(heading))
    family, _, of = heading.partition(":")
    field, part = _FAMILIES.get(plain(family), ("", ""))
    if known is not None or _OWNER.get(field) is not kind:
        return known
    read: Callable[[Value], Any] = values.amount if part == "value" else values.day
    return Column(field=field, part=part, kind=of.strip(), headings=(heading,), read=read)


def dated_heading(field: str, part: str, kind: str, language: str) -> str:
    """Return the heading of dated values of a kind that has no column of its own."""
    stem = _DATED_HEADS[field][0 if language == "cs" else 1][0 if part == "value" else 1]
    return f"{stem}: {kind}" if kind else stem


def nearest(kind: type, heading: str) -> str:
    """Return the known heading that is most like an unknown one, in Czech."""
    close = difflib.get_close_matches(plain(heading), _KNOWN[kind], n=1, cutoff=0.0)
    return _KNOWN[kind][close[0]].czech


def kind_of(sheet: str, columns: tuple[str, ...]) -> type | None:
    """Return what a sheet holds: by its name, else by its headings where they fit one kind alone."""
    names = [(plain(name), kind) for kind, written in SHEETS.items() for name in written]
    words = plain(sheet)
    exact = [kind for name, kind in names if name == words]
    fitting = [kind for kind in COLUMNS if all(column_of(kind, c) for c in columns)]
    needed = [kind for kind in fitting if _required(kind) <= {_field(kind, c) for c in columns}]
    within = [kind for name, kind in sorted(names, key=lambda n: -len(n[0])) if name in words]
    return next(iter([*exact, *(needed if len(needed) == 1 else []), *within]), None)


def _required(kind: type) -> set[str]:
    return {column.field for column in COLUMNS[kind] if column.required}


def _field(kind: type, heading: str) -> str:
    column = column_of(kind, heading)
    return column.field if column else ""
