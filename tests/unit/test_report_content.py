"""Reports put together from stores: published values where there are any, open ones marked, what lacks and why."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deliveries import Text
from core.indicators import ValueStatus
from core.plan import Direction, Figure, Indicator, Project, ReportKind, Target
from core.report import Judgement, Lack, Report
from core.report_periods import ReportId
from services.indicators import Evaluation
from services.publishing import publish
from services.report_content import Imprint, Reports
from services.report_standing import standing, target_of
from services.stands import inputs_of, stand_now
from tests.unit.delivery_world import ENERGY, HEALTH
from tests.unit.publication_world import LATER, PUBLISHED, World, embedded

ANNUAL = ReportId(kind=ReportKind.ANNUAL, period="2025")
IMPRINT = Imprint(region="Liberecký kraj", software="0.9")
FIGURE = Figure(key="f", name="údaj", unit="MWh")


@pytest.fixture
def region(tmp_path: Path) -> Iterator[World]:
    world = embedded(tmp_path)
    yield world
    world.store.close()
    world.records.close()


def reports(world: World, now: datetime = PUBLISHED) -> Reports:
    def evaluation() -> Evaluation:
        return Evaluation(inputs_of(stand_now(world.live, ANNUAL, now), world.live), now)

    return Reports(world.records, evaluation, IMPRINT)


def value_of(report: Report, key: str) -> float | None:
    return next(row.main.value for row in report.rows if row.indicator == key)


def test_an_open_report_marks_all_values_and_says_what_lacks(region: World) -> None:
    found = reports(region).report(ANNUAL, PUBLISHED)
    assert found.publication is None
    assert not any(row.published for row in found.rows)
    lacks = {(one.lack, one.area, one.subject) for one in found.missing}
    assert (Lack.UNDELIVERED, "Digitalizace ve zdravotnictví", "Z1 Nemocnice sdílející dokumentaci") in lacks
    assert (Lack.TEXTS, "Energetický management", "") in lacks
    texts = next(one.names for one in found.missing if one.lack is Lack.TEXTS)
    assert set(texts) == {Text.REALISED, Text.FULFILMENT}


def test_a_published_report_stays_as_it_was_told(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    told = reports(region).report(ANNUAL, PUBLISHED)
    region.late_batch(LATER - timedelta(days=1))
    region.records.save([Project(id="p9", activity="2.1-EM-1", name="Nový projekt")], by="test", now=LATER)
    again = reports(region).report(ANNUAL, LATER)
    assert again == told
    assert told.publication is not None
    assert all(row.published for row in told.rows)
    assert value_of(told, "E1") is not None
    opened = reports(region, LATER).report(ANNUAL, LATER, open_state=True)
    assert opened.publication is None
    assert value_of(opened, "E1") != value_of(told, "E1")


def test_by_hand_values_their_comments_and_texts_stand_in_the_report(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    found = reports(region).report(ANNUAL, PUBLISHED)
    health = next(area for area in found.areas if area.id == HEALTH)
    rows = {row.indicator: row for row in health.rows}
    assert [cell.value for cell in rows["Z1"].cells] == [3, 75.0]
    assert (rows["Z1"].by_hand, rows["Z1"].status) == (True, ValueStatus.FINAL)
    assert rows["Z2"].note == "měření začne v roce 2026"
    assert [one.text for one in health.activities] == ["Běží.", "Dokončeno."]
    assert health.texts[Text.REALISED] == "Zapojeny tři nemocnice."
    assert health.delivered_by == "garant"
    assert not [one for one in found.missing if one.lack in {Lack.TEXTS, Lack.UNCHECKED}]


def test_points_that_lack_data_are_named_with_their_building(region: World) -> None:
    found = reports(region).report(ANNUAL, PUBLISHED)
    energy = next(row for row in found.rows if row.indicator == "E1")
    assert energy.coverage is not None
    assert all(" – " in name for name in energy.lacking)
    assert {piece.name for piece in energy.pieces} >= {"Hlavní budova", "Tělocvična"}


def test_beside_a_published_report_stands_only_what_was_published_before_it(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    found = reports(region).report(ANNUAL, PUBLISHED)
    energy = next(row for row in found.rows if row.indicator == "E1")
    assert [one.value is None for one in energy.history] == [True, True, True, True, False]
    draft = reports(region).report(ANNUAL, PUBLISHED, open_state=True)
    history = next(row.history for row in draft.rows if row.indicator == "E1")
    assert [one.year for one in history] == [2021, 2022, 2023, 2024, 2025]
    assert not any(one.published for one in history)


def test_a_year_of_which_most_is_missing_is_not_compared_with(region: World) -> None:
    energy = next(row for row in reports(region).report(ANNUAL, PUBLISHED).rows if row.indicator == "E1")
    before = energy.history[3]
    assert (before.year, before.value) == (2024, None)  # readings begin in December 2024
    assert energy.main.before is None


def test_the_closing_report_holds_each_year_and_judges_the_last(region: World) -> None:
    indicator = next(one for one in region.records.find(Indicator) if one.id == "E1")
    targets = (Target(figure="total", year=2025, value=1e9), Target(figure="total", year=2026, value=1.0))
    changed = replace(indicator, targets=targets, direction=Direction.DOWN)
    region.records.save([changed], by="test", now=PUBLISHED)
    found = reports(region).report(ReportId(kind=ReportKind.CLOSING, period="2024-2025"), PUBLISHED)
    energy = next(row for row in found.rows if row.indicator == "E1")
    assert [one.year for one in energy.history] == [2024, 2025]
    assert energy.main.standing.judgement is Judgement.MET
    assert energy.main.standing.year == 2025


def test_the_mid_year_report_judges_nothing_yet(region: World) -> None:
    indicator = next(one for one in region.records.find(Indicator) if one.id == "E1")
    changed = replace(indicator, targets=(Target(figure="total", year=2025, value=1.0),), direction=Direction.DOWN)
    region.records.save([changed], by="test", now=PUBLISHED)
    found = reports(region).report(ReportId(kind=ReportKind.MID_YEAR, period="2025"), PUBLISHED)
    energy = next(row for row in found.rows if row.indicator == "E1")
    assert energy.main.standing.judgement is Judgement.UNDER_WAY
    assert energy.end.month == 7
    assert {area.id for area in found.areas} == {ENERGY, HEALTH}


def indicator(direction: Direction, *targets: tuple[int, float]) -> Indicator:
    made = tuple(Target(figure="f", year=year, value=value) for year, value in targets)
    return Indicator(id="X", area="a", name="x", figures=(FIGURE,), targets=made, direction=direction)


@pytest.mark.parametrize(
    ("direction", "target", "value", "judgement", "share"),
    [
        (Direction.UP, 100.0, 100.0, Judgement.MET, 1.0),
        (Direction.UP, 100.0, 25.0, Judgement.NOT_MET, 0.25),
        (Direction.DOWN, 100.0, 100.0, Judgement.MET, None),
        (Direction.DOWN, 100.0, 101.0, Judgement.NOT_MET, None),
        (Direction.DOWN, -7.6, -3.8, Judgement.NOT_MET, 0.5),
        (Direction.DOWN, -7.6, 2.0, Judgement.NOT_MET, 0.0),
        (Direction.NONE, 5.0, 5.0, Judgement.NO_TARGET, None),
    ],
)
def test_a_target_is_judged_by_its_direction(
    direction: Direction, target: float, value: float, judgement: Judgement, share: float | None
) -> None:
    found = standing(indicator(direction, (2025, target)), FIGURE, value, ValueStatus.FINAL, year=2025, whole=True)
    assert (found.judgement, found.share) == (judgement, share)
    assert found.gap == pytest.approx(value - target)


def test_targets_of_other_years_are_shown_and_not_judged() -> None:
    later = indicator(Direction.UP, (2024, 1.0), (2026, 10.0))
    assert standing(later, FIGURE, 20.0, ValueStatus.FINAL, year=2025, whole=True).judgement is Judgement.UNDER_WAY
    assert standing(later, FIGURE, 20.0, ValueStatus.FINAL, year=2026, whole=False).judgement is Judgement.UNDER_WAY
    assert standing(later, FIGURE, None, ValueStatus.UNKNOWN, year=2026, whole=True).judgement is Judgement.UNKNOWN
    assert standing(indicator(Direction.UP), FIGURE, 1.0, ValueStatus.FINAL, year=2026, whole=True).target is None


TARGETS = st.lists(st.tuples(st.integers(2020, 2030), st.floats(-1e6, 1e6)), unique_by=lambda pair: pair[0])


@given(TARGETS, st.integers(2019, 2031))
def test_the_target_that_counts_is_the_next_one_or_the_last(targets: list[tuple[int, float]], year: int) -> None:
    found = target_of(indicator(Direction.UP, *targets), FIGURE, year)
    years = [one for one, _ in targets]
    if not years:
        assert found is None
        return
    assert found is not None
    coming = [one for one in years if one >= year]
    assert found.year == (min(coming) if coming else max(years))


def test_a_later_version_replaces_the_former_and_says_why(region: World) -> None:
    region.ready()
    publish(region.live, region.wish())
    region.late_batch(LATER - timedelta(days=1))
    region.checked(LATER)
    publish(region.live, region.wish(LATER, note="pozdní data z plynoměru"))
    found = reports(region).report(ANNUAL, LATER + timedelta(days=1))
    assert found.publication is not None
    assert (found.publication.version, found.publication.cause) == (2, "pozdní data z plynoměru")
    former = reports(region).of_publication("annual-2025-v1", LATER)
    assert value_of(former, "E1") != value_of(found, "E1")
