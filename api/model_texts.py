"""Why a model or saving is not shown, and what a reader should know of one, in the reader's language."""

from collections.abc import Mapping
from typing import Final

from api.texts import N_, Language
from services.savings import Reason, text_of

REASONS: Final[Mapping[str, str]] = {
    "no_consumption": N_("not enough data: no day of consumption in training"),
    "short_training": N_("not enough data: training has {days} days, twelve months are needed"),
    "missing_training": N_("not enough data: {known} of {days} training days are measured, 90 % are needed"),
    "missing_predict": N_("not enough data: {known} of {days} days after training are measured, 90 % are needed"),
    "no_predict": N_("not enough data: no day after training has both consumption and temperature"),
    "missing_temperature": N_("not enough data: the temperature is known on {known} of {days} days, 90 % are needed"),
    "no_temperature": N_("the temperature is not known: the model knows the calendar only"),
    "no_temperature_heating": N_(
        "the temperature is not known, and heating cannot be told without it: give the building a weather station"
    ),
    "fahrenheit": N_("the temperatures cannot be in °C (daily means up to {high_c}): are they in Fahrenheit?"),
    "strange_temperature": N_("the temperatures cannot be in °C: daily means from {low_c} to {high_c}"),
    "no_heating_season": N_("not enough data: {known} of {days} days of the cold season of training are measured"),
    "no_cold": N_("not enough data: training has {days} days below 13 °C, 60 are needed to learn heating"),
    "all_zero": N_("consumption is zero throughout training: is the meter dead or out of use?"),
    "constant": N_("consumption is the same every day of training: is it estimated, or the meter stuck?"),
    "negative": N_("consumption is negative on {days} days: own production belongs to a point of its own"),
    "negative_register": N_(
        "consumption is negative on {days} days: is the register read backwards, or does the dial fall?"
    ),
    "seasonal": N_(
        "consumption follows the seasons ({ratio} times from quarter to quarter), but no temperature is known"
    ),
    "pandemic": N_(
        "{days} of the days lie in the closures of 2020 and 2021 and consumption is {ratio} times what the model"
        " tells: closure cannot be told from saving"
    ),
    "pandemic_days": N_("{days} days lie in the closures of 2020 and 2021"),
    "step_training": N_("consumption changed to {ratio} times in training on {date}: log the change at the point"),
    "odd_training": N_("{days} training days hold values that no building can have (spikes, zeros in the cold)"),
    "poor_model": N_("consumption follows neither calendar nor weather (CV(RMSE) {cv}): no model can be shown"),
    "odd_days": N_("{days} days hold spikes or zeros that cannot be consumption: they are taken as missing"),
    "too_much": N_(
        "consumption is {ratio} times what the model tells, more than a measure does: log the change at the point"
    ),
    "too_little": N_(
        "consumption is {ratio} times what the model tells, less than a measure does: log the change at the point"
    ),
    "bump_predict": N_(
        "consumption was {ratio} times the rest from {date} to {until}: log the closure or change of use at the point"
    ),
    "step_predict": N_("consumption changed to {ratio} times on {date}: log the change at the point"),
    "generation": N_("generation is no consumption: name the point of supply that the plant feeds"),
    "measure_in_training": N_("not enough data: another measure changed the point within the year before {measure}"),
    "not_yet": N_("no whole day has passed since it is in effect ({date})"),
    "no_saving": N_("no saving is known"),
    "no_price": N_("no price is known for point {points}"),
    "no_investment": N_("no investment is stated"),
    "short_year": N_("only {days} days are known since it is in effect, a year is needed"),
    "not_significant": N_("the saving is not significant"),
}
"""What is lacking, by code: the same as `analytics.baseline.sufficiency` says, for people at pages."""


def shown_reason(words: Language, reason: Reason) -> str:
    """Return a reason in a language, its numbers and dates as that language writes them."""
    facts = {name: _shown(words, value) for name, value in reason.facts.items()}
    if reason.code not in REASONS:
        return text_of(reason)
    return words.text(REASONS[reason.code]).format(**facts).replace("  ", " ").strip()


def _shown(words: Language, value: str | float) -> str:
    if isinstance(value, str):
        parts = value.split("-")
        dated = len(parts) == 3 and all(part.isdigit() for part in parts)  # noqa: PLR2004 - year, month, day
        return f"{int(parts[2])}. {int(parts[1])}. {parts[0]}" if dated and words.code == "cs" else value
    return words.number(float(value), 0 if float(value).is_integer() else 2)
