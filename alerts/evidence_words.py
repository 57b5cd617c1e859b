"""What the numbers and lines of evidence are called, in Czech and English, and their units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.checks import Both
from core.evidence import SERIES, THRESHOLD, USUAL, numbers
from core.notes import JsonValue

AMOUNT, PER_HOUR, PER_DAY = "amount", "per hour", "per day"
"""Units that follow from the alert's own: kWh is kW an hour, m³ is m³/h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How a number is called, and its unit."""

    name: Both
    unit: str = ""


def _w(czech: str, english: str, unit: str = "") -> Word:
    return Word(name=(czech, english), unit=unit)


NUMBERS: Final[Mapping[str, Word]] = {
    "night_flow": _w("Průtok v noci", "Flow at night", PER_HOUR),
    "own_nights_median": _w("Obvyklá noc", "Usual night", PER_HOUR),
    "own_nights_p95": _w("Nejvyšší obvyklá noc", "Highest usual night", PER_HOUR),
    "hours": _w("Zjištěno po", "Found after", "h"),
    "least_flow": _w("Nejmenší průtok", "Least flow", PER_HOUR),
    "hours_without_pause": _w("Bez přestávky nejméně", "Without a pause for at least", "h"),
    "flow": _w("Průtok", "Flow", PER_HOUR),
    "own_largest": _w("Dosud nejvíc", "Most so far", PER_HOUR),
    "usual_flow": _w("Obvyklý průtok", "Usual flow", PER_HOUR),
    "reserved_kw": _w("Rezervovaná kapacita", "Reserved capacity", "kW"),
    "first_kw": _w("První čtvrthodina nad ní", "First quarter-hour above it", "kW"),
    "peak_kw": _w("Maximum", "Peak", "kW"),
    "over_by_kw": _w("Překročeno o", "Exceeded by", "kW"),
    "foretold_kw": _w("Předpověď konce čtvrthodiny", "Foretold at its end", "kW"),
    "own_error_kw": _w("Nejistota předpovědi", "Uncertainty of it", "kW"),
    "seconds_left": _w("Do konce čtvrthodiny", "Until its end", "s"),
    "falls": _w("Počet poklesů", "Falls"),
    "fell_by": _w("Pokleslo o", "Fell by", AMOUNT),
    "export_in_the_dark": _w("Dodávka za tmy", "Export in the dark", AMOUNT),
    "import_in_the_dark": _w("Odběr za tmy", "Import in the dark", AMOUNT),
    "share": _w("Odchylka", "Deviation", "%"),
    "expected_per_day": _w("Očekávání", "Expected", PER_DAY),
    "actual_per_day": _w("Skutečnost", "Actual", PER_DAY),
    "temp_c": _w("Venku", "Outdoors", "°C"),
    "own_hot_days": _w("Obvykle v teplých dnech", "Usual on warm days", AMOUNT),
    "per_sun": _w("Výroba na jednotku slunce", "Generation per unit of sun"),
    "own_per_sun": _w("Obvyklá výroba na jednotku slunce", "Usual generation per unit of sun"),
    "expected_interval_h": _w("Obvyklý odstup odečtů", "Usual distance of readings", "h"),
    "allowed_h": _w("Dovolený odstup", "Allowed distance", "h"),
    "silent_h": _w("Mlčí", "Silent for", "h"),
    "value": _w("Stojí na", "Stands at"),
    "steps": _w("Počet stejných hodnot", "Equal values"),
    "lasted_h": _w("Trvá", "Lasts for", "h"),
    "usual_step": _w("Obvyklý přírůstek", "Usual step", AMOUNT),
    "lowest": _w("Nejnižší hodnota", "Lowest value", AMOUNT),
    "highest": _w("Nejvyšší hodnota", "Highest value", AMOUNT),
    "third_peak": _w("Třetí nejvyšší dosud", "Third highest so far", AMOUNT),
    "readings": _w("Vynecháno odečtů", "Readings left out"),
    "before": _w("Číselník předtím", "Dial before", AMOUNT),
    "after": _w("Číselník potom", "Dial after", AMOUNT),
    "former": _w("Dřívější hodnota", "Former value", AMOUNT),
    "taken": _w("Použitá hodnota", "Value taken", AMOUNT),
    "final": _w("Konečný stav", "Final reading", AMOUNT),
    "first": _w("Počáteční stav", "First reading", AMOUNT),
    "base_load": _w("Trvalý odběr", "Base load", PER_HOUR),
    "own_base_load_p90": _w("Obvykle nejvýš", "Usually at most", PER_HOUR),
    "free_day": _w("Volný den", "Free day", AMOUNT),
    "own_free_days": _w("Obvyklý volný den", "Usual free day", AMOUNT),
    "holiday": _w("Svátek", "Holiday", AMOUNT),
    "own_holidays_at_most": _w("Svátky dosud nejvýš", "Holidays so far at most", AMOUNT),
    "workday": _w("Pracovní den", "Workday", AMOUNT),
    "meters": _w("Měřidel, která zmlkla", "Meters that fell silent"),
    THRESHOLD: _w("Mez", "Limit"),
    USUAL: _w("Obvykle", "Usual"),
}
"""Every number that a detector shows; one that is not here is called by its key."""

HIDDEN: Final = frozenset({"score", "level", "last_message"})
"""What says nothing to who is to find the fault: statistics behind a finding, and what is told in words already."""

TRACES: Final[Mapping[str, Both]] = {
    "flow": ("průběh po hodinách", "by the hour"),
    "consumption": ("spotřeba po dnech", "consumption by day"),
    "base_load": ("trvalý odběr", "base load"),
    "expected": ("očekávání", "expected"),
    "temperature": ("venkovní teplota", "outdoor temperature"),
    "power": ("výkon čtvrthodin", "power of quarter-hours"),
    "reading": ("odečty", "readings"),
    "readings": ("počet odečtů", "number of readings"),
}
"""Lines of charts by the key that the evidence gives them."""


def in_language(both: Both, language: str) -> str:
    """Return the text in a language."""
    return both[0] if language == "cs" else both[1]


def number(value: float, language: str) -> str:
    """Return a number as people write it, to three digits or whole."""
    plain = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - from here on digits after the mark say nothing
    plain = f"{value:.4f}".rstrip("0").rstrip(".") if "e" in plain else plain
    plain = plain.replace("-", "\u2212")
    return plain.replace(",", "\u00a0").replace(".", ",") if language == "cs" else plain


def unit_name(unit: str, language: str) -> str:
    """Return what the unit of a line is called."""
    return in_language(("počet za hodinu", "number an hour"), language) if unit == "1/h" else unit


def trace_name(name: str, language: str) -> str:
    """Return what a line of a chart is called."""
    return in_language(TRACES.get(name, (name, name)), language)


def told(evidence: Mapping[str, JsonValue], unit: str, language: str) -> list[tuple[str, str]]:
    """Return the numbers of evidence as name and text; `unit` is the alert's own."""
    of_chart = _unit_of_chart(evidence)
    shown = {key: value for key, value in numbers(evidence).items() if _is_shown(key, value)}
    others = [value for key, value in shown.items() if key not in {THRESHOLD, USUAL}]
    return [
        (in_language(NUMBERS.get(key, _w(key, key)).name, language), _text(key, value, unit, of_chart, language))
        for key, value in shown.items()
        if key not in {THRESHOLD, USUAL} or value not in others
    ]


def _unit_of_chart(evidence: Mapping[str, JsonValue]) -> str:
    """Return the unit of the first line, empty where there is none: a broken chart keeps no alert from people."""
    series = evidence.get(SERIES)
    first = series[0] if isinstance(series, list | tuple) and series else None
    return str(first.get("unit", "")) if isinstance(first, Mapping) else ""


def _is_shown(key: str, value: JsonValue) -> bool:
    return key not in HIDDEN and isinstance(value, int | float | str) and not isinstance(value, bool)


def _text(key: str, value: float | str, unit: str, of_chart: str, language: str) -> str:
    if isinstance(value, str):
        return value
    own = NUMBERS.get(key, _w(key, key)).unit
    measured = of_chart if key in {THRESHOLD, USUAL} else _unit(own, unit, language)
    shown = number(100 * value if measured == "%" else value, language)
    return f"{shown}\u00a0{measured}" if measured else shown


def _unit(of: str, unit: str, language: str) -> str:
    if of == PER_HOUR:
        return "kW" if unit == "kWh" else f"{unit}/h" if unit else ""
    if of == PER_DAY:
        return f"{unit}/{in_language(('den', 'day'), language)}" if unit else ""
    return unit if of == AMOUNT else of
