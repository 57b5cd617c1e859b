"""Names that people and programs give to values, to words; and from words to registers, as far as that is certain.

What is not certain keeps its own name as a register, so that two values never land on one.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from core.units import Quantity
from ingest.native_meaning import COUNTED

SLUG_LENGTH: Final = 40
OPAQUE_LENGTH: Final = 5
MOST_CHANNELS: Final = 99

_UNITS: Final = re.compile(r"(?<![A-Za-z])(?:k|M|G)?(?:Wh|varh|VAh|VAr|var|VA|W|J)(?![a-z])|m³|m\^3|ft³")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")
_BREAK: Final = re.compile(r"[^a-z0-9]+")


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


GENERIC: Final = vocabulary(
    "total totals current energy energie volume water gas electricity electric power consumption consumed consume used "
    "usage meter metering reading readings value state sensor counter index lifetime cumulative sum overall yield "
    "actual measured active main count number amount the of for in at on by with and a kwh mwh wh gj mj kj m3 ft3 "
    "l liter litre liters litres kw w mw m3h lh c v var kvarh hca unit units imp pulse pulses pulsecount gauge "
    "measurement temperature temp voltage volt ampere amps frequency heat thermal flowrate rate celkem celkova "
    "celkovy spotreba voda plyn teplo stav elektrina odbery gesamt gesamtverbrauch zaehlerstand zahlerstand "
    "verbrauch wasser strom warme waerme leistung vykon prikon prutok prietok teplota increasing register "
    "reactive apparent humidity factor"
)
"""Words that tell no value of a device from another."""

PERIOD: Final = vocabulary(
    "today todays daily day days yesterday week weekly weeks month monthly months year yearly years annual hour "
    "hourly hours minute session period periodic partial trip resettable reset interval previous prev target due "
    "billing history historic historical snapshot since ago date max maximum min minimum average avg mean "
    "forecast forecasted predicted prediction estimate estimated remaining stored storage cost costs price "
    "tariffprice co2 budget limit threshold fraud delta difference heute gestern tag monat jahr woche stunde "
    "stichtag vormonat vorjahr dnes vcera den denni mesic mesicni rok rocni tyden tydenni hodina hodinova"
)
"""Words of a counter that begins anew, of a snapshot or of an extreme: what they name is no dial of now."""

EXTREME: Final = vocabulary(
    "max maximum min minimum average avg mean peak limit target setpoint set threshold calibration offset nominal "
    "rated forecast predicted prediction previous prev history demand overload rating today daily monthly yearly "
    "yesterday"
)
"""Words of a gauge that is not of now."""

_EXPORT: Final = vocabulary(
    "export exported exports returned injection injected feedin einspeisung eingespeist dodavka pretok pretoky"
)
_IMPORT: Final = vocabulary("import imported imports bezug odber")
_PRODUCED: Final = vocabulary("production produced produce generation generated vyroba")
_REVERSE: Final = vocabulary("reverse backward backwards backflow negative")
_COOLING: Final = vocabulary("cooling cold kalte kaelte kuhlung chlad chlazeni")
_FORWARD: Final = vocabulary("flow forward supply vorlauf privod")
_BACK: Final = vocabulary("return ruecklauf rucklauf zpatecka vratna")
SOLAR: Final = vocabulary("pv solar yield dtu inverter photovoltaic microinverter opendtu ahoydtu fve stridac hoymiles")
_TARIFF: Final = vocabulary("tariff tarif")
_PHASE: Final = vocabulary("phase faze phasen")
_CHANNEL: Final = vocabulary("channel ch kanal input port output outlet socket relay string mppt")
_DIRECTED: Final = {
    Quantity.ENERGY, Quantity.POWER, Quantity.REACTIVE_ENERGY, Quantity.REACTIVE_POWER, Quantity.APPARENT_ENERGY,
}  # fmt: skip
_OBIS: Final = {"1": "import", "2": "export"}
_COUNT: Final = "8"
_PHASE_LETTERS: Final = {"a": "1", "b": "2", "c": "3"}


def words_of(*texts: str) -> tuple[str, ...]:
    """Return the words of names in small letters without accents: `YieldTotal`, `total_energy_kwh`, `Celková`."""
    found: list[str] = []
    for text in texts:
        plain = _UNITS.sub(lambda m: f" {m[0].lower().replace('³', '3').replace('^', '')} ", text[:400])
        plain = _CAMEL.sub(" ", plain)
        folded = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
        found += [word for word in _BREAK.split(folded) if word]
    return tuple(found)


def slug_of(words: Iterable[str]) -> str:
    """Return words as a part of a register."""
    return "_".join(words)[:SLUG_LENGTH].strip("_")


def register_of(quantity: Quantity, own: Sequence[str], also: Sequence[str], device: Iterable[str]) -> str:
    """Return the register that words tell: `own` are the value's name, `also` its other names, `device` the device's.

    Direction, tariff, phase and channel are known wherever they are named; any other word of its own name stays.
    """
    every = frozenset(own) | frozenset(also)
    solar = bool(SOLAR & (every | frozenset(device)))
    obis = _obis(quantity, own) or _obis(quantity, also)
    if obis:
        return obis
    direction, used = _direction(quantity, every, solar=solar)
    parts, numbered = _numbered(quantity, own)
    if not parts:
        parts, _ = _numbered(quantity, [w for w in also if not w.isdigit()])
    rest = [w for n, w in enumerate(own) if n not in numbered and w not in used and not _says_nothing(w, solar=solar)]
    slug = slug_of(w for w in dict.fromkeys(rest) if w not in set(device)) if quantity else ""
    base = f"{direction}/{slug}" if direction and slug else direction or slug or "total"
    return "/".join([base, *parts])


def _obis(quantity: Quantity, words: Sequence[str]) -> str:
    """Return the register that an OBIS code of active energy names (1.8.x, 2.8.x), empty where there is none."""
    if quantity is not Quantity.ENERGY:
        return ""
    for n in range(len(words) - 2):
        group, count, tariff = words[n : n + 3]
        if group in _OBIS and count == _COUNT and len(tariff) == 1 and tariff.isdigit():
            return _OBIS[group] + (f"/t{tariff}" if tariff != "0" else "")
    return ""


def _says_nothing(word: str, *, solar: bool) -> bool:
    """Return whether a word does not tell values apart: a general one, or an identifier."""
    if word in GENERIC or (solar and word in SOLAR | _PRODUCED):
        return True
    return len(word) >= OPAQUE_LENGTH and any(c.isdigit() for c in word)


def _direction(quantity: Quantity, every: frozenset[str], *, solar: bool) -> tuple[str, frozenset[str]]:
    """Return the direction that words name, and those words."""
    if quantity is Quantity.TEMPERATURE:
        return _of_pipe(every)
    if quantity in {Quantity.VOLUME, Quantity.FLOW}:
        words = _REVERSE | ({"flow"} if quantity is Quantity.FLOW else frozenset())
        return ("reverse" if _REVERSE & every else "", words)
    return _of_current(every, solar=solar) if quantity in _DIRECTED else ("", frozenset())


def _of_pipe(every: frozenset[str]) -> tuple[str, frozenset[str]]:
    for name, words in (("return", _BACK), ("flow", _FORWARD)):
        if words & every and not {"difference", "diff", "delta"} & every:
            return name, words
    return "", frozenset()


def _of_current(every: frozenset[str], *, solar: bool) -> tuple[str, frozenset[str]]:
    out = _EXPORT | _REVERSE | _BACK | (frozenset() if solar else _PRODUCED)
    if out & every or {"to", "grid"} <= every or {"feed", "in"} <= every:
        return "export", out | {"to", "grid", "feed", "in", "delivered"}
    if _IMPORT & every or {"from", "grid"} <= every:
        return "import", _IMPORT | {"from", "grid", "delivered"}
    return ("cooling", _COOLING) if _COOLING & every else ("", frozenset())


def _numbered(quantity: Quantity, words: Sequence[str]) -> tuple[list[str], set[int]]:
    """Return tariff, phase and channel as parts of a register, and the places of their words."""
    found: dict[str, str] = {}
    used: set[int] = set()
    for n, word in enumerate(words):
        following = words[n + 1] if n + 1 < len(words) else ""
        part, both = _part(quantity, word, following)
        if part and n not in used:
            found.setdefault(part[0], part)
            used |= {n, n + 1} if both else {n}
    return [found[kind] for kind in "tlc" if kind in found], used


def _part(quantity: Quantity, word: str, following: str) -> tuple[str, bool]:
    """Return the part of a register that a word, alone or with the one after it, is; and whether with it."""
    number = following if following.isdigit() and int(following) <= MOST_CHANNELS else ""
    if word in _TARIFF and number:
        return f"t{number}", True
    if word in _PHASE and (number or following in _PHASE_LETTERS):
        return f"l{number or _PHASE_LETTERS[following]}", True
    if word in _CHANNEL and number:
        return f"c{number}", True
    match = re.fullmatch(r"(tariff|tarif|t|phase|faze|l|channel|ch|c|kanal|input|port|output|relay)(\d{1,2})", word)
    if match is not None:
        kind = "t" if match[1][0] == "t" else "l" if match[1] in {"phase", "faze", "l"} else "c"
        sure = kind != "t" or quantity in COUNTED
        return (f"{kind}{match[2]}" if sure else ""), False
    if word.isdigit() and int(word) <= MOST_CHANNELS:
        return f"c{word}", False
    return "", False
