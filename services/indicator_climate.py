"""Consumption of a normal climate (E2), and what the weather made of a change, both by degree days.

What does not heat is learnt from the days without heating of the year before a span's end, point by point; the rest of
gas and heat follows the degree days of the building's station. Electricity stays as it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from analytics.degree_days import HEATING_LIMIT_C, czech
from analytics.normal_climate import base_per_day, heating_share
from core.calendar import Bools, Longs
from core.climate import Normal
from core.indicators import Because, Used
from core.readings import Floats
from core.registry import Building, Point, Station
from services.daily_use import Dates, daily_use
from services.emission_change import Edges
from services.indicator_basis import ENERGY, HEATING, Basis, Use
from services.indicator_made import Case, Made, Method, because, unknown, whole
from services.indicator_own_power import MWH, own_use, own_use_reasons, with_own
from services.indicator_span import MILLION, atoms
from services.weather import StationDays
from services.weather_degrees import INDOOR_C, normal_of

MOST_DAYS_LACKING: Final = 0.02
"""The share of days without a temperature up to which the others are taken for all."""
LEARNT_DAYS: Final = 365
YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """A station in a span: its degree days [K d], None where too many days lack; a year's normal, None: not known."""

    degree_days: float | None
    normal: Normal | None

    @property
    def normal_days(self) -> float | None:
        """The degree days of a normal year."""
        return None if self.normal is None else self.normal.degree_days(INDOOR_C)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """Energy of buildings in a normal climate [kWh]: None where it is not known and `reasons` say why."""

    total_kwh: float | None
    reasons: tuple[Because, ...] = ()
    used: tuple[Used, ...] = ()


def _days(basis: Basis, building: Building) -> StationDays | None:
    reader = basis.inputs.stations
    if reader is None or not building.station:
        return None
    return basis.once(("days", building.station), lambda: reader.of_building(basis.inputs.register, building))


def climate_of(basis: Basis, building: Building, first: date, end: date) -> Climate | None:
    """Return the climate at a building in a span, None where it has no station."""
    if _days(basis, building) is None:
        return None
    return basis.once(("climate", building.station, first, end), lambda: _climate(basis, building, first, end))


def _climate(basis: Basis, building: Building, first: date, end: date) -> Climate:
    days = _days(basis, building)
    temp_c = np.full(1, np.nan) if days is None else days.between(first, end - timedelta(days=1)).temp_c
    known = np.isfinite(temp_c)
    enough = known.mean() >= 1 - MOST_DAYS_LACKING
    station = basis.inputs.register.get(Station, building.station)
    return Climate(
        degree_days=float(np.nansum(czech(temp_c, indoor_c=INDOOR_C)) / known.mean()) if enough else None,
        normal=normal_of(station, basis.inputs.dated.normals),
    )


# What heats


@dataclass(frozen=True, slots=True, kw_only=True)
class Heating:
    """Which share of what heated points used in a span is heating: NaN where it cannot be told."""

    points: tuple[str, ...]
    share: Floats

    def of(self, point: str) -> float:
        """Return a point's share."""
        return float(self.share[self.points.index(point)]) if point in self.points else np.nan


def heating(basis: Basis, first: date, end: date) -> Heating:
    """Return what of gas and heat is heating, learnt from the 365 days before a span's end."""
    return basis.once(("heating", first, end), lambda: _heating(basis, first, end))


def _heating(basis: Basis, first: date, end: date) -> Heating:
    use = basis.use(first, end).of_kind(HEATING)
    names = [p.id for p in use.points]
    since, last = end - timedelta(days=LEARNT_DAYS), end - timedelta(days=1)
    daily = daily_use(names, since, last, basis.inputs.ask, basis.inputs.zone)
    base = base_per_day(daily.amount, _warm(basis, use.points, daily.day))
    there = np.isfinite(use.amount)
    total = np.where(there.any(axis=1), np.nansum(use.amount, axis=1), np.nan)
    known_days = np.where(there, (use.span.over_h - use.missing_h) / 24.0, 0.0).sum(axis=1)
    return Heating(points=tuple(names), share=heating_share(total, base, known_days))


def _warm(basis: Basis, points: Sequence[Point], day: Dates) -> Bools:
    """Return which days (k, D) are without heating at each point."""
    held: dict[str, Bools] = {}
    rows: list[Bools] = []
    for point in points:
        building = basis.buildings[point.building]
        if building.station not in held:
            days = _days(basis, building)
            temp_c = np.full(len(day), np.nan) if days is None else _on(days, day)
            held[building.station] = np.asarray(temp_c >= HEATING_LIMIT_C)
        rows.append(held[building.station])
    return np.array(rows, bool).reshape(len(points), len(day))


def _on(days: StationDays, day: Dates) -> Floats:
    return days.between(day[0].astype(date), day[-1].astype(date)).temp_c


# A normal climate


def normal_atoms(basis: Basis, use: Use) -> tuple[Longs, Bools, list[Because]]:
    """Return what points would have used in a normal climate (k, m) [millionths], which are told, and why not others.

    What cannot be told stands as it was.
    """
    share = heating(basis, use.span.first, use.span.end)
    years = len(use.span.months.starts) / YEAR
    made, told = use.atoms.copy(), np.ones(len(use.points), bool)
    lacks: dict[str, list[str]] = {}
    for row, point in enumerate(use.points):
        if point.commodity not in HEATING or not use.known[row].any():
            continue
        factor, code = _factor(basis, point, use, years)
        heats = share.of(point.id)
        code = code or ("no_warm_days" if np.isnan(heats) else "")
        if code:
            told[row] = False
            lacks.setdefault(code, []).append(point.id if code == "no_warm_days" else point.building)
            continue
        made[row] += atoms(use.atoms[row] / MILLION * heats * (factor - 1.0))
    return made, told, [because(code, *dict.fromkeys(names)) for code, names in lacks.items()]


def _factor(basis: Basis, point: Point, use: Use, years: float) -> tuple[float, str]:
    found = climate_of(basis, basis.buildings[point.building], use.span.first, use.span.end)
    if found is None:
        return np.nan, "no_station"
    if found.normal_days is None:
        return np.nan, "no_normal"
    if not found.degree_days:
        return np.nan, "no_temperatures"
    return found.normal_days * years / found.degree_days, ""


def _whole_years(case: Case) -> Because | None:
    span = case.span
    if span.running:
        return because("not_over")
    if not span.of_months or len(span.months.starts) % YEAR:
        return because("whole_years_only")
    return None


def normals_used(basis: Basis, points: Sequence[Point], first: date, end: date) -> tuple[Used, ...]:
    """Return the normals of the stations of points."""
    found = [climate_of(basis, basis.buildings[p.building], first, end) for p in points if p.commodity in HEATING]
    normals = {c.normal.place: c.normal for c in found if c is not None and c.normal is not None}
    return tuple(
        Used(
            kind="normal",
            key=n.place,
            version=n.provenance.version,
            since=n.span,
            value=n.degree_days(INDOOR_C),
            source=n.provenance.source,
        )
        for n in normals.values()
    )


def normalised(case: Case, buildings: Collection[str]) -> Normalised:
    """Return the energy of some buildings of a case in a normal climate, own photovoltaics used there among it."""
    barred = _whole_years(case)
    if barred is not None:
        return Normalised(total_kwh=None, reasons=(barred,))
    held = set(buildings)
    chosen = [p.id for p in case.basis.within(case.basis.counted, case.scope) if p.building in held]
    use = case.basis.use(case.first, case.end).of_kind(ENERGY).of(chosen)
    made, told, reasons = normal_atoms(case.basis, use)
    used = normals_used(case.basis, use.points, case.first, case.end)
    if not _enough(use, told, case.indicator.least_measured):
        return Normalised(total_kwh=None, reasons=tuple(reasons), used=used)
    own = own_use(case.basis, case.scope, case.first, case.end).within(list(held))
    return Normalised(total_kwh=whole(int(made.sum() + own.used.sum())), reasons=tuple(reasons), used=used)


def _enough(use: Use, told: Bools, least: float) -> bool:
    """Return whether the climate is known of nearly all that may heat."""
    rows = use.atoms.sum(axis=1)
    heats = np.array([p.commodity in HEATING for p in use.points], bool)
    total = float(rows[heats].sum())
    return not total or float(rows[heats & told].sum()) >= least * total


def _normal(case: Case) -> Made:
    """E2: final consumption as it would have been in a normal climate."""
    barred = _whole_years(case)
    if barred is not None:
        return unknown(barred)
    use = case.basis.use_in(case.scope, case.first, case.end, ENERGY)
    if not use.points or use.nothing:
        return unknown(because("no_data" if use.points else "no_points"), coverage=use.coverage())
    made, told, reasons = normal_atoms(case.basis, use)
    used = normals_used(case.basis, use.points, case.first, case.end)
    if not _enough(use, told, case.indicator.least_measured):
        return unknown(*reasons, coverage=use.coverage(), used=used)
    own = own_use(case.basis, case.scope, case.first, case.end)
    on_the_spot = int(own.used.sum())
    total, was = int(made.sum()) + on_the_spot, int(use.atoms.sum()) + on_the_spot
    return Made(
        amounts={
            "normalised": whole(total, MWH),
            "measured": whole(was, MWH),
            "correction": whole(total - was, MWH),
        },
        coverage=use.coverage(),
        reasons=(*reasons, *own_use_reasons(own)),
        used=used,
        parts=tuple(with_own(case, use, made, own, "normalised")),
    )


NORMAL: Final = Method(
    name="normal_climate",
    version=1,
    figures=dict.fromkeys(("normalised", "measured", "correction"), "MWh"),
    compute=_normal,
    adds=frozenset({"buildings"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DegreeDayEffect:
    """Tells what the weather of a span made heated points use more than that of another [kWh as metered]."""

    basis: Basis

    def __call__(self, points: Sequence[Point], before: Edges, after: Edges) -> Mapping[str, float | None]:
        """Return the part of each point; nothing of one that does not heat, None where it cannot be told."""
        share = heating(self.basis, *before)
        use = self.basis.use(*before)
        rows = {p.id: int(total) for p, total in zip(use.points, use.atoms.sum(axis=1).tolist(), strict=True)}
        return {p.id: self._effect(p, rows.get(p.id), share, before, after) for p in points}

    def _effect(self, point: Point, used: int | None, share: Heating, before: Edges, after: Edges) -> float | None:
        if point.commodity not in HEATING:
            return 0.0
        building = self.basis.buildings[point.building]
        then, now = (climate_of(self.basis, building, *span) for span in (before, after))
        heats = share.of(point.id)
        if then is None or now is None or used is None or np.isnan(heats):
            return None
        if not then.degree_days or now.degree_days is None:
            return 0.0 if then.degree_days == 0 and now.degree_days == 0 else None
        return used / MILLION * heats * (now.degree_days / then.degree_days - 1.0)
