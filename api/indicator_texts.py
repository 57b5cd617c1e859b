"""What is to be known of an indicator's value, in the reader's language: reasons, states, causes of a change."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from api.model_texts import shown_reason
from api.reasons import CARRIERS
from api.reasons import REASONS as OF_TABLES
from api.texts import N_, Language
from core.indicators import Because, ValueStatus
from services.savings import Reason

STATUSES: Final[Mapping[str, str]] = {
    ValueStatus.PROVISIONAL: N_("provisional"),
    ValueStatus.FINAL: N_("final"),
    ValueStatus.UNKNOWN: N_("cannot be determined"),
}
CAUSES: Final[Mapping[str, str]] = {
    "coverage": N_("what is known of the points"),
    "measures": N_("measures of the plan"),
    "weather": N_("weather"),
    "factor": N_("emission factors"),
    "use": N_("use of the buildings"),
    "rest": N_("other"),
    "consumption": N_("consumption"),
    "emissions": N_("emissions"),
    "area": N_("floor area"),
    "users": N_("number of users"),
    "inhabitants": N_("number of inhabitants"),
    "population": N_("number of inhabitants"),
}
REASONS: Final[Mapping[str, str]] = {
    **OF_TABLES,
    "running": N_("the period is not over"),
    "not_begun": N_("cannot be determined: no day of the period is over"),
    "not_over": N_("cannot be determined: it is told when the period is over"),
    "no_points": N_("cannot be determined: no metering point counts here"),
    "no_data": N_("cannot be determined: nothing is known of this time"),
    "little_measured": N_("only {measured} is measured, {least} is needed"),
    "points_lack": N_("some metering points lack data ({points})"),
    "wrong_unit": N_("cannot be determined: the unit of a meter is neither of energy nor of volume"),
    "own_use_unknown": N_("own use of photovoltaics is not known everywhere: generation or export is not measured"),
    "own_water_unknown": N_("own water is not known for the whole time"),
    "no_replacing": N_("cannot be determined: no point measures water that replaces drinking water"),
    "base_year_span": N_("cannot be determined: only days of one year after {year} can be compared with it"),
    "little_compared": N_("cannot be determined: only {share} of points and months can be compared with {year}"),
    "compared": N_("compared with {year} are {share} of points and months, those known in both years"),
    "no_area": N_("buildings without a floor area are left out ({share} of the amount)"),
    "no_users": N_("buildings without a number of users are left out ({share} of the amount)"),
    "no_sizes": N_("cannot be determined: area or number of users is not known for {share} of the amount"),
    "not_normalised": N_("the figure of a normal climate cannot be determined"),
    "no_station": N_("not normalised: a building has no weather station"),
    "no_normal": N_("not normalised: a station has no long-term normal of degree days"),
    "no_temperatures": N_("not normalised: too many days have no temperature"),
    "no_warm_days": N_("not normalised: too few days without heating are known"),
    "whole_years_only": N_("cannot be determined: the normal holds for whole years"),
    "whole_months_only": N_("cannot be determined: it is told for whole months"),
    "a_year_at_most": N_("cannot be determined: it is told for a year at most"),
    "no_measures": N_("no measure of the plan's activities is in effect"),
    "not_significant": N_("the saving is not significant"),
    "saving_unknown": N_("the saving of measure {measure} at point {point} is not known{why}"),
    "saving_partly": N_("the saving of measure {measure} at point {point} is known on {known} of {days} days{why}"),
    "unknown_activity": N_("measure {measure} names activity {activity}, which the plan does not have: not counted"),
    "no_models": N_("cannot be determined: this process makes no models"),
    "no_breach_price": N_("the cost of a breach cannot be determined: connection or price is not in the table"),
    "peak_gaps": OF_TABLES["gaps"],
    "no_factor": N_("cannot be determined: the table has no emission factor for this time ({carrier})"),
    "no_factor_before": N_(
        "cannot be determined: the table has no emission factor on {day} ({carrier}), before the works of {measure}"
    ),
    "no_calorific_ratio_before": N_(
        "cannot be determined: the table has no ratio of calorific values on {day}, before the works of {measure}"
    ),
    "no_market_factor": N_("by contracts it cannot be determined: a factor is not in the table"),
    "not_split": N_("the change cannot be split ({carrier}): {why}"),
    "split": N_("{cause} cannot be told apart: {why}"),
    "normalised_partly": N_("the weather is known for {share} of the consumption ({carrier})"),
    "no_sources": N_("cannot be determined: this process does not know where readings came from"),
    "no_alerts": N_("cannot be determined: this process has no alerts"),
    "no_leaks": N_("no leak was found"),
    "no_reaction": N_("nobody has answered some of the leaks yet"),
    "no_loss": N_("the loss of some leaks is not known"),
    "not_delivered": N_("the guarantor has not delivered the value"),
    "spans_differ": N_("the two spans have different months: causes cannot be told apart"),
    "weather_unknown": N_("the part of the weather is not known at some points; it is in use"),
}
"""Texts by code; those of factors and prices are the tables' own."""
SHARES: Final = frozenset({"share", "measured", "least"})
"""Facts that are shares between 0 and 1."""


def reason_text(words: Language, because: Because) -> str:
    """Return why a value is lacking or provisional, in a language."""
    if because.code not in REASONS:
        return because.code
    facts = {name: _shown(words, name, value) for name, value in because.facts.items()}
    facts["why"] = _why(words, because)
    facts.setdefault("carrier", "")
    text = words.text(REASONS[because.code]).format_map(_Facts(facts))
    return text.replace(" ()", "").strip()


class _Facts(dict[str, str]):
    """Facts by name; one that is not there is a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def _why(words: Language, because: Because) -> str:
    """Return the reason within a reason: of a model that is not known, of a split that cannot be."""
    code = str(because.facts.get("why", ""))
    if because.code in {"not_split", "split"}:
        return words.text(OF_TABLES[code]) if code in OF_TABLES else code
    if not code:
        return ""
    facts = {name.removeprefix("why_"): v for name, v in because.facts.items() if name.startswith("why_")}
    return f": {shown_reason(words, Reason(code=code, facts=facts))}"


def _shown(words: Language, name: str, value: str | float) -> str:
    if name == "carrier":
        return words.text(CARRIERS[str(value)]) if value in CARRIERS else str(value)
    if name == "cause":
        return words.text(CAUSES[str(value)]) if value in CAUSES else str(value)
    if name in SHARES and not isinstance(value, str):
        return f"{words.number(100.0 * value, 1)} %"
    if isinstance(value, str):
        return _day(words, value)
    return str(value) if name == "year" else words.number(float(value), 0 if float(value).is_integer() else 2)


def _day(words: Language, text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day}. {found.month}. {found.year}" if words.code == "cs" else text


def status_text(words: Language, status: str) -> str:
    """Return how a value may be used."""
    return words.text(STATUSES[status])


def cause_text(words: Language, key: str) -> str:
    """Return what a cause of a change is called, its key where it has no name."""
    return words.text(CAUSES[key]) if key in CAUSES else key
