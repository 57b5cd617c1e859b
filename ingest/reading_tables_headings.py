"""Headings: what people and programs call the columns of tables of readings, in Czech and English."""

import re
import unicodedata
from enum import StrEnum
from typing import Final, NamedTuple

from core.errors import InputError, UnitError
from core.registry import Register
from core.units import unit


class Role(StrEnum):
    """What a column is for."""

    SUBJECT = "subject"
    TIME = "time"
    CLOCK = "clock"
    START = "start"
    END = "end"
    PERIOD = "period"
    UNIT = "unit"
    REGISTER = "register"
    STATUS = "status"
    DOCUMENT = "document"
    DOCUMENT_KIND = "document_kind"
    PRICE = "price"
    NOTE = "note"
    VALUE = "value"


class Heading(NamedTuple):
    """A heading taken apart: unit as written, register (partial), the words that are left."""

    unit: str
    register: str
    rest: str


_MEASURED: Final = (
    r"odberne(ho)? mist[oa]|om|opm|misto|mista|eanu?|eic|meridl[oa]|elektromeru?|plynomeru?|vodomeru?|meric(e tepla)?"
    r"|zarizeni|bodu?|pristroje?|metering point|point|meter|device|sensor|cidlo"
)
_MADE_OUT: Final = r"faktur[ay]|dokladu?|danoveho dokladu"
# The first that matches the whole heading (without case, accents, unit and marks) holds.
_WORDS: Final = (
    (Role.DOCUMENT_KIND, r"(druh|typ) (dokladu|faktury)|doklad typ|druh|kind of document"),
    (Role.DOCUMENT, rf"(cislo |c )?({_MADE_OUT})( c(islo)?)?|variabilni symbol|vs|invoice( (no|number))?"),
    (
        Role.PRICE,
        (
            r"(castka|cena|zaklad dane|celkem|platba|naklady?|uhrada|cost|price|amount)"
            r"( (celkem|bez dph|s dph|vcetne dph))*( (v )?(kc|czk))?|kc|czk"
        ),
    ),
    (
        Role.START,
        (
            r"(obdobi |datum |fakturovano |odber |platnost )?(od|from|zacatek|pocatek)( data)?"
            r"|(zacatek|pocatek) obdobi|start"
        ),
    ),
    (Role.END, r"(obdobi |datum |fakturovano |odber |platnost )?(do|to|konec)( data)?|konec obdobi|end"),
    (Role.PERIOD, r"(fakturacni |zuctovaci )?obdobi|mesic( a rok| rok)?|rok|period|month|year"),
    (Role.STATUS, r"status( \w+)?|stav (dat|hodnoty|mereni)|kvalita|platnost|validita|quality|flag"),
    (Role.UNIT, r"jednotk[ay]|mj|m j|units?|merna jednotka"),
    (
        Role.REGISTER,
        r"registr|register|tarif|tariff|pasmo|sazba|ciselnik|cislenik|kod obis|obis|velicina|profil|kanal|channel",
    ),
    (Role.CLOCK, r"cas( odectu)?|hodina|time of day|hour|clock"),
    (
        Role.TIME,
        (
            r"(datum|den|date|day|timestamp|ts|cas|time|kdy|at|ke dni|odecteno|casova znacka|datetime)"
            r"( (a cas|cas|time|odectu|mereni|stavu|konec|utc|od|do|hodnoty))*|reading date|when"
        ),
    ),
    (
        Role.SUBJECT,
        (
            rf"(cislo |kod |nazev |id |oznaceni |vyrobni cislo |seriove cislo |v c |s n )?({_MEASURED})"
            r"( (opm|om|om opm|id|kod|cislo|c|eic|ean))*"
            r"|vyrobni cislo|seriove cislo|serial( number| no)?|ean( opm)?|eic( opm)?|id|kod|ean eic"
        ),
    ),
    (
        Role.NOTE,
        (
            r"poznamk[ay]|note|komentar|comment|odecetl|kdo|jmeno|budova|organizace|adresa|nazev|popis|c|poradi"
            r"|komodita|commodity|dodavatel|zdroj|source"
        ),
    ),
)
_ROLES: Final = tuple((role, re.compile(pattern)) for role, pattern in _WORDS)
_DIALS: Final = re.compile(r"\b(stav|stavy|odecet|odecty|cislenik|ciselnik|dial|index|reading|counter|pocitadlo)\b")
_AMOUNTS: Final = re.compile(r"\b(spotreba|odber|mnozstvi|dodavka|vyroba|consumption|usage|amount|delta|odebrano)\b")
_BRACKETED: Final = re.compile(r"[\[(]\s*(?:v )?([^\[\]()]+?)\s*[\])]")
_CHANNEL: Final = re.compile(r"(?<![\w])([+-])\s?([AERPQ])([ivc]?)(?:_?(VT|NT))?(?![\w])")
_OBIS: Final = re.compile(r"(?:1-[01]:)?([1-8])\.8\.([0-9])(?:\*\d+)?")
_TARIFFS: Final = re.compile(
    r"(?<![^\W_])(?:(VT|T1|tarif 1)|(NT|T2|tarif 2)|(?:T|tarif )([34]))(?![^\W_])", re.IGNORECASE
)
_EXPORT: Final = re.compile(r"\b(dodavka do (site|ds)|pretok\w*|export|feed in|dodano do site)\b")
_IMPORT: Final = re.compile(r"\b(odber|import|odebrano)\b")
_GENERIC: Final = re.compile(
    r"\b(celkem|total|hodnota|value|kwh|mwh|m3|gj|kw|elektrin[ay]|plynu?|vod[ay]|tepl[oa]|energie|cinna|jalova|prumerny"
    r"|vykon|profil\w*|namerena?|mereni|stav|stavy|odecet|odecty|cislenik\w*|ciselnik\w*|spotreba|odber|mnozstvi"
    r"|dodavka|vyroba|consumption|usage|reading|index|dial|amount|v|za|konecny|pocatecni|do|site|ds|pretok\w*|export|import|meridla|vt|nt|t1|t2)\b"
)


def plain(text: str) -> str:
    """Return words by which headings are compared: no case, no accents, no marks."""
    bare = unicodedata.normalize("NFKD", text.casefold().partition("#")[0])
    letters = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters).split())


def role_of(heading: str) -> Role:
    """Return what a column is for by its heading; what is not known may hold values."""
    words = plain(_BRACKETED.sub(" ", heading))
    if of := unit_in(heading):
        return Role.PRICE if of.casefold() in {"kč", "czk"} else Role.VALUE
    return next((role for role, pattern in _ROLES if pattern.fullmatch(words)), Role.VALUE)


def unit_in(heading: str) -> str:
    """Return the unit that a heading states in brackets, or at its end; empty where it states none."""
    for word in [*_BRACKETED.findall(heading), *heading.partition("#")[0].replace(",", " ").split()[-1:]]:
        if word.casefold() in {"kč", "czk"} or (
            _is_unit(word) and word not in {"c", "f", "C", "F", "A", "V", "K", "l"}
        ):
            return str(word)
    return ""


def _is_unit(word: str) -> bool:
    try:
        unit(word)
    except UnitError:
        return False
    return True


def taken_apart(heading: str) -> Heading:
    """Return unit, register and the rest of a heading; the rest may name a meter or point."""
    of = unit_in(heading)
    rest = _BRACKETED.sub(" ", heading.partition("#")[0])
    if of and rest.strip().endswith(of):
        rest = rest.strip().removesuffix(of)
    register, left = _register_in(rest)
    words = _GENERIC.sub(" ", plain(left))
    named = "" if not words.strip() else left.strip(" /:-–,;_")
    return Heading(of, register, named)


def _register_in(text: str) -> tuple[str, str]:
    """Return the register that words tell, as far as they tell it, and the text without a channel's name."""
    if channel := _CHANNEL.search(text):
        return channel_register(*channel.groups()), _CHANNEL.sub(" ", text)
    if obis := _OBIS.search(text):
        return _obis_register(int(obis[1]), int(obis[2])), _OBIS.sub(" ", text)
    words = plain(text)
    direction = ".export" if _EXPORT.search(words) else ""
    if tariff := _TARIFFS.search(text):
        number = 1 if tariff[1] else 2 if tariff[2] else int(tariff[3])
        return f"{direction}/t{number}", _TARIFFS.sub(" ", text)
    return direction, text


def channel_register(sign: str, letter: str, kind: str, tariff: str | None) -> str:
    """Return the register of a distributor's channel: +A taken, -A delivered, Ri and Rc reactive."""
    direction = "import" if sign == "+" else "export"
    ending = {"VT": "/t1", "NT": "/t2"}.get(tariff or "", "")
    if letter in {"R", "Q"}:
        return f"reactive_energy.{direction}" + (f"/r{kind}" if kind else "") + ending
    return f"energy.{direction}{ending}"


def _obis_register(group: int, tariff: int) -> str:
    names = {1: "energy.import", 2: "energy.export", 3: "reactive_energy.import", 4: "reactive_energy.export"}
    quadrants = {5: "import/q1", 6: "import/q2", 7: "export/q3", 8: "export/q4"}
    name = names.get(group) or f"reactive_energy.{quadrants[group]}"
    return f"{name}/t{tariff}" if tariff else name


def register_of(written: str) -> str:
    """Return the register that a cell names, full or partial; raise InputError where it is not known."""
    text = written.strip()
    if not text or plain(text) in {"celkem", "total", "1t", "jednotarif", "odber celkem"}:
        return ""
    if re.fullmatch(r"[a-z_]+\.[\w./]+", text):
        return str(Register.parse(text))
    found, _ = _register_in(text)
    if found:
        return found
    words = plain(text)
    if words in {"dodavka", "dodano"}:  # of a register; in a heading `Dodávka tepla` is what was used
        return ".export"
    if _IMPORT.search(words):
        return ".import"
    raise InputError(f"register {text!r} is not known", remedy="write VT, NT, odběr, dodávka or energy.import")


def says_dial(heading: str) -> bool:
    """Return whether a heading calls its values dial readings."""
    return _DIALS.search(plain(heading)) is not None


def says_amount(heading: str) -> bool:
    """Return whether a heading calls its values amounts."""
    return _AMOUNTS.search(plain(heading)) is not None
