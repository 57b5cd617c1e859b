"""Baselines of points: their days put together, models fitted on a training window, kept, and used again.

A model is fitted on its training window alone and kept under the key of all that it rests on; days that follow are
foretold by the kept model. So what is told does not depend on whether the model was fitted now or earlier.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from analytics.baseline.cleaning import Commodity as Kind
from analytics.baseline.cleaning import clean, without_zeros
from analytics.baseline.days import Bools, Dates, Days, Floats, Weather, festive_days
from analytics.baseline.fit import Fits, fit
from analytics.baseline.key import content_keys
from analytics.baseline.model import Model, predict
from analytics.baseline.placebo import Calibration
from analytics.baseline.sufficiency import Reason, sufficiency
from core.calendar import PRAGUE
from core.ports import RecordStore
from core.registry import Adjustment, Building, Commodity, Point
from services.daily_use import Ask, DailyUse, daily_use
from services.weather import StationDays
from services.weather import Weather as Stations

KINDS: Final = {
    Commodity.ELECTRICITY: Kind.ELECTRICITY,
    Commodity.GAS: Kind.GAS,
    Commodity.HEAT: Kind.HEAT,
    Commodity.COLD_WATER: Kind.WATER,
    Commodity.HOT_WATER: Kind.WATER,
}
"""What the models know a commodity as; generation has none."""
MOST_ESTIMATED: Final = 0.5
"""A day that is estimated for more than this share does not train a model: its shape is the estimate's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What models rest on besides readings: calendar, free days, and how far baselines stray."""

    calibration: Calibration
    zone: ZoneInfo = PRAGUE
    holidays: frozenset[date] = frozenset()
    school: frozenset[date] = frozenset()

    def days(self, day: Dates) -> Days:
        """Return what the calendar says of days (D,)."""
        return Days(
            day=day, holiday=_among(day, self.holidays), festive=festive_days(day), school=_among(day, self.school)
        )


def _among(day: Dates, listed: frozenset[date]) -> Bools:
    return np.isin(day, _in_order(listed))


@lru_cache(maxsize=16)
def _in_order(days: frozenset[date]) -> Dates:
    return np.array(sorted(days), "datetime64[D]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A point and the days, first to last, that its model learns from."""

    point: Point
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A baseline as it is kept: the model, and what it made of its training days (D,).

    `reasons` bar its use, with the facts that they name. `fitted_on` is the day on which it was fitted.
    """

    window: Window
    kind: Kind
    unit: str
    model: Model
    mean: float
    parameters: float
    energy: Floats
    predicted: Floats
    held_out: Floats
    first_made: Floats
    knows_weather: bool
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What non-routine events do on days (D,): use x `factor` + `per_day`; `out` are left out."""

    factor: Floats
    per_day: Floats
    out: Bools

    def undone(self, amount: Floats) -> Floats:
        """Return use (..., D) as it would be without the events."""
        return np.where(self.out, np.nan, (amount - self.per_day) / self.factor)

    def done(self, amount: Floats) -> Floats:
        """Return use without events (..., D) as it is with them."""
        return np.where(self.out, np.nan, amount * self.factor + self.per_day)


def effects(adjustments: Iterable[Adjustment], day: Dates) -> Effects:
    """Return what adjustments of one point do on days (D,)."""
    factor, per_day, out = np.ones(len(day)), np.zeros(len(day)), np.zeros(len(day), bool)
    for event in adjustments:
        held = day >= np.datetime64(event.since)
        if event.until is not None:
            held &= day < np.datetime64(event.until)
        factor[held] *= 1.0 if event.factor is None else event.factor
        per_day[held] += 0.0 if event.per_day is None else event.per_day
        out |= held & (event.factor is None and event.per_day is None)
    return Effects(factor=factor, per_day=per_day, out=out)


@dataclass(slots=True)
class Asked:
    """What was asked for one answer, so that it is asked once: days of stations by building, changes, daily use."""

    stations: dict[str, StationDays | None] = field(default_factory=dict)
    adjustments: list[Adjustment] | None = None
    use: DailyUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Fits, keeps and applies the baselines of points, for one answer: what it asked for is not asked again."""

    records: RecordStore
    stations: Stations
    ask: Ask
    facts: Facts
    leave_out: Mapping[str, Sequence[tuple[date, date]]] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked, compare=False, repr=False)

    def look_up(self, points: Sequence[Point], first: date, last: date) -> None:
        """Ask for what points used on days at once, for many questions about parts of it."""
        self.asked.use = daily_use([p.id for p in points], first, last, self.ask, self.facts.zone)

    def use(self, points: Sequence[str], first: date, last: date) -> DailyUse:
        """Return what points used on the days first to last."""
        held = None if self.asked.use is None else self.asked.use.part(points, first, last)
        return held or daily_use(points, first, last, self.ask, self.facts.zone)

    def train(self, windows: Sequence[Window]) -> list[Trained]:
        """Return the baselines of these windows, in their order; only those whose content changed are fitted."""
        made: dict[Window, Trained] = {}
        able = sorted({w for w in windows if w.point.commodity in KINDS}, key=_group)
        for (first, last, commodity), group in groupby(able, key=_group):
            made |= self._train(list(group), first, last, KINDS[Commodity(commodity)])
        return [made[window] for window in windows if window in made]

    def _train(self, windows: list[Window], first: date, last: date, kind: Kind) -> dict[Window, Trained]:
        use = self.use([w.point.id for w in windows], first, last)
        given = np.where(use.estimated > MOST_ESTIMATED, np.nan, use.amount)
        events = self._effects([w.point for w in windows], use.day)
        energy = np.array([one.undone(row) for one, row in zip(events, given, strict=True)]).reshape(given.shape)
        energy = np.where(self._left_out(windows, use.day), np.nan, energy)
        made: dict[Window, Trained] = {}
        for weather, places in self._by_weather([w.point for w in windows], use.day, kind):
            mine = [windows[n] for n in places]
            units = [use.units[n] for n in places]
            made |= self._fitted(mine, units, energy[places], use.day, kind, weather)
        return made

    def _left_out(self, windows: Sequence[Window], day: Dates) -> Bools:
        """Return the days (m, D) that do not train: works of other measures."""
        out = np.zeros((len(windows), len(day)), bool)
        for row, window in enumerate(windows):
            for since, until in self.leave_out.get(window.point.id, ()):
                out[row] |= (day >= np.datetime64(since)) & (day < np.datetime64(until))
        return out

    def _effects(self, points: Sequence[Point], day: Dates) -> list[Effects]:
        if self.asked.adjustments is None:
            self.asked.adjustments = self.records.find(Adjustment)
        known = self.asked.adjustments
        return [effects([a for a in known if a.point == point.id], day) for point in points]

    def _by_weather(self, points: Sequence[Point], day: Dates, kind: Kind) -> list[tuple[Weather | None, list[int]]]:
        """Return the temperatures of the points, those with and those without any apart, with their places."""
        if kind is Kind.WATER:
            return [(None, list(range(len(points))))]
        held = [self._temperatures(point, day) for point in points]
        without = [n for n, found in enumerate(held) if found is None]
        named = dict(found for found in held if found is not None)
        order = {name: n for n, name in enumerate(named)}
        groups: list[tuple[Weather | None, list[int]]] = [(None, without)] if without else []
        if named:
            station = np.array([order[found[0]] for found in held if found is not None])
            weather = Weather(temp_c=np.array(list(named.values())), station=station)
            groups.append((weather, [n for n, found in enumerate(held) if found is not None]))
        return groups

    def station_of(self, point: Point) -> StationDays | None:
        """Return the days of the station of a point's building, None where it has none."""
        held = self.asked.stations
        if point.building not in held:
            held[point.building] = self.stations.of_building(self.records, self.records.get(Building, point.building))
        return held[point.building]

    def _temperatures(self, point: Point, day: Dates) -> tuple[str, Floats] | None:
        """Return the station of a point and its temperature of days (D,), None where nothing is known of any."""
        days = self.station_of(point)
        if days is None:
            return None
        temp_c = days.between(day[0].astype(date), day[-1].astype(date)).temp_c
        return (days.station, temp_c) if np.isfinite(temp_c).any() else None

    def _fitted(  # noqa: PLR0917 - what one group of points shares
        self,
        windows: Sequence[Window],
        units: Sequence[str],
        energy: Floats,
        day: Dates,
        kind: Kind,
        weather: Weather | None,
    ) -> dict[Window, Trained]:
        days, train = self.facts.days(day), np.ones(len(day), bool)
        keys = content_keys(energy, days, train, kind, weather)
        stored = [self.records.kept(_place(window)) for window in windows]
        stale = [n for n, text in enumerate(stored) if not text or json.loads(text)["key"] != keys[n]]
        if stale:
            part = None if weather is None else replace(weather, station=weather.station[stale])
            fits = fit(energy[stale], days, train, kind, part)
            with np.errstate(invalid="ignore"):  # a quantile of days whose temperature is mostly unknown
                reasons = sufficiency(fits, train)
            for row, n in enumerate(stale):
                told = reasons.training[row], reasons.notes[row]
                stored[n] = json.dumps(_to_keep(fits, row, keys[n], told))
                self.records.keep(_place(windows[n]), stored[n])
        return {
            window: _of_kept(json.loads(text), window, kind, unit, knows_weather=weather is not None)
            for window, text, unit in zip(windows, stored, units, strict=True)
        }

    def applied(self, trained: Trained, last: date, *, out: Bools | None = None) -> tuple[Fits, DailyUse]:
        """Return a baseline over its training and all days after until `last`, and the point's use on them.

        After training the prediction holds non-routine events, consumption is as measured; `out` (days after training)
        are left out.
        """
        window = trained.window
        use = self.use([window.point.id], window.first, last)
        event = self._effects([window.point], use.day)[0]
        groups = self._by_weather([window.point], use.day, trained.kind)
        weather = groups[0][0] if trained.knows_weather else None
        return _applied(trained, use, event, self.facts.days(use.day), weather, out), use


def _group(window: Window) -> tuple[date, date, str]:
    return window.first, window.last, window.point.commodity.value


def _place(window: Window) -> str:
    return f"baseline/{window.point.id}/{window.first}/{window.last}"


# Kept and read again


def _to_keep(fits: Fits, row: int, key: str, told: tuple[Sequence[Reason], Sequence[Reason]]) -> dict[str, Any]:
    return {
        "key": key,
        "model": fits.models[row].to_json(),
        "mean": float(fits.mean[row]),
        "parameters": float(fits.parameters[row]),
        "energy": _listed(fits.energy[row]),
        "predicted": _listed(fits.predicted[row]),
        "held_out": _listed(fits.held_out[row]),
        "first": _listed(fits.first[row]),
        "reasons": [[r.code, dict(r.facts)] for r in told[0]],
        "notes": [[r.code, dict(r.facts)] for r in told[1]],
    }


def _listed(values: Floats) -> list[float | None]:
    return [None if v != v else v for v in values.tolist()]  # noqa: PLR0124 - NaN


def _of_kept(stored: Mapping[str, Any], window: Window, kind: Kind, unit: str, *, knows_weather: bool) -> Trained:
    arrays = {name: np.array(stored[name], float) for name in ("energy", "predicted", "held_out", "first")}
    return Trained(
        window=window,
        kind=kind,
        unit=unit,
        model=Model.from_json(stored["model"]),
        mean=stored["mean"],
        parameters=stored["parameters"],
        energy=arrays["energy"],
        predicted=arrays["predicted"],
        held_out=arrays["held_out"],
        first_made=arrays["first"],
        knows_weather=knows_weather,
        reasons=tuple(Reason(code=code, facts=facts) for code, facts in stored["reasons"]),
        notes=tuple(Reason(code=code, facts=facts) for code, facts in stored["notes"]),
        key=stored["key"],
    )


def _applied(  # noqa: PLR0917 - the parts of one baseline
    trained: Trained, use: DailyUse, event: Effects, days: Days, weather: Weather | None, out: Bools | None
) -> Fits:
    count, learnt = len(use.day), len(trained.energy)
    train = np.arange(count) < learnt
    temp_c = np.zeros(count) if weather is None else weather.of_meters[0]
    after = event.done(predict([trained.model], days, temp_c)[0])
    given = without_zeros(use.amount, trained.kind)[0]
    given = np.where(train | (out if out is not None else np.zeros(count, bool)), np.nan, given)
    given[:learnt] = trained.energy
    mean = np.array([trained.mean])
    padded = np.full(count, np.nan)
    predicted = np.concatenate([trained.predicted, after[learnt:]])
    first = np.concatenate([trained.first_made, after[learnt:]])
    cleaned = clean(given[None, :], first[None, :], mean, trained.kind)
    energy = np.where(train, given, cleaned.energy[0])
    held_out = padded.copy()
    held_out[:learnt] = trained.held_out
    return Fits(
        commodity=trained.kind,
        days=days,
        weather=weather,
        models=(trained.model,),
        predicted=predicted[None, :],
        held_out=held_out[None, :],
        given=given[None, :],
        first=first[None, :],
        cleaned=replace(cleaned, energy=energy[None, :]),
        train=train,
        mean=mean,
        parameters=np.array([trained.parameters]),
    )
