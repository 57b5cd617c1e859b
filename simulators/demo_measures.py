"""Measures of the demo region: what was done, and what it truly saved, which only a simulator knows."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from core.calendar import moment
from core.registry import Commodity, Measure, MeasureKind
from core.rollup import NANO
from simulators.demo_faults import main_dials
from simulators.loads import Load
from simulators.meter import SimulatedMeter
from simulators.region import SampleRegion, with_measure
from simulators.truth import consumed_nano


class _Wanted(NamedTuple):
    """A measure on the n-th meter of a commodity, in effect so many days before the end, that leaves `factor` of it."""

    id: str
    name: str
    kind: MeasureKind
    commodity: Commodity
    nth: int
    days_before: int
    works_days: int
    factor: float
    activity: str
    investment_czk: float
    subsidy_czk: float


_WANTED: Final = (
    _Wanted(
        "OP-01", "Zateplení obvodového pláště", MeasureKind.INSULATION, Commodity.GAS, 3, 520, 75, 0.70, "2.1-EM-1",
        6_200_000, 2_500_000,
    ),
    _Wanted(
        "OP-02", "Výměna osvětlení za LED", MeasureKind.LIGHTING, Commodity.ELECTRICITY, 0, 450, 20, 0.80, "2.1-EM-2",
        980_000, 0,
    ),
    _Wanted(
        "OP-03", "Regulace otopné soustavy", MeasureKind.REGULATION, Commodity.HEAT, 1, 400, 0, 0.88, "2.1-EM-1",
        450_000, 0,
    ),
    _Wanted(
        "OP-04", "Perlátory a úsporné sprchy", MeasureKind.WATER_SAVING, Commodity.COLD_WATER, 1, 430, 5, 0.82,
        "2.1-EM-1", 120_000, 0,
    ),
    _Wanted(
        "OP-05", "Školení správců budov", MeasureKind.BEHAVIOUR, Commodity.GAS, 2, 400, 0, 1.0, "2.1-EM-3", 35_000, 0,
    ),
    _Wanted(
        "OP-06", "Výměna oken (před zavedením měření)", MeasureKind.WINDOWS, Commodity.GAS, 4, 900, 30, 0.9, "",
        1_900_000, 700_000,
    ),
)  # fmt: skip
"""The fifth saves nothing; the sixth was done before there was a year of readings, so it cannot be verified."""

_SHARED: Final = ("OP-07", "Termostatické ventily", "OP-01", 150)
"""A measure beside another at the same point, in effect so many days before the end: they share what it saves."""


def demo_measures(region: SampleRegion, end: np.datetime64) -> tuple[SampleRegion, tuple[Measure, ...]]:
    """Return the region as the measures left it, and the measures that the register knows."""
    made: list[Measure] = []
    last = moment(end).date()
    for wanted in _WANTED:
        meters = main_dials(region, wanted.commodity)
        if wanted.nth >= len(meters):
            continue
        one, since = meters[wanted.nth], last - timedelta(days=wanted.days_before)
        region = with_measure(region, one.device, since=since, factor=wanted.factor)
        made.append(_measure(wanted, one, since))
    shared = next((m for m in made if m.id == _SHARED[2]), None)
    if shared is not None:
        since = last - timedelta(days=_SHARED[3])
        made.append(_beside(shared, since))
    return region, tuple(made)


def _measure(wanted: _Wanted, one: SimulatedMeter, since: date) -> Measure:
    water = wanted.commodity is Commodity.COLD_WATER
    expected = one.load.annual * (1 - wanted.factor)
    stated = round(expected, 0) if water else round(expected / 1000, 1)
    return Measure(
        id=wanted.id,
        name=wanted.name,
        points=(one.point,),
        effective=since,
        kind=wanted.kind,
        works_from=since - timedelta(days=wanted.works_days) if wanted.works_days else None,
        investment_czk=wanted.investment_czk,
        subsidy_czk=wanted.subsidy_czk or None,
        activity=wanted.activity,
        expected_saving=stated if stated > 0 else None,
        expected_unit=("m³" if water else "MWh") if stated > 0 else "",
    )


def _beside(other: Measure, since: date) -> Measure:
    return replace(
        other,
        id=_SHARED[0],
        name=_SHARED[1],
        kind=MeasureKind.REGULATION,
        effective=since,
        works_from=None,
        investment_czk=310_000.0,
        subsidy_czk=None,
        expected_saving=None if other.expected_saving is None else round(other.expected_saving / 4, 1),
    )


def saved(load: Load, start: np.datetime64, end: np.datetime64) -> float:
    """Return what a load's measure truly saved in [start, end) [kWh or m³]."""
    at = np.array([end], "datetime64[us]")
    without = replace(load, measure_factor=1.0)
    return float(consumed_nano(without, start, at)[0] - consumed_nano(load, start, at)[0]) / NANO
