"""What the weather let expect, against a building of which the truth is known; and that it is kept whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from core.calendar import PRAGUE, instant, spans
from core.region_tables import RegionTables
from core.registry import Commodity, Dated, Point
from services.consumption import PointConsumption, Question
from services.outlook import (
    Expected,
    Outlook,
    Peak,
    PointOutlook,
    expectations,
    keep_outlook,
    kept_outlook,
    peaks,
)
from services.savings import Savings
from tests.unit.savings_world import LAST, NOW, World, build_world, gas_point, heating, since

WASTE = np.where(since("2026-01-01"), 1.25, 1.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("outlook")
    lost = np.where(since("2025-02-01", "2025-09-01"), np.nan, heating(4))
    pv = gas_point("pv", Commodity.PV)
    made = build_world(folder, {"same": heating(2), "waste": heating(3) * WASTE, "lost": lost, "pv": heating(5)}, pv)
    yield made
    made.close()


def told(world: World) -> dict[str, PointOutlook]:
    points = list(world.points().values())
    found = expectations(world.baselines(), points, [], LAST, stopped=lambda: False)
    return {one.point: one for one in found}


def test_expectations_tell_habits_from_weather(world: World) -> None:
    found = told(world)
    same, waste = found["same"].year, found["waste"].year
    assert same is not None
    assert waste is not None
    truth = heating(2)[since("2026-01-01")].sum()
    assert same.actual == pytest.approx(truth)
    assert abs(same.actual - same.predicted) <= same.half90
    assert not same.significant
    assert waste.percent == pytest.approx(25, abs=6)
    assert waste.significant
    assert (same.days, same.of_days) == (181, 181)


def test_months_add_up_to_the_year(world: World) -> None:
    one = told(world)["same"]
    assert one.year is not None
    assert [m.first for m in one.months] == [date(2026, n, 1) for n in range(1, 7)]
    assert sum(m.actual for m in one.months) == pytest.approx(one.year.actual)
    assert sum(m.predicted for m in one.months) == pytest.approx(one.year.predicted)


def test_too_little_data_is_a_reason_and_no_number(world: World) -> None:
    found = told(world)
    assert found["lost"].year is None
    assert [r.code for r in found["lost"].reasons] == ["missing_training"]
    assert "pv" not in found


def test_points_together_are_known_of_so_many(world: World) -> None:
    found = told(world)
    outlook = Outlook(last=LAST, points=tuple(found.values()), of_point=found)
    both, known = outlook.together(["same", "waste", "lost"])
    assert both is not None
    assert known == 2
    parts = [found[key].year for key in ("same", "waste")]
    assert both.actual == pytest.approx(sum(p.actual for p in parts if p))
    widths = [p.half90 for p in parts if p]
    assert max(widths) < both.half90 < sum(widths)
    assert outlook.together_all(["same", "lost"], None) is None
    march = outlook.together_all(["same", "waste"], date(2026, 3, 1))
    assert march is not None
    assert march.first == date(2026, 3, 1)
    assert outlook.together(["nobody"]) == (None, 0)


def test_what_is_kept_comes_back_as_it_was(world: World) -> None:
    assert kept_outlook(world.records) is None
    found = tuple(told(world).values())
    shares = tuple(Savings(world.baselines()).shares(world.points(), [], LAST))
    near = (Peak(point="same", month=date(2026, 6, 1), peak_kw=50.0, reserved_kw=40.0, at=NOW, breach_czk=None),)
    made = Outlook(last=LAST, points=found, shares=shares, peaks=near)
    keep_outlook(world.records, made, NOW)
    back = kept_outlook(world.records)
    assert back is not None
    assert (back.last, back.points, back.shares, back.peaks) == (made.last, made.points, made.shares, made.peaks)
    assert back.of_point["same"].year == told(world)["same"].year
    assert near[0].share == pytest.approx(1.25)


def test_stopped_half_way_tells_of_what_is_done(world: World) -> None:
    points = list(world.points().values())
    assert expectations(world.baselines(), points, [], LAST, stopped=lambda: True) == []


def quarters(question: Question) -> list[PointConsumption]:
    """Return 20 kW all the time, and 60 kW in one quarter-hour of 12 June."""
    starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
    peak = starts == np.datetime64("2026-06-12T09:15", "us")
    return [
        PointConsumption(
            point=key,
            register="main",
            unit="kWh",
            starts=starts,
            ends=ends,
            amount=np.where(peak, 15.0, 5.0),
            measured=np.ones(len(starts)),
            estimated=np.zeros(len(starts)),
            missing=np.zeros(len(starts)),
            first_at=starts,
            last_at=ends,
        )
        for key in question.points
    ]


def test_peaks_are_of_electricity_with_a_reservation_alone() -> None:
    reserved = Point(
        id="e",
        building="b",
        name="Elektřina",
        commodity=Commodity.ELECTRICITY,
        reserved_kw=(Dated(since=date(2020, 1, 1), value=40.0),),
    )
    bare = replace(reserved, id="bare", reserved_kw=())
    given = [bare, gas_point("gas"), reserved]
    (found,) = peaks(given, {}, LAST, ask=quarters, tables=RegionTables(), zone=PRAGUE, stopped=lambda: False)
    assert (found.point, found.month, found.peak_kw, found.reserved_kw) == ("e", date(2026, 6, 1), 60.0, 40.0)
    assert found.at == datetime(2026, 6, 12, 9, 15, tzinfo=UTC)
    assert found.share == pytest.approx(1.5)


def test_a_difference_of_nothing_has_no_percent() -> None:
    one = Expected(first=LAST, days=1, of_days=1, actual=1.0, predicted=0.0, half68=0.1, half90=0.2)
    assert one.percent is None
    assert one.half90_percent is None
