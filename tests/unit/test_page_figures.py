"""Figures of pages against what is counted by hand: sums by unit, the year so far, periods cut, years before."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.asking import Span
from api.pages.drawings import calendar_cells, levels, runs, spark
from api.pages.figures import Use, carriers, use_of, year_of
from api.pages.held import Held, held_year, state_of
from api.pages.lines import beside
from api.pages.periods import Kind, name_of, pick
from api.pages.shape import calendar_of, week_shape, years_shape
from api.pages.view import Viewer
from api.room import Room
from api.texts import language
from core.calendar import PRAGUE, Period, instant, spans
from core.people import Access
from core.registry import Commodity, Point
from services.rollup import DUE
from tests.unit.api_fakes import NOW, Rates
from tests.unit.api_world import build_world

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def room_with(rates: dict[str, tuple[float, str]], **changes: object) -> Room:
    """Return a room whose points run at these rates [unit/h] until now."""
    asked = Rates({key: (rate, unit, SINCE, NOW) for key, (rate, unit) in rates.items()})
    room: Room = build_world(ask=asked, **changes).app.state.room
    return room


def points(*keys: str, commodity: Commodity = Commodity.GAS) -> list[Point]:
    return [Point(id=key, building="B01", name=key, commodity=commodity) for key in keys]


def table(amount: Sequence[Sequence[float]], units: Sequence[str], measured: float = 1.0) -> Use:
    values = np.array(amount, float)
    starts, ends = spans(Period.DAY, np.datetime64("2026-01-31T23", "us"), np.datetime64("2026-02-28T23", "us"))
    n = values.shape[1]
    shares = np.where(np.isnan(values), 0.0, measured)
    return Use(
        starts=starts[:n],
        ends=ends[:n],
        place={f"p{row}": row for row in range(len(values))},
        units=tuple(units),
        amount=values,
        measured=shares,
        estimated=np.zeros_like(values),
    )


def test_what_counts_in_another_unit_lacks_and_is_never_added() -> None:
    use = table([[1, 2], [3, 4], [100, 100]], ["kWh", "kWh", "m³"])
    found = use.whole(["p0", "p1", "p2"])
    assert found is not None
    assert (found.amount, found.unit, found.points, found.lacking) == (10.0, "kWh", 3, 1)
    in_water = use.whole(["p0", "p1", "p2"], "m³")
    assert in_water is not None
    assert (in_water.amount, in_water.lacking) == (200.0, 2)
    assert np.isnan(use.sums(["p0", "p1", "p2"])).all()
    assert use.sums(["p0", "p1"]).tolist() == [4.0, 6.0]


@given(
    st.lists(
        st.lists(st.one_of(st.just(float("nan")), st.floats(0, 1e6)), min_size=3, max_size=3), min_size=1, max_size=6
    )
)
def test_periods_add_up_to_the_whole(rows: list[list[float]]) -> None:
    use = table(rows, ["kWh"] * len(rows))
    keys = [f"p{n}" for n in range(len(rows))]
    whole, each = use.whole(keys), [use.period(n, keys) for n in range(3)]
    assert whole is not None
    known = [f.amount for f in each if f is not None and f.amount is not None]
    assert (whole.amount is None) == (not known)
    assert whole.amount is None or whole.amount == pytest.approx(sum(known), rel=1e-12)
    one = use.as_one().whole(keys)
    assert one is not None
    assert one.amount == pytest.approx(whole.amount) if whole.amount is not None else one.amount is None
    assert one.missing == pytest.approx(whole.missing, abs=1e-12)


def test_nothing_of_no_points_and_missing_is_no_zero() -> None:
    use = table([[np.nan, np.nan]], [""])
    assert use.whole([]) is None
    found = use.whole(["p0"])
    assert found is not None
    assert (found.amount, found.missing, found.lacking) == (None, 1.0, 1)


def test_the_year_so_far_meets_the_same_days_of_the_year_before() -> None:
    room = room_with({"a": (2.0, "kWh"), "b": (1.0, "kWh")})
    year = year_of(room, points("a", "b"))
    found = year.of(points("a", "b"))
    assert found is not None
    assert found.before is not None
    hours = (datetime(2026, 3, 15, tzinfo=PRAGUE) - datetime(2026, 1, 1, tzinfo=PRAGUE)).total_seconds() / 3600
    assert found.now.amount == pytest.approx(3 * hours)
    assert found.before.amount == pytest.approx(3 * hours)
    month = year.month(points("a"))
    assert month is not None
    assert month.now.amount == pytest.approx(2 * 14 * 24)
    assert len(year.trend(points("a"))) == 12
    assert [m.number for m in year.by_month(points("a")) if m.now is not None] == [1, 2, 3]
    assert all(m.before is not None for m in year.by_month(points("a")))


def test_gas_in_two_units_is_two_carriers() -> None:
    room = room_with({"a": (2.0, "kWh"), "b": (1.0, "m³")})
    chosen = points("a", "b")
    found = carriers(room, chosen, year_of(room, chosen))
    assert [(c.unit, c.key, [p.id for p in c.points]) for c in found] == [
        ("kWh", "gas-kWh", ["a"]),
        ("m³", "gas-m³", ["b"]),
    ]


@pytest.mark.parametrize("period", [Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR])
@pytest.mark.parametrize(("first", "last"), [("2025-03-10", "2026-03-14"), ("2026-03-03", "2026-03-05")])
def test_periods_are_cut_where_the_span_cuts_them_and_lose_nothing(period: Period, first: str, last: str) -> None:
    room = room_with({"a": (1.0, "kWh")})
    start, end = (datetime.fromisoformat(text).replace(tzinfo=PRAGUE) for text in (first, last))
    found = beside(room, points("a"), period, Span(start=start, end=end))
    hours = (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600
    whole = found.now.whole(["a"])
    assert whole is not None
    assert whole.amount == pytest.approx(hours)
    assert (found.now.starts[0], found.now.ends[-1]) == (instant(start), instant(end))
    assert (found.now.starts[1:] == found.now.ends[:-1]).all()
    assert (found.place >= 0).all()


def test_a_span_that_ends_on_29_february_has_as_many_months_before() -> None:
    room = room_with({"a": (1.0, "kWh")})
    span = Span(start=datetime(2024, 1, 1, tzinfo=PRAGUE), end=datetime(2024, 2, 29, tzinfo=PRAGUE))
    found = beside(room, points("a"), Period.MONTH, span)
    assert len(found.now) == len(found.before) == 2
    before = found.before.whole(["a"])
    assert before is not None
    assert before.amount == pytest.approx((31 + 28) * 24)


def test_days_of_a_week_meet_those_of_the_same_weekday() -> None:
    room = room_with({"a": (1.0, "kWh")})
    span = Span(start=datetime(2026, 3, 9, tzinfo=PRAGUE), end=datetime(2026, 3, 14, tzinfo=PRAGUE))
    found = beside(room, points("a"), Period.DAY, span, weekly=True)
    assert [day.weekday() for day in found.before.days(PRAGUE)] == [0, 1, 2, 3, 4]
    assert found.before.days(PRAGUE)[0] == date(2025, 3, 10)


def test_the_day_that_runs_is_cut_at_a_whole_hour_and_meets_the_same_hours() -> None:
    room = room_with({"a": (1.0, "kWh")})
    span = Span(start=datetime(2026, 3, 13, tzinfo=PRAGUE), end=datetime(2026, 3, 15, 11, tzinfo=PRAGUE))
    found = beside(room, points("a"), Period.DAY, span)
    lines = found.lines(["a"], Period.DAY, language("cs"), PRAGUE)
    assert [line.found.now.amount for line in lines] == [24.0, 24.0, 11.0]
    assert [line.found.before.amount for line in lines if line.found.before] == [24.0, 24.0, 11.0]
    assert [line.found.percent for line in lines] == [0.0, 0.0, 0.0]
    alone = Span(start=datetime(2026, 3, 15, tzinfo=PRAGUE), end=datetime(2026, 3, 15, 11, tzinfo=PRAGUE))
    assert len(beside(room, points("a"), Period.DAY, alone).now) == 1


def test_a_point_that_just_began_has_no_years_to_draw() -> None:
    room: Room = build_world(ask=Rates({"a": (1.0, "kWh", NOW - timedelta(days=3), NOW)})).app.state.room
    found = years_shape(viewer(room), points("a"))
    assert found is not None
    assert found.chart is None
    assert [row.year for row in found.rows] == [2026]


def test_what_is_held_is_made_anew_when_roll_ups_or_the_register_change() -> None:
    world = build_world()
    room, held = world.app.state.room, Held()
    every = list(room.now().points.values())
    first = held_year(held, room, every)
    assert held_year(held, room, every) is first
    world.records.keep(DUE, '{"B01-EL": [0, 1]}')
    second = held_year(held, room, every)
    assert second is not first
    world.records.changes += 1
    assert held_year(held, room, every) is not second
    assert state_of(room) == state_of(room)


# When it is used


def viewer(room: Room) -> Viewer:
    return Viewer(request=None, room=room, words=language("cs"), access=Access.whole("test"))  # type: ignore[arg-type]


def test_the_week_by_the_hour_and_the_typical_day_are_means_of_whole_hours() -> None:
    room = room_with({"a": (2.0, "kWh"), "b": (1.0, "kWh")})
    span = Span(start=datetime(2025, 10, 1, tzinfo=PRAGUE), end=datetime(2025, 12, 1, tzinfo=PRAGUE))
    found = week_shape(viewer(room), points("a", "b"), span)
    assert found is not None
    assert found.unit == "kW"
    assert [name for name, _ in found.rows] == ["po", "út", "st", "čt", "pá", "so", "ne"]
    assert {cell.mean for _, cells in found.rows for cell in cells} == {3.0}
    assert [name for name, _ in found.profile] == ["Pracovní den", "Sobota", "Neděle a svátky"]
    assert {mean for _, means in found.profile for mean in means} == {3.0}
    assert (found.first, found.last) == (date(2025, 10, 1), date(2025, 11, 30))


def test_a_short_span_is_judged_by_the_weeks_before_its_end() -> None:
    room = room_with({"a": (2.0, "kWh")})
    span = Span(start=datetime(2025, 11, 30, tzinfo=PRAGUE), end=datetime(2025, 12, 1, tzinfo=PRAGUE))
    found = week_shape(viewer(room), points("a"), span)
    assert found is not None
    assert (found.first, found.last) == (date(2025, 10, 6), date(2025, 11, 30))


def test_days_of_23_and_25_hours_are_told_as_they_are() -> None:
    found = calendar_of(viewer(room_with({"a": (1.0, "kWh")})), points("a"), 2025)
    assert found is not None
    amounts = {cell.day: cell.amount for cell in found.cells}
    assert len(amounts) == 365
    assert (amounts[date(2025, 3, 30)], amounts[date(2025, 10, 26)], amounts[date(2025, 7, 1)]) == (23.0, 25.0, 24.0)
    now = calendar_of(viewer(room_with({"a": (1.0, "kWh")})), points("a"), 2026)
    assert now is not None
    assert now.cells[-1].day == date(2026, 3, 14)


def test_years_stand_against_each_other_and_the_running_month_is_drawn_as_no_fall() -> None:
    found = years_shape(viewer(room_with({"a": (1.0, "kWh")})), points("a"))
    assert found is not None
    assert [row.year for row in found.rows] == [2022, 2023, 2024, 2025, 2026]
    leap = found.rows[2]
    assert leap.total is not None
    assert leap.total.amount == pytest.approx(366 * 24)
    assert [f is not None for f in found.rows[-1].months] == [True] * 3 + [False] * 9
    drawn = [row["month"] for row in found.chart["datasets"]["rows"] if row["series"] == "2026"]
    assert drawn == ["led", "úno"]


def test_nothing_known_has_no_shape() -> None:
    room = room_with({"a": (1.0, "kWh")})
    later = Span(start=datetime(2030, 1, 1, tzinfo=PRAGUE), end=datetime(2030, 3, 1, tzinfo=PRAGUE))
    assert week_shape(viewer(room), points("a"), later) is None
    assert calendar_of(viewer(room), points("a"), 2015) is None


# The picker


@pytest.mark.parametrize(
    ("kind", "on", "first", "last", "before", "after"),
    [
        (Kind.DAY, "2026-03-29", "2026-03-29", "2026-03-29", "2026-03-28", "2026-03-30"),
        (Kind.WEEK, "2026-01-01", "2025-12-29", "2026-01-04", "2025-12-22", "2026-01-05"),
        (Kind.MONTH, "2024-02-29", "2024-02-01", "2024-02-29", "2024-01-01", "2024-03-01"),
        (Kind.QUARTER, "2025-11-05", "2025-10-01", "2025-12-31", "2025-07-01", "2026-01-01"),
        (Kind.YEAR, "2025-06-01", "2025-01-01", "2025-12-31", "2024-01-01", "2026-01-01"),
        (Kind.HEATING_SEASON, "2026-01-15", "2025-09-01", "2026-05-31", "2024-09-01", "2026-09-01"),
        (Kind.HEATING_SEASON, "2025-07-15", "2024-09-01", "2025-05-31", "2023-09-01", "2025-09-01"),
    ],
)
def test_a_day_picks_the_period_it_is_in(  # noqa: PLR0917 - one case a line
    kind: Kind, on: str, first: str, last: str, before: str, after: str
) -> None:
    found = pick(kind, on, "", "", datetime(2027, 1, 1, 12, tzinfo=UTC), PRAGUE)
    assert (str(found.first), str(found.last)) == (first, last)
    assert (str(found.before), str(found.after)) == (before, after)
    again = pick(kind, found.query["on"], "", "", datetime(2027, 1, 1, 12, tzinfo=UTC), PRAGUE)
    assert again == found


def test_what_runs_is_cut_at_the_last_whole_day_and_leads_no_further() -> None:
    found = pick(Kind.YEAR, "", "", "", NOW, PRAGUE)
    assert (found.first, found.running, found.after) == (date(2026, 1, 1), True, None)
    assert found.cut == datetime(2026, 3, 15, tzinfo=PRAGUE)
    assert found.grain is Period.MONTH
    coming = pick(Kind.MONTH, "2026-08-01", "", "", NOW, PRAGUE)
    assert coming.over is None


def test_own_days_step_by_their_length() -> None:
    found = pick(Kind.OWN, "", "2026-02-10", "2026-02-19", NOW, PRAGUE)
    assert (found.before, found.after) == (date(2026, 1, 31), date(2026, 2, 20))
    assert found.grain is Period.DAY


@pytest.mark.parametrize(
    ("kind", "on", "cs"),
    [
        (Kind.MONTH, "2026-02-10", "únor 2026"),
        (Kind.QUARTER, "2026-02-10", "1. čtvrtletí 2026"),
        (Kind.HEATING_SEASON, "2026-02-10", "2025/26"),
        (Kind.YEAR, "2026-02-10", "2026"),
    ],
)
def test_periods_have_names(kind: Kind, on: str, cs: str) -> None:
    assert name_of(pick(kind, on, "", "", NOW, PRAGUE), language("cs")) == cs


# Pictures


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=14))
def test_a_trend_has_a_point_for_each_value_that_is_known(values: list[float | None]) -> None:
    made, known = spark(values), [v for v in values if v is not None]
    if len(known) < 2:
        assert made is None
        return
    assert made is not None
    assert made.path.count("M") + made.path.count("L") == len(known)
    breaks = sum(a is None and b is not None for a, b in zip([None, *values], values, strict=False))
    assert made.path.count("M") == breaks


def test_levels_tell_unknown_from_nothing() -> None:
    made = levels(np.array([[0.0, 50.0, 100.0, np.nan]]))
    assert made == [[0, 4, 8, -1]]
    assert levels(np.array([[np.nan]])) == [[-1]]
    assert levels(np.array([[0.0, 0.0]])) == [[0, 0]]


def test_a_calendar_has_mondays_on_top() -> None:
    cells = calendar_cells(date(2026, 1, 1), np.arange(365.0))
    assert (cells[0].column, cells[0].row) == (0, 3)
    monday = next(c for c in cells if c.row == 0)
    assert (monday.day, monday.column) == (date(2026, 1, 5), 1)
    assert all(c.day.weekday() == c.row for c in cells)
    assert len({(c.column, c.row) for c in cells}) == 365


@given(st.lists(st.sampled_from([(1.0, 0.0), (0.4, 0.0), (0.2, 0.8), (0.0, 0.0)]), max_size=40))
def test_runs_cover_each_day_once_and_those_alike_are_joined(days: list[tuple[float, float]]) -> None:
    made = runs(np.array([m for m, _ in days]), np.array([e for _, e in days]))
    name = {(1.0, 0.0): "measured", (0.4, 0.0): "partly", (0.2, 0.8): "estimated", (0.0, 0.0): "missing"}
    unrolled = [run.state for run in made for _ in range(run.length)]
    assert unrolled == [name[day] for day in days]
    assert all(a.state != b.state for a, b in pairwise(made))


def test_use_of_an_empty_span_is_nothing() -> None:
    room = room_with({"a": (1.0, "kWh")})
    none = use_of(room, points("a"), Period.DAY, NOW, NOW)
    assert len(none) == 0
    assert none.whole(["a"]) is None
    assert len(none.then(use_of(room, points("a"), Period.DAY, NOW - timedelta(days=2), NOW))) == 3
