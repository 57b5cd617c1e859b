"""What pages say of a row of the dated tables: what it is of, its value with every digit, and when it holds."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from api.reasons import CARRIERS, part_name
from api.settings_texts import HOLIDAYS, table_word
from api.texts import N_, NBSP, NOTHING, Language
from core.climate import Normal
from core.dated_tables import Reach
from core.factors import CalorificRatio, Factor, GasConversion, Supply
from core.own_rows import ListedRow, RowKind
from core.populations import Population
from core.school_holidays import SchoolHoliday
from core.tariffs import Connection, MeasuredRule, Price, ReservedRule

Told = tuple[str, str]
"""What a row is of, and its value."""
BASES: Final = {"net": N_("net calorific value"), "gross": N_("gross calorific value")}
DAY: Final = timedelta(days=1)


def described(words: Language, row: ListedRow) -> Told:
    """Return what a row is of, and its value."""
    return KINDS[row.kind](words, row.made)


def held_since(row: ListedRow) -> tuple[date | None, date | None]:
    """Return the first and the last day on which a row holds, None where it names none."""
    made = row.made
    if isinstance(made, SchoolHoliday):
        return made.first, made.last
    if isinstance(made, Population):
        return made.at, None if made.until is None else made.until - DAY
    valid = getattr(made, "valid", None)
    if valid is None:
        return None, None
    return valid.since, None if valid.until is None else valid.until - DAY


def _number(words: Language, value: float | None, unit: str) -> str:
    """Return a value with every digit that counts: what is compared with a source is not rounded."""
    return NOTHING if value is None else f"{words.exact(float(f'{value:.10g}'))}{NBSP}{unit}".strip()


def _whom(reach: Reach) -> str:
    named = [*reach.points, *reach.buildings, *reach.organisations]
    return f": {', '.join(named)}" if named else ""


def _factor(words: Language, one: Factor) -> Told:
    unit = f"kg{NBSP}{one.gas}/{one.per}" + (f" ({words.text(BASES[one.basis])})" if one.basis in BASES else "")
    return f"{words.text(CARRIERS[one.carrier])} ({one.supplier or one.scheme})", _number(words, one.kg, unit)


def _ratio(words: Language, one: CalorificRatio) -> Told:
    return words.text(N_("Gas: gross over net calorific value")) + _whom(one.reach), _number(
        words, one.gross_over_net, ""
    )


def _conversion(words: Language, one: GasConversion) -> Told:
    of = words.text(N_("Gas: energy of a cubic metre")) + _whom(one.reach)
    return of, _number(words, one.kwh_per_m3, "kWh/m³")


def _supply(words: Language, one: Supply) -> Told:
    of = words.text(N_("Supplier: %(what)s")) % {"what": words.label(one.commodity.value)} + _whom(one.reach)
    carried = words.text(CARRIERS[one.carrier])
    return of, f"{one.supplier} ({carried})" if one.supplier else carried


def _price(words: Language, one: Price) -> Told:
    parts = ", ".join(part_name(part, words) for part in one.covers)
    amounts = [_number(words, one.per_unit_czk, f"Kč/{one.unit}")] if one.per_unit_czk is not None else []
    amounts += [_number(words, one.month_czk, words.text(N_("Kč a month")))] if one.month_czk is not None else []
    network = ", ".join(filter(None, (one.distributor, one.level)))
    of = f"{words.label(one.commodity.value)}: {parts}" + (f" ({network})" if network else "")
    return of + _whom(one.reach), ", ".join(amounts)


def _connection(words: Language, one: Connection) -> Told:
    return words.text(N_("Connection to the network")) + _whom(one.reach), f"{one.distributor}, {one.level}"


def _rule(words: Language, one: ReservedRule | MeasuredRule) -> str:
    return words.text(N_("Reserved capacity")) + f": {one.distributor}, {one.level}"


def _reserved(words: Language, rule: ReservedRule) -> Told:
    unit = words.text(N_("Kč/kW and month"))
    told = (
        (N_("for the year"), rule.yearly_czk_kw),
        (N_("for a month"), rule.monthly_czk_kw),
        (N_("breach"), rule.breach_czk_kw),
        (N_("breach of input power"), rule.input_breach_czk_kw),
    )
    known = [f"{words.text(name)} {_number(words, value, unit)}" for name, value in told if value is not None]
    return _rule(words, rule), ", ".join(known)


def _measured(words: Language, rule: MeasuredRule) -> Told:
    unit = words.text(N_("Kč/kW and month"))
    plans = (
        f"{plan.name}: {_number(words, plan.input_czk_kw, unit)} + {_number(words, plan.maximum_czk_kw, unit)}"
        for plan in rule.plans
    )
    return _rule(words, rule), ", ".join(plans)


def _population(words: Language, one: Population) -> Told:
    of = one.place + (f" ({one.series})" if one.series else "")
    return of, _number(words, one.inhabitants, words.text(N_("inhabitants")))


def _normal(words: Language, one: Normal) -> Told:
    of = words.text(N_("%(place)s, days below %(limit)s °C")) % {
        "place": one.place,
        "limit": words.exact(one.limit_c),
    }
    days = _number(words, one.days, words.text(N_("days")))
    return of, f"{days}, {_number(words, one.outdoor_c, '°C')}" + (f" ({one.span})" if one.span else "")


def _holiday(words: Language, one: SchoolHoliday) -> Told:
    return table_word(HOLIDAYS, one.kind, words), f"{words.day(one.first)} – {words.day(one.last)}"


KINDS: Final[Mapping[RowKind, Callable[[Language, Any], Told]]] = {
    RowKind.FACTOR: _factor,
    RowKind.RATIO: _ratio,
    RowKind.CONVERSION: _conversion,
    RowKind.SUPPLY: _supply,
    RowKind.PRICE: _price,
    RowKind.CONNECTION: _connection,
    RowKind.RESERVED: _reserved,
    RowKind.MEASURED: _measured,
    RowKind.POPULATION: _population,
    RowKind.NORMAL: _normal,
    RowKind.HOLIDAY: _holiday,
}
