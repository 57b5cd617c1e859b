"""What people write in cells: numbers with a decimal comma, Czech dates, words of two languages; and back."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from core.calendar import PRAGUE
from core.errors import InputError
from core.registry import (
    AdjustmentKind,
    BuildingKind,
    Commodity,
    EventKind,
    MeasureKind,
    Role,
    StationSource,
    Term,
)
from core.units import unit

Value = str | float | int | bool | datetime | None
Choice = TypeVar("Choice", bound=StrEnum)

EXACT_LIMIT: Final = 10**15
"""From here on a number in a spreadsheet has lost digits: it keeps 15."""
_YEARS: Final = range(1900, 2200)
_SHEET_ERRORS: Final = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
_CZECH: Final = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_TERM: Final = re.compile(r"([+\-\u2212])?(\S+)")

WORDS: Final[dict[type[StrEnum], dict[StrEnum, tuple[str, ...]]]] = {
    BuildingKind: {
        BuildingKind.SCHOOL: ("škola", "school", "škola a školka", "střední škola", "základní škola", "gymnázium"),
        BuildingKind.HOSPITAL: ("nemocnice", "hospital"),
        BuildingKind.CARE_HOME: ("domov péče", "care home", "domov", "domov pro seniory", "sociální služby"),
        BuildingKind.OFFICE: ("úřad", "office", "kancelář", "kanceláře", "administrativa"),
        BuildingKind.MUSEUM: ("muzeum", "museum", "galerie"),
        BuildingKind.OTHER: ("jiné", "other", "ostatní", "jiná"),
    },
    Commodity: {
        Commodity.ELECTRICITY: ("elektřina", "electricity", "elektro", "el. energie"),
        Commodity.GAS: ("plyn", "gas", "zemní plyn"),
        Commodity.HEAT: ("teplo", "heat"),
        Commodity.COLD_WATER: ("studená voda", "cold water", "voda", "water", "pitná voda"),
        Commodity.HOT_WATER: ("teplá voda", "hot water", "TUV", "TV"),
        Commodity.PV: ("fotovoltaika", "PV", "FVE", "solar"),
    },
    Role: {
        Role.BILLING: ("fakturační", "billing", "fakturační měření"),
        Role.SUBMETER: ("podružné", "submeter", "podružný", "sub-meter"),
        Role.GENERATION: ("výroba", "generation", "výrobna"),
        Role.VIRTUAL: ("virtuální", "virtual", "výpočet", "součtové"),
    },
    EventKind: {
        EventKind.SWAP: ("výměna", "swap", "exchange"),
        EventKind.RESET: ("vynulování", "reset", "nulování"),
        EventKind.ROLLOVER: ("přetočení", "rollover", "roll-over", "přetečení"),
    },
    StationSource: {
        StationSource.OWN: ("vlastní odečty", "own readings", "odečty", "vlastní"),
        StationSource.OPEN_METEO: ("Open-Meteo", "Open-Meteo", "archiv Open-Meteo"),
    },
    MeasureKind: {
        MeasureKind.INSULATION: ("zateplení", "insulation"),
        MeasureKind.WINDOWS: ("výměna oken", "windows", "okna"),
        MeasureKind.HEAT_SOURCE: ("zdroj tepla", "heat source", "výměna zdroje", "kotel", "tepelné čerpadlo"),
        MeasureKind.REGULATION: ("regulace", "regulation", "regulace vytápění", "control"),
        MeasureKind.LIGHTING: ("osvětlení", "lighting", "LED"),
        MeasureKind.PHOTOVOLTAICS: ("fotovoltaika", "photovoltaics", "FVE", "PV"),
        MeasureKind.WATER_SAVING: ("úspora vody", "water saving", "voda"),
        MeasureKind.BEHAVIOUR: ("provoz a chování", "behaviour", "chování", "energetický management"),
        MeasureKind.OTHER: ("jiné opatření", "other measure", "jiné", "ostatní", "other"),
    },
    AdjustmentKind: {
        AdjustmentKind.AREA: ("změna plochy", "change of area", "plocha", "přístavba"),
        AdjustmentKind.USE: ("změna užívání", "change of use", "užívání", "provoz"),
        AdjustmentKind.CLOSURE: ("uzavření", "closure", "odstávka"),
        AdjustmentKind.OTHER: ("jiná změna", "other change", "jiné", "other"),
    },
}
"""How choices are written: in Czech, in English, and otherwise."""
_FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("ano", "yes", "true", "1", "a", "y", "x", "pravda"), True),
    **dict.fromkeys(("ne", "no", "false", "0", "n", "nepravda"), False),
}


def plain(text: str) -> str:
    """Return text by which words are compared: without case, diacritics, spaces and marks."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in bare if letter.isalnum())


def text(value: Value) -> str:
    """Return a cell as text; a whole number keeps no decimals, so that a code written as number stays the code."""
    if isinstance(value, str):
        if value.strip() in _SHEET_ERRORS:
            raise InputError(f"the cell shows the error {value.strip()}", remedy="correct the formula")
        return value.strip()
    if isinstance(value, bool | datetime):
        raise InputError(f"{value} is no text", remedy="format the cell as text and write it again")
    number_given = float(value or 0)
    if abs(number_given) >= EXACT_LIMIT:
        raise InputError(
            "a long code written as a number has lost its last digits",
            remedy="format the column as text and write the code again",
        )
    return str(int(number_given)) if number_given.is_integer() else repr(number_given)


def code(value: Value) -> str:
    """Return an id: text without spaces."""
    written = text(value)
    if re.search(r"[\s,;\"'\\\x00]", written) or not 0 < len(written) <= 120:  # noqa: PLR2004 - as core.registry
        raise InputError(
            f"{written!r} cannot be an id",
            remedy="use 1 to 120 characters without spaces, commas, semicolons, quotes or backslashes",
        )
    return written


def ico(value: Value) -> str:
    """Return a registration number; a spreadsheet has dropped its leading zeros where it is a number."""
    return text(value).zfill(8) if not isinstance(value, str) else text(value)


def number(value: Value) -> float:
    """Return a number, written with decimal comma or point and spaces between thousands."""
    if isinstance(value, bool | datetime):
        raise InputError(f"{value} is no number", remedy="write a number such as 1234,5")
    if isinstance(value, str):
        value = _parsed(value)
    result = float(value or 0)
    if not math.isfinite(result):
        raise InputError(f"{value} is no number", remedy="write a number such as 1234,5")
    return result


def _parsed(written: str) -> float:
    bare = re.sub(r"[\s\u00a0\u202f']", "", written)
    comma, point = bare.rfind(","), bare.rfind(".")
    if comma >= 0 and point >= 0:  # the last mark is the decimal one, the other separates thousands
        bare = bare.replace("." if comma > point else ",", "")
    bare = bare.replace(",", ".").replace("\u2212", "-")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", bare):
        raise InputError(f"{written!r} is no number", remedy="write a number such as 1234,5")
    return float(bare)


def amount(value: Value) -> float:
    """Return a number of zero or more."""
    result = number(value)
    if result < 0:
        raise InputError(f"{result} is below zero", remedy="write a number of zero or more")
    return result


def whole(value: Value) -> int:
    """Return a whole number."""
    result = number(value)
    if not result.is_integer():
        raise InputError(f"{result} is not whole", remedy="write a whole number")
    return int(result)


def day(value: Value) -> date:
    """Return a date: DD.MM.YYYY, YYYY-MM-DD, or a cell of that type."""
    if isinstance(value, datetime):
        return _within(value).date()
    wall = _wall(value)
    if (wall.hour, wall.minute, wall.second, wall.microsecond) != (0, 0, 0, 0):
        raise InputError(f"{value!r} is more than a date", remedy="write a date such as 31.01.2026")
    return wall.date()


def instant(value: Value) -> datetime:
    """Return an instant in UTC: DD.MM.YYYY HH:MM on the clock of Prague, or ISO with or without an offset."""
    wall = _within(value) if isinstance(value, datetime) else _wall(value)
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    first, second = (wall.replace(tzinfo=PRAGUE, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        kind = "stands twice on the clock" if first < second else "does not stand on the clock"
        offset = "+02:00 or +01:00" if first < second else "+01:00"
        raise InputError(
            f"{wall:%d.%m.%Y %H:%M} {kind} of that day", remedy=f"write it as {wall.isoformat()} with {offset}"
        )
    return first


def _wall(value: Value) -> datetime:
    """Return what is written, naive where it has no offset."""
    written = value.strip() if isinstance(value, str) else repr(value)
    czech = _CZECH.fullmatch(written)
    try:
        if czech:
            d, m, y, hour, minute, second = (int(part or 0) for part in czech.groups())
            return _within(datetime(y, m, d, hour, minute, second))  # noqa: DTZ001 - the zone is found by `instant`
        return _within(datetime.fromisoformat(written))
    except ValueError as err:
        raise InputError(
            f"{written!r} is no date", remedy="write 31.01.2026, 31.01.2026 14:30 or 2026-01-31T14:30:00+01:00"
        ) from err


def _within(wall: datetime) -> datetime:
    if wall.year not in _YEARS:
        raise InputError(f"year {wall.year} cannot be", remedy="check the year")
    return wall


def choice(kind: type[Choice]) -> Callable[[Value], Choice]:
    """Return a reader of the words of a choice."""
    known = {plain(word): option for option, words in WORDS[kind].items() for word in (option.value, *words)}

    def read(value: Value) -> Choice:
        found = known.get(plain(text(value)))
        if found is None:
            options = ", ".join(words[0] for words in WORDS[kind].values())
            raise InputError(f"{text(value)!r} is not known", remedy=f"write one of {options}")
        return kind(found)

    return read


def flag(value: Value) -> bool:
    """Return yes or no."""
    written = ("1" if value else "0") if isinstance(value, bool) else plain(text(value))
    if written not in _FLAGS:
        raise InputError(f"{value!r} is neither yes nor no", remedy="write ano or ne")
    return _FLAGS[written]


def unit_name(value: Value) -> str:
    """Return a unit as written; raise UnitError where it is not known."""
    written = text(value)
    unit(written)
    return written


def formula(value: Value) -> tuple[Term, ...]:
    """Return the terms of a virtual point, written as +id -id."""
    terms = []
    for sign, point in _TERM.findall(text(value)):
        terms.append(Term(point=code(point), sign=-1 if sign in {"-", "\u2212"} else 1))
    return tuple(terms)


def codes(value: Value) -> tuple[str, ...]:
    """Return ids written behind each other, parted by spaces or commas."""
    return tuple(code(word) for word in re.split(r"[\s,;]+", text(value)) if word)


# And back


def shown_instant(at: datetime) -> str:
    """Return an instant on the clock of Prague where that says all of it, else in ISO with its offset."""
    local = at.astimezone(PRAGUE)
    written = f"{local:%d.%m.%Y %H:%M}"
    try:
        return written if instant(written) == at else local.isoformat()
    except InputError:
        return local.isoformat()


def shown_formula(terms: tuple[Term, ...]) -> str:
    """Return the terms of a virtual point as +id -id."""
    return " ".join(f"{'-' if term.sign < 0 else '+'}{term.point}" for term in terms)


def shown_choice(option: StrEnum, language: str) -> str:
    """Return the word of a choice in a language (cs, en)."""
    return WORDS[type(option)][option][0 if language == "cs" else 1]


def shown(value: Any, language: str) -> Value:  # noqa: ANN401 - a field of an entity
    """Return a field's value as a cell."""
    if isinstance(value, StrEnum):
        return shown_choice(value, language)
    if isinstance(value, bool):
        return {"cs": ("ne", "ano"), "en": ("no", "yes")}[language][value]
    if isinstance(value, datetime):
        return shown_instant(value)
    if isinstance(value, date):
        return f"{value.day:02}.{value.month:02}.{value.year:04}"
    if isinstance(value, tuple):
        return " ".join(value) or None if all(isinstance(part, str) for part in value) else shown_formula(value)
    return None if value == "" else value
