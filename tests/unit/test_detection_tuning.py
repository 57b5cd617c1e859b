"""How rules are set: narrower before wider, answers change a threshold within bounds, all can be undone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.anomalies.finding import Rule
from analytics.anomalies.tuning import LEAST, MOST, after_false_alarm, after_real
from core.alerts import Alert, AlertFilter, Cause, Detection
from core.detectors import LEAST_FACTOR, MOST_FACTOR, RuleSetting, SettingScope
from core.errors import Conflict, InputError, NotFound
from core.registry import Building, Commodity, Organisation, Point
from services.alerts import Alerts, Evaluation, Policy
from services.detection_tuning import RuleSettings, effective, tuning_of, tunings
from storage.records import SqlRecordStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINT = Point(id="w", building="B", name="w", commodity=Commodity.COLD_WATER)
OTHER = Point(id="x", building="C", name="x", commodity=Commodity.COLD_WATER)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    made = SqlRecordStore(f"sqlite:///{tmp_path}/records.sqlite")
    made.start()
    buildings = [Building(id=key, organisation="O", name=key) for key in ("B", "C")]
    made.save([Organisation(id="O", name="Kraj"), *buildings, POINT, OTHER], by="test", now=NOW)
    yield made
    made.close()


def setting(
    scope: SettingScope, key: str = "", *, factor: float | None = None, enabled: bool | None = None
) -> RuleSetting:
    return RuleSetting(scope=scope, key=key, rule="leak", changed=NOW, by="eva", factor=factor, enabled=enabled)


EVERYWHERE = setting(SettingScope.EVERYWHERE, factor=2.0, enabled=False)
BUILDING = setting(SettingScope.BUILDING, "B", enabled=True)
AT_POINT = setting(SettingScope.POINT, "w", factor=1.5)


def test_of_each_thing_the_narrowest_setting_holds() -> None:
    every = [EVERYWHERE, BUILDING, AT_POINT]
    mine, other = effective(every, POINT, Rule.LEAK), effective(every, OTHER, Rule.LEAK)
    assert (mine.enabled, mine.factor, mine.enabled_by, mine.factor_by) == (True, 1.5, BUILDING, AT_POINT)
    assert (other.enabled, other.factor) == (False, 2.0)
    assert effective(every, POINT, Rule.GAP) == effective([], POINT, Rule.GAP)
    assert tuning_of(every, OTHER).off == {Rule.LEAK}
    assert tunings(every, [POINT, OTHER])["w"].of(Rule.LEAK) == 1.5


def test_bounds_of_the_store_and_of_the_rules_are_the_same() -> None:
    assert (LEAST, MOST) == (LEAST_FACTOR, MOST_FACTOR)


@given(st.floats(LEAST, MOST), st.lists(st.booleans(), max_size=30))
def test_answers_keep_a_factor_within_its_bounds(factor: float, answers: list[bool]) -> None:
    for false_alarm in answers:
        before = factor
        factor = after_false_alarm(factor) if false_alarm else after_real(factor)
        assert LEAST <= factor <= MOST
        if false_alarm:
            assert factor >= before
            assert factor <= before * 1.25 + 1e-4
        else:
            assert factor <= before
            assert factor >= min(before, 1.0)  # a right answer makes no rule more sensitive than it usually is


def resolved(records: SqlRecordStore, cause: Cause, day: int) -> Alert:
    """Open an alert on a day of its own and resolve it."""
    alerts, at = Alerts(records, Policy()), NOW + timedelta(days=40 * day)
    found = Detection(subject="w", rule="leak", at_from=at - timedelta(hours=9), at_to=at, found_at=at)
    alerts.report(Evaluation(detections=[found], judged=set()), at)
    one = records.alerts(AlertFilter(), limit=1)[0]
    done = alerts.resolve(one.id, cause=cause, note="", by="eva", now=at)
    alerts.report(Evaluation(detections=[], judged={("leak", "w")}), at + timedelta(hours=1))
    return done


def test_each_answer_counts_once_and_says_why(records: SqlRecordStore) -> None:
    settings, factors = RuleSettings(records), []
    for day, cause in enumerate((Cause.FALSE_ALARM, Cause.PLANNED, Cause.FALSE_ALARM, Cause.REPAIRED, Cause.REPAIRED)):
        alert = resolved(records, cause, day)
        made = settings.learn(NOW)
        assert settings.learn(NOW) == []
        factors.append(effective(settings.all(), POINT, Rule.LEAK).factor)
        assert [entry.why for entry in made] == ([] if cause is Cause.PLANNED else [f"{cause}: {alert.id}"])
    assert factors == [1.25, 1.25, 1.5625, 1.25, 1.0]
    records.keep("detectors/answered", "0")  # as if it was killed before it kept how far it was
    assert settings.learn(NOW) == []


def test_a_change_is_undone_once_and_not_over_a_later_one(records: SqlRecordStore) -> None:
    settings = RuleSettings(records)
    settings.set(AT_POINT)
    (first,) = settings.history(POINT)
    settings.set(setting(SettingScope.POINT, "w", factor=3.0))
    with pytest.raises(Conflict, match="changed again"):
        settings.undo(first.id, by="eva", now=NOW)
    (second, _) = settings.history(POINT)
    settings.undo(second.id, by="eva", now=NOW)
    assert effective(settings.all(), POINT, Rule.LEAK).factor == 1.5
    settings.undo(first.id, by="eva", now=NOW)
    assert settings.all() == []
    with pytest.raises(NotFound):
        settings.undo(10_000, by="eva", now=NOW)


def test_an_answer_that_was_undone_is_not_counted_again(records: SqlRecordStore) -> None:
    settings = RuleSettings(records)
    resolved(records, Cause.FALSE_ALARM, 0)
    settings.learn(NOW)
    settings.undo(settings.history(POINT)[0].id, by="eva", now=NOW)
    records.keep("detectors/answered", "0")
    assert settings.learn(NOW) == []
    assert settings.all() == []


def test_what_cannot_be_set_is_refused(records: SqlRecordStore) -> None:
    settings = RuleSettings(records)
    for wrong, said in (
        (
            RuleSetting(scope=SettingScope.POINT, key="w", rule="break", changed=NOW, by="eva", factor=2.0),
            "no threshold",
        ),
        (RuleSetting(scope=SettingScope.POINT, key="w", rule="louka", changed=NOW, by="eva"), "no rule"),
    ):
        with pytest.raises(InputError, match=said):
            settings.set(wrong)
    with pytest.raises(NotFound):
        settings.set(setting(SettingScope.POINT, "nobody", factor=2.0))
    assert settings.all() == []
