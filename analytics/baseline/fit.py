"""Fit the baselines of many meters: choose, weigh, hold out, take the mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.baseline.cleaning import Cleaned, Commodity, clean, without_zeros
from analytics.baseline.days import Bools, Days, Floats, Weather
from analytics.baseline.design import Design, Ground, Spec, design
from analytics.baseline.family import CALENDAR_ONLY, THREE_DAYS, WITH_TEMPERATURE, Family
from analytics.baseline.model import Model, Part
from analytics.baseline.squares import TINY, choose, held_out, robust_fit, robust_weights

BLOCKS: Final = 12  # of training held out in turn
SHARPNESS: Final = 4.0  # a part's share falls with this power of its held-out squared error
RECENT_HALF_LIFE_DAYS: Final = 45.0  # of what tells the level of the end of training, which carries over
RECENT_SHARE: Final = 0.6  # of it is believed
RECENT_MOST: Final = 0.15
FIRST_LIMIT: Final = 3.0  # robust deviations of the first fit: beyond, a day counts less when candidates compete
WINSOR: Final = 5.0

FIRST: Final = Spec(inertia=THREE_DAYS, heat_c=16.0, cool_c=18.0)
FIRST_CALENDAR: Final = Spec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Baselines of m meters over D days.

    `predicted` (m, D) for all days, `held_out` (m, D) in training by models that had not seen the day (else NaN),
    `given` (m, D) as handed in, `first` (m, D) a first robust model of weather and weekday, `train` (D,), `mean` (m,)
    the mean of training, `parameters` (m,) how many each took. `weather` is None where no temperature was used.
    """

    commodity: Commodity
    days: Days
    weather: Weather | None
    models: tuple[Model, ...]
    predicted: Floats
    held_out: Floats
    given: Floats
    first: Floats
    cleaned: Cleaned
    train: Bools
    mean: Floats
    parameters: Floats

    @property
    def energy(self) -> Floats:
        """Cleaned consumption (m, D)."""
        return self.cleaned.energy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Meters of one station: relative consumption y (m, D) with 0 where missing, weights (m, D), columns' inputs."""

    y: Floats
    w: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """One family's outcome for a group, in relative units."""

    family: Family
    beta: dict[int, tuple[Design, npt.NDArray[np.int64], Floats]]
    predicted: Floats
    held_out: Floats


def fit(energy: Floats, days: Days, train: Bools, commodity: Commodity, weather: Weather | None = None) -> Fits:
    """Return the baselines of m meters.

    `energy` (m, D) in kWh or m³ a day, NaN where missing; `train` (D,) bool. Water knows no temperature. A meter
    without any day of training gets a model of zeros: ask `sufficiency` before anything is shown.
    """
    weather = None if commodity is Commodity.WATER else weather
    stations = np.zeros(len(energy), np.int64) if weather is None else weather.station
    temps = np.zeros((1, len(days.day))) if weather is None else weather.temp_c
    known = without_zeros(energy, commodity)
    parts = []
    for number in np.unique(stations).tolist():
        mine = np.flatnonzero(stations == number)
        inputs = _Inputs(
            days=days, train=train, temp_c=temps[number], commodity=commodity, knows_weather=weather is not None
        )
        parts.append((mine, _fit_group(known[mine], inputs)))
    return Fits(
        commodity=commodity, days=days, weather=weather, given=energy, train=train, **_joined(parts, energy.shape)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """What the meters of one station share."""

    days: Days
    train: Bools
    temp_c: Floats
    commodity: Commodity
    knows_weather: bool

    @property
    def first(self) -> Spec:
        return FIRST if self.knows_weather else FIRST_CALENDAR

    @property
    def families(self) -> Sequence[Family]:
        return WITH_TEMPERATURE if self.knows_weather else CALENDAR_ONLY


def _fit_group(energy: Floats, inputs: _Inputs) -> dict[str, Any]:
    train = inputs.train
    cleaned, first_made, mean, weights = _prepared(energy, inputs)
    floor = np.where((cleaned.energy < 0).any(axis=1), -np.inf, 0.0)
    y = np.nan_to_num(cleaned.energy / mean[:, None])
    group, ground = _Group(y=y, w=weights), Ground(inputs.days, inputs.temp_c)
    fitted = [_fit_family(family, group, ground, train) for family in inputs.families]
    share = _shares(fitted, group, train)
    total = np.einsum("km,kmd->md", share, np.array([f.predicted for f in fitted]))
    total = np.maximum(total, floor[:, None])
    unseen = np.einsum("km,kmd->md", share, np.array([f.held_out for f in fitted]))
    level = _recent_level(group, total, train)
    return {
        "models": list(_models(fitted, share, mean, level, floor)),
        "predicted": total * np.where(_after(train), level[:, None], 1.0) * mean[:, None],
        "held_out": np.where(train, np.maximum(unseen, floor[:, None]), np.nan) * mean[:, None],
        "first": first_made,
        "cleaned": cleaned,
        "mean": mean,
        "parameters": _parameters(fitted, share),
    }


def _prepared(energy: Floats, inputs: _Inputs) -> tuple[Cleaned, Floats, Floats, Floats]:
    """Return cleaned energy, a first robust model (m, D), the mean of training (m,) and its days' weights (m, D)."""
    columns = _finite(design(inputs.first, Ground(inputs.days, inputs.temp_c)))
    usable = inputs.train & np.isfinite(inputs.temp_c)
    mean, known = _mean(energy, usable)
    y = np.nan_to_num(energy / mean[:, None])
    ceiling = WINSOR * _quantile(np.abs(y), known, 0.9)
    beta, _ = robust_fit(columns, np.minimum(y, ceiling), known.astype(float), 5)
    expected = beta @ columns.x.T * mean[:, None]
    cleaned = clean(energy, expected, mean, inputs.commodity)
    mean_clean, known = _mean(cleaned.energy, usable)
    y = np.nan_to_num(cleaned.energy / mean[:, None])
    weights = robust_weights(y - beta @ columns.x.T, known.astype(float), FIRST_LIMIT)
    return cleaned, expected, mean_clean, weights


def _mean(energy: Floats, usable: Bools) -> tuple[Floats, Bools]:
    """Return the size of a usual day (m,), never zero, and which days are known (m, D)."""
    known = np.isfinite(energy) & usable
    size = np.where(known, np.abs(energy), 0.0)
    ceiling = WINSOR * _quantile(size, known, 0.9)
    mean = np.minimum(size, np.where(ceiling > 0, ceiling, np.inf)).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(mean > 0, mean, 1.0), known


def _quantile(values: Floats, known: Bools, share: float) -> Floats:
    """Return the quantile (m, 1) of what is known (m, D), 0 where nothing is."""
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    place = np.floor(share * np.maximum(known.sum(axis=1) - 1, 0)).astype(np.int64)
    found = ordered[np.arange(len(values)), place]
    return np.where(np.isfinite(found), found, 0.0)[:, None]


def _finite(columns: Design) -> Design:
    """Return columns with zeros for what is not known: such days weigh nothing."""
    return replace(columns, x=np.nan_to_num(columns.x))


def _fit_family(family: Family, group: _Group, ground: Ground, train: Bools) -> _Fitted:
    place = np.flatnonzero(train)
    blocks = np.arange(len(place)) * BLOCKS // max(len(place), 1)
    y, w = group.y[:, place], group.w[:, place]
    seen = ground.of(place)
    pick = choose([_finite(design(spec, seen)) for spec in family.specs], y, w)
    predicted, unseen = np.zeros_like(group.y), np.zeros_like(group.y)
    beta: dict[int, tuple[Design, npt.NDArray[np.int64], Floats]] = {}
    for number in np.unique(pick).tolist():
        mine = np.flatnonzero(pick == number)
        columns = design(family.specs[number], ground)
        trained = _finite(replace(columns, x=columns.x[place]))
        found, weights = robust_fit(trained, y[mine], w[mine], family.robust_rounds)
        beta[number] = (columns, mine, found)
        predicted[mine] = found @ columns.x.T
        unseen[np.ix_(mine, place)] = held_out(trained, y[mine], weights, blocks)
    return _Fitted(family=family, beta=beta, predicted=predicted, held_out=unseen)


def _shares(fitted: Sequence[_Fitted], group: _Group, train: Bools) -> Floats:
    """Return the share (k, m) of each part: the better a part foretold held-out blocks, the more it counts."""
    known = (group.w > 0) & train
    error = [np.where(known, np.minimum(np.abs(group.y - f.held_out), 1.0) ** 2, 0.0).sum(axis=1) for f in fitted]
    size = np.maximum(np.array(error), TINY)
    share = (size / size.min(axis=0)) ** -SHARPNESS
    return np.asarray(share / share.sum(axis=0))


def _after(train: Bools) -> Bools:
    """Return the days (D,) after training: to them the level of its end carries over."""
    last = np.flatnonzero(train)
    return np.arange(len(train)) > (last[-1] if len(last) else len(train))


def _recent_level(group: _Group, total: Floats, train: Bools) -> Floats:
    """Return the factor (m,) by which the end of training lay above the model, as far as it is believed."""
    place = np.flatnonzero(train)
    w = group.w[:, place] * 0.5 ** ((len(place) - 1 - np.arange(len(place))) / RECENT_HALF_LIFE_DAYS)
    y, made = group.y[:, place], total[:, place]
    size = np.maximum((w * np.abs(made)).sum(axis=1), TINY)
    off = (w * (y - np.nan_to_num(made))).sum(axis=1) / size
    return np.asarray(1.0 + RECENT_SHARE * np.clip(np.nan_to_num(off), -RECENT_MOST, RECENT_MOST))


def _models(fitted: Sequence[_Fitted], share: Floats, mean: Floats, level: Floats, floor: Floats) -> Iterator[Model]:
    rows = [_coefficients(f) for f in fitted]
    for meter in range(len(mean)):
        parts = tuple(
            Part(
                family=f.family.name,
                share=float(share[k, meter]),
                spec=rows[k][meter][0].spec,
                coefficients=dict(
                    zip(rows[k][meter][0].names, (rows[k][meter][1] * mean[meter]).tolist(), strict=True)
                ),
            )
            for k, f in enumerate(fitted)
        )
        bound = None if np.isneginf(floor[meter]) else float(floor[meter])
        yield Model(parts=parts, recent_level=float(level[meter]), floor=bound)


def _coefficients(fitted: _Fitted) -> dict[int, tuple[Design, Floats]]:
    return {
        int(meter): (columns, row)
        for columns, mine, beta in fitted.beta.values()
        for meter, row in zip(mine, beta, strict=True)
    }


def _parameters(fitted: Sequence[_Fitted], share: Floats) -> Floats:
    sizes = np.zeros_like(share)
    for k, one in enumerate(fitted):
        for columns, mine, _ in one.beta.values():
            sizes[k, mine] = columns.x.shape[1]
    return np.asarray((share * sizes).sum(axis=0))


def _joined(parts: Sequence[tuple[npt.NDArray[np.int64], dict[str, Any]]], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the outcome of all groups in the meters' order."""
    if not parts:
        return _nothing(shape)
    order = np.argsort(np.concatenate([mine for mine, _ in parts]))
    made = [outcome for _, outcome in parts]
    models = [model for outcome in made for model in outcome["models"]]
    cleaned = {
        name: np.concatenate([getattr(outcome["cleaned"], name) for outcome in made])[order]
        for name in ("energy", "spike", "zero", "stuck", "negative", "odd")
    }
    arrays = {
        name: np.concatenate([outcome[name] for outcome in made])[order]
        for name in ("predicted", "held_out", "first", "mean", "parameters")
    }
    return {**arrays, "models": tuple(models[i] for i in order.tolist()), "cleaned": Cleaned(**cleaned)}


def _nothing(shape: tuple[int, ...]) -> dict[str, Any]:
    none, flags, row = np.empty(shape), np.empty(shape, bool), np.empty(0)
    cleaned = Cleaned(energy=none, spike=flags, zero=flags, stuck=flags, negative=flags, odd=flags)
    arrays = dict.fromkeys(("predicted", "held_out", "first"), none)
    return {**arrays, "mean": row, "parameters": row, "models": (), "cleaned": cleaned}
