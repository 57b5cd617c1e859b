"""Whether the data bear a baseline and a saving, and if not, what is lacking, in plain words.

Limits: CalTRACK 2.0 (at most 37 of 365 days missing) and ASHRAE Guideline 14; what goes beyond says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.baseline.breaks import Stretch, strongest
from analytics.baseline.cleaning import FEW_NEGATIVE, Commodity
from analytics.baseline.days import Bools, Days, Floats, Weather
from analytics.baseline.fit import Fits

LEAST_SHARE: Final = 0.9
LEAST_TRAIN_DAYS: Final = 360  # twelve months, give or take the days of a meter's mounting
COLD_SHARE: Final = 0.8  # of the coldest third of training must be measured
HEATING_C: Final = 13.0  # a day below it is one of the heating season (vyhláška 194/2007 Sb.)
LEAST_HEATING_DAYS: Final = 60
HOTTEST_DAY_C, COLDEST_DAY_C = 45.0, -50.0  # no daily mean where people live lies outside
STRANGE_SHARE: Final = 0.01
WORST_CV: Final = 1.0  # CalTRACK 2.0, 4.3: no saving is told with a model worse than the mean's size
MOST_RATIO, LEAST_RATIO = 1.6, 0.3  # of predicted: more than any measure does
MANY_ODD: Final = 0.05
SAME: Final = 1e-6
SEASONAL: Final = 1.6  # times from the lowest quarter of training to the highest: then weather matters
PANDEMIC: Final = (np.datetime64("2020-03-12"), np.datetime64("2021-06-30"))  # from the first Czech state of emergency
PANDEMIC_CHANGE, PANDEMIC_SHARE = 0.15, 0.2  # a change of this size, with this share of the days in the closures
FAHRENHEIT_MOST: Final = 115.0

TEXTS: Final[Mapping[str, str]] = {
    "no_consumption": "not enough data: no day of consumption in training",
    "short_training": "not enough data: training has {days} days, twelve months are needed",
    "missing_training": "not enough data: {known} of {days} training days are measured, 90 % are needed",
    "missing_predict": "not enough data: {known} of {days} days to predict are measured, 90 % are needed",
    "no_predict": "not enough data: no day to predict has consumption (zeros of electricity are gaps) and temperature",
    "missing_temperature": "not enough data: temperature is known on {known} of {days} {span} days, 90 % are needed",
    "no_temperature": "no temperature is given: the baseline knows the calendar only",
    "no_temperature_heating": "no temperature is given: heating cannot be told from weather; give outdoor temperature",
    "fahrenheit": "temperature cannot be in °C (daily means up to {high_c} °C): is it Fahrenheit? Give temp_c, or"
    " name it temp_f",
    "strange_temperature": "temperature cannot be in °C: daily means from {low_c} to {high_c} °C; check the unit",
    "no_heating_season": "not enough data: {known} of {days} days of the cold season of training are measured",
    "no_cold": "not enough data: training has {days} heating days (below 13 °C), 60 are needed to learn heating",
    "all_zero": "consumption is zero throughout training: is the meter dead or out of use?",
    "constant": "consumption is the same every day of training: readings are estimated, or the meter is stuck",
    "negative": "consumption is negative on {days} days: give gross consumption (net plus own production) instead",
    "negative_register": "consumption is negative on {days} days: is the register read backwards, or does the"
    " dial fall?",
    "seasonal": "consumption follows the seasons ({ratio} times from quarter to quarter) and no temperature is given",
    "pandemic": "{days} of the days lie in the closures of 2020 and 2021 and consumption is {ratio} times the baseline:"
    " closure cannot be told from saving",
    "pandemic_days": "{days} days lie in the closures of 2020 and 2021",
    "step_training": "consumption changed to {ratio} times in training on {date}: log the event or train on"
    " another year",
    "odd_training": "{days} training days hold values no building can have (spikes, stuck values, zeros in the"
    " cold): clean them first",
    "poor_model": "consumption follows neither calendar nor weather (CV(RMSE) {cv}): no baseline can be shown",
    "odd_days": "{days} day(s) hold spikes, zeros or stuck values that cannot be consumption: they are taken as"
    " missing",
    "too_much": "consumption is {ratio} times the baseline, more than a measure does: change of use, meter swap or"
    " wrong multiplier? Log the event",
    "too_little": "consumption is {ratio} times the baseline, less than a measure does: closure, fault or another"
    " source? Log the event",
    "bump_predict": "consumption was {ratio} times what the baseline gives elsewhere from {date} to {until}: closure or"
    " change of use? Log the event, or predict other dates",
    "step_predict": "consumption changed to {ratio} times on {date}, in the midst of the span: log the event, or"
    " predict up to it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why nothing, or less, is shown: a code, and what fills the place-holders of its text in `TEXTS`."""

    code: str
    facts: Mapping[str, str | int | float]

    @property
    def text(self) -> str:
        """The reason in English."""
        return TEXTS[self.code].format(**self.facts)


def _reason(code: str, **facts: str | float) -> Reason:
    return Reason(code=code, facts=facts)


Check = tuple[Bools, Callable[[int], Reason]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """Per meter: what bars a model (`training`), what bars a saving (`predict`), and what a reader should know."""

    training: tuple[tuple[Reason, ...], ...]
    predict: tuple[tuple[Reason, ...], ...]
    notes: tuple[tuple[Reason, ...], ...]

    def sufficient(self, meter: int) -> bool:
        """Whether the meter's saving may be shown."""
        return not self.training[meter] and not self.predict[meter]


def sufficiency(fits: Fits, predict: Bools) -> Sufficiency:
    """Return what is lacking for each meter of the fits to tell a saving of the days `predict` (D,)."""
    temps = None if fits.weather is None else fits.weather.of_meters
    count = len(fits.mean)
    training = _tiers(
        count,
        _weather(fits, temps),
        _amount(fits),
        [*_values(fits), *_seasonal(fits)],
        _cold(fits, temps),
        _quality(fits),
    )
    fitted = np.array([not reasons for reasons in training], bool)
    checks = (_weather_covers(temps, predict, "predicted"), _coverage(fits, predict), _change(fits, predict))
    after = _tiers(count, *([(flag & fitted, make) for flag, make in tier] for tier in checks))
    return Sufficiency(training=training, predict=after, notes=_tiers(count, _notes(fits, predict)))


def _tiers(count: int, *tiers: Sequence[Check]) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons per meter; a meter barred in one tier is not asked the next, whose answers would mislead."""
    barred = np.zeros(count, bool)
    reasons: list[list[Reason]] = [[] for _ in range(count)]
    for tier in tiers:
        before = barred.copy()
        for flag, make in tier:
            for meter in np.flatnonzero(flag & ~before).tolist():
                reasons[meter].append(make(meter))
            barred |= flag
    return tuple(tuple(found) for found in reasons)


def _weather(fits: Fits, temps: Floats | None) -> list[Check]:
    if temps is None or fits.weather is None:
        lacking = np.full(len(fits.mean), fits.commodity.heats)
        return [(lacking, lambda _: _reason("no_temperature_heating"))]
    high, low = (_extreme(fits.weather, share) for share in (1 - STRANGE_SHARE, STRANGE_SHARE))
    hot, cold = high > HOTTEST_DAY_C, low < COLDEST_DAY_C
    fahrenheit = hot & (high < FAHRENHEIT_MOST)
    return [
        (fahrenheit, lambda m: _reason("fahrenheit", high_c=round(float(high[m]), 1))),
        ((hot | cold) & ~fahrenheit, lambda m: _strange(low[m], high[m])),
        *_weather_covers(temps, fits.train, "training"),
    ]


def _extreme(weather: Weather, share: float) -> Floats:
    """Return a quantile of each meter's temperature (m,), 0 where none is known."""
    known = [row[np.isfinite(row)] for row in weather.temp_c]
    of_stations = [np.quantile(row, share) if len(row) else 0.0 for row in known]
    return np.array(of_stations)[weather.station]


def _strange(low_c: float, high_c: float) -> Reason:
    return _reason("strange_temperature", low_c=round(float(low_c), 1), high_c=round(float(high_c), 1))


def _weather_covers(temps: Floats | None, span: Bools, name: str) -> list[Check]:
    if temps is None:
        return []
    known = np.isfinite(temps[:, span]).sum(axis=1)
    total = int(span.sum())
    few = known < LEAST_SHARE * total
    return [(few, lambda m: _reason("missing_temperature", known=int(known[m]), days=total, span=name))]


def _amount(fits: Fits) -> list[Check]:
    total = int(fits.train.sum())
    known = np.isfinite(fits.energy[:, fits.train]).sum(axis=1)
    short = np.full(len(known), total < LEAST_TRAIN_DAYS)
    zero = (np.nan_to_num(fits.given[:, fits.train]) == 0).all(axis=1) & np.isfinite(fits.given[:, fits.train]).any(
        axis=1
    )
    never = ~np.isfinite(fits.given[:, fits.train]).any(axis=1)
    same = _constant(fits)
    few = (known < LEAST_SHARE * total) & ~zero & ~never & ~same
    return [
        (never, lambda _: _reason("no_consumption")),
        (zero, lambda _: _reason("all_zero")),
        (same & ~zero, lambda _: _reason("constant")),
        (short, lambda _: _reason("short_training", days=total)),
        (few, lambda m: _reason("missing_training", known=int(known[m]), days=total)),
    ]


def _constant(fits: Fits) -> Bools:
    given = fits.given[:, fits.train]
    known = np.isfinite(given)
    high = np.where(known, given, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(known, given, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(known.any(axis=1) & (high - low <= SAME * np.maximum(np.abs(high), 1e-9)))


def _values(fits: Fits) -> list[Check]:
    negative = fits.cleaned.negative.sum(axis=1)
    return [(_mostly_negative(fits), lambda m: _negative(fits, negative[m]))]


def _negative(fits: Fits, days: int) -> Reason:
    code = "negative" if fits.commodity is Commodity.ELECTRICITY else "negative_register"
    return _reason(code, days=int(days))


def _seasonal(fits: Fits) -> list[Check]:
    """Electricity that follows the seasons cannot be foretold without the weather."""
    if fits.weather is not None or fits.commodity is not Commodity.ELECTRICITY:
        return []
    quarters = np.array_split(np.flatnonzero(fits.train), 4)
    known = [np.isfinite(fits.energy[:, place]) for place in quarters]
    sums = [np.where(k, fits.energy[:, place], 0.0).sum(axis=1) for k, place in zip(known, quarters, strict=True)]
    means = np.array(sums) / np.maximum(np.array([k.sum(axis=1) for k in known]), 1)
    ratio = means.max(axis=0) / np.maximum(means.min(axis=0), 1e-12)
    return [(ratio > SEASONAL, lambda m: _reason("seasonal", ratio=round(float(ratio[m]), 2)))]


def _mostly_negative(fits: Fits) -> Bools:
    known = np.isfinite(fits.given).sum(axis=1)
    return np.asarray(fits.cleaned.negative.sum(axis=1) > FEW_NEGATIVE * np.maximum(known, 1))


def _cold(fits: Fits, temps: Floats | None) -> list[Check]:
    """Heating must have been seen: enough cold days in training, and those measured."""
    if temps is None or not fits.commodity.heats:
        return []
    train = temps[:, fits.train]
    heating = (train < HEATING_C).sum(axis=1)
    third = np.nanquantile(np.where(np.isfinite(train), train, np.inf), 1 / 3, axis=1)
    cold = train <= third[:, None]
    known = (cold & np.isfinite(fits.energy[:, fits.train])).sum(axis=1)
    total = cold.sum(axis=1)
    gap = known < COLD_SHARE * total
    return [
        (heating < LEAST_HEATING_DAYS, lambda m: _reason("no_cold", days=int(heating[m]))),
        (gap, lambda m: _reason("no_heating_season", known=int(known[m]), days=int(total[m]))),
    ]


def _quality(fits: Fits) -> list[Check]:
    odd = fits.cleaned.odd[:, fits.train].sum(axis=1)
    off = np.where(fits.train, fits.energy - fits.predicted, np.nan)
    cv = np.sqrt(np.nan_to_num(off**2).sum(axis=1) / np.maximum(np.isfinite(off).sum(axis=1), 1)) / fits.mean
    step = strongest(fits.energy, fits.first, fits.train, steps_only=True)
    return [
        (odd > MANY_ODD * fits.train.sum(), lambda m: _reason("odd_training", days=int(odd[m]))),
        (step.found & step.lasting & _large(step), lambda m: _event("step_training", step, fits.days, m)),
        (cv > WORST_CV, lambda m: _reason("poor_model", cv=round(float(cv[m]), 2))),
    ]


def _large(step: Stretch) -> Bools:
    return (step.ratio > MOST_RATIO) | (step.ratio < 1 / MOST_RATIO)


def _event(code: str, stretch: Stretch, days: Days, meter: int) -> Reason:
    end = min(int(stretch.end[meter]), len(days.day)) - 1
    dates = {"date": str(days.day[stretch.first[meter]]), "until": str(days.day[end])}
    return _reason(code, ratio=round(float(stretch.ratio[meter]), 2), **dates)


def _coverage(fits: Fits, predict: Bools) -> list[Check]:
    total = int(predict.sum())
    known = (np.isfinite(fits.energy) & np.isfinite(fits.predicted))[:, predict].sum(axis=1)
    few = (known < LEAST_SHARE * total) & (known > 0)
    return [
        (known == 0, lambda _: _reason("no_predict")),
        (few, lambda m: _reason("missing_predict", known=int(known[m]), days=total)),
    ]


def _change(fits: Fits, predict: Bools) -> list[Check]:
    known = np.isfinite(fits.energy) & np.isfinite(fits.predicted) & predict
    actual = np.where(known, fits.energy, 0.0).sum(axis=1)
    made = np.where(known, fits.predicted, 0.0).sum(axis=1)
    ratio = actual / np.where(np.abs(made) > 0, made, 1.0)
    stretch = strongest(fits.energy, fits.predicted, predict)
    return [
        (ratio > MOST_RATIO, lambda m: _reason("too_much", ratio=round(float(ratio[m]), 2))),
        (ratio < LEAST_RATIO, lambda m: _reason("too_little", ratio=round(float(ratio[m]), 2))),
        (stretch.found & ~stretch.lasting, lambda m: _event("bump_predict", stretch, fits.days, m)),
        (stretch.found & stretch.lasting, lambda m: _event("step_predict", stretch, fits.days, m)),
        *_closed(fits, predict, ratio),
    ]


def _closed(fits: Fits, predict: Bools, ratio: Floats) -> list[Check]:
    """Bar a change in the years of closures: it is no saving, whatever else was done."""
    days = _pandemic_days(fits, predict)
    large = (np.abs(ratio - 1) > PANDEMIC_CHANGE) & (days > PANDEMIC_SHARE * predict.sum())
    return [(large, lambda m: _reason("pandemic", days=days, ratio=round(float(ratio[m]), 2)))]


def _pandemic_days(fits: Fits, span: Bools) -> int:
    return int((span & (fits.days.day >= PANDEMIC[0]) & (fits.days.day <= PANDEMIC[1])).sum())


def _notes(fits: Fits, predict: Bools) -> list[Check]:
    without = np.full(len(fits.mean), fits.weather is None and fits.commodity is not Commodity.WATER)
    closed = _pandemic_days(fits, fits.train | predict)
    odd = fits.cleaned.odd[:, fits.train | predict].sum(axis=1)
    return [
        (without, lambda _: _reason("no_temperature")),
        (np.full(len(odd), closed > 0), lambda _: _reason("pandemic_days", days=closed)),
        (odd > 0, lambda m: _reason("odd_days", days=int(odd[m]))),
    ]
