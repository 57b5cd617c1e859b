"""S1, S2, S3 and values by hand: remote reading, completeness, leaks caught, what guarantors entered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.alerts import Alert, Severity, State, Subject
from core.calendar import Instants, instant
from core.errors import TimeError
from core.indicators import Amount, Scope, Value, ValueStatus
from core.readings import Quality, Readings, SeriesKey
from core.registry import Commodity, Meter, Point
from services.indicator_sources import HeardReadings
from services.indicators import HandValue, Inputs
from storage.duckdb_readings import DuckDBReadingStore
from tests.unit.indicator_world import (
    DAY,
    INDICATORS,
    NOW,
    REGION,
    Held,
    World,
    amounts,
    building,
    codes,
    flat,
    shares,
)


def main(value: Value) -> float:
    found = value.amounts[0].value
    assert found is not None
    return found


# Remote reading


def heard(*remote: str, since: str = "2000-01-01") -> object:
    def told(points: Sequence[Point], at: Instants) -> np.ndarray:
        return np.array([[p.id in remote and end > np.datetime64(since) for end in at] for p in points], bool)

    return told


def test_remote_reading_is_a_share_of_energy_and_of_whole_buildings() -> None:
    afar = "A-el", "A-gas", "A-water", "B-el"
    found = World(more={"heard": heard(*afar)}).year("S1", 2025)
    assert found.amount("consumption").value == pytest.approx(100 * 350 / 437)
    assert found.amount("buildings").value == pytest.approx(100 / 3)
    assert sum(v or 0.0 for v in shares(found, "buildings", "building").values()) == pytest.approx(100 / 3)
    assert codes(World().year("S1", 2025)) == ["no_sources"]


def test_months_before_a_meter_is_read_from_afar_count_as_read_by_hand() -> None:
    found = World(more={"heard": heard("C-el", since="2025-07-15")}).year("S1", 2025, building("C"))
    assert found.amount("consumption").value == pytest.approx(100 * 184 / 365)
    assert found.amount("buildings").value == 0.0


def test_readings_tell_whether_they_came_from_afar(tmp_path: Path) -> None:
    store = DuckDBReadingStore(tmp_path / "readings.duckdb", lambda: NOW)
    store.start()
    at = [instant(datetime(2025, m, 28, tzinfo=UTC)) for m in (1, 2, 3)]
    for device, source, quality in (("far", "mqtt", 0), ("file", "import/17", 0), ("hand", "api/eva", Quality.MANUAL)):
        key = SeriesKey(device, "energy.total")
        store.write(Readings.of([key], [0, 0], at[:2], [1.0, 2.0], source=source, quality=quality))
    since = datetime(2025, 1, 1, tzinfo=UTC)
    points = [Point(id=d, building="A", name=d, commodity=Commodity.HEAT) for d in ("far", "file", "hand", "none")]
    meters = [Meter(id=p.id, point=p.id, device=p.id, mounted=since) for p in points]
    asked = np.array([at[0] - np.timedelta64(1, "D"), at[0] + np.timedelta64(1, "D"), at[2] + np.timedelta64(9, "D")])
    told = HeardReadings(readings=store, register=Held([*points, *meters]))(points, asked)
    store.close()
    assert told.tolist() == [[False, True, False], *[[False] * 3] * 3]


# Completeness


def test_completeness_is_of_the_time_of_all_points() -> None:
    world = World(amounts=amounts(), estimated={"B-heat": flat(1.0)})
    world.amounts["A-water"] = np.where(np.datetime64("2025-07-02") > DAY, np.nan, 3.0)
    found = world.year("S2", 2025)
    assert main(found) == pytest.approx(100 * (1 - (1 + 182 / 365) / 7), rel=1e-4)
    assert found.amount("estimated").value == pytest.approx(100 / 7)
    assert found.amount("missing").value == pytest.approx(100 * 182 / 365 / 7, rel=1e-3)
    assert (found.status, codes(found)) == (ValueStatus.FINAL, ["points_lack"])
    assert sum(v or 0.0 for v in shares(found, "measured", "building").values()) == pytest.approx(main(found))


# Leaks


def leak(key: str, day: str, **more: object) -> Alert:
    opened = datetime.fromisoformat(day).replace(tzinfo=UTC)
    given: dict[str, object] = {
        "id": key,
        "key": key,
        "rule": "leak",
        "kind": Subject.POINT,
        "subject": "A-water",
        "building": "A",
        "state": State.RESOLVED,
        "severity": Severity.HIGH,
        "opened_at": opened,
        "changed_at": opened,
        "at_from": opened - timedelta(days=1),
        "seen_to": opened + timedelta(days=3),
        "loss_per_day": 2.0,
        "unit": "m³",
        "acknowledged_at": opened + timedelta(hours=5),
        "ended_at": opened + timedelta(days=3),
        "cause": "repaired",
    }
    return Alert(**{**given, **more})  # type: ignore[arg-type]


def test_leaks_are_counted_with_the_answer_and_the_loss() -> None:
    alerts = (
        leak("a", "2025-03-01"),
        leak("b", "2025-05-01", acknowledged_at=None),
        leak("false", "2025-05-02", cause="false_alarm"),
        leak("meter", "2025-05-02", cause="meter_replaced"),
        leak("gas", "2025-05-02", subject="A-gas"),
        leak("part", "2025-05-02", part_of="a"),
        leak("early", "2024-12-31"),
        leak("other", "2025-05-02", rule="dead"),
    )
    found = World(alerts=alerts).year("S3", 2025)
    assert [a.value for a in found.amounts] == [2.0, pytest.approx((5 + 72) / 2), pytest.approx(16.0)]
    assert {p.key for p in found.parts} == {"a", "b"}
    assert found.status is ValueStatus.FINAL
    assert World(alerts=alerts).year("S3", 2025, building("B")).amounts[0].value == 0.0


def test_what_came_after_the_cut_off_is_not_known() -> None:
    world = World(alerts=(leak("a", "2025-03-01"), leak("b", "2025-03-20")), cutoff=datetime(2025, 3, 1, 3, tzinfo=UTC))
    found = world.year("S3", 2025)
    assert [a.value for a in found.amounts] == [1.0, None, pytest.approx(2.0 * 27 / 24)]
    assert {"no_reaction"} <= set(codes(found))


# By hand


class Told:
    def value(self, indicator: str, scope: Scope, first: date, end: date) -> HandValue | None:
        if (indicator, scope, first, end) != ("P2", REGION, date(2025, 1, 1), date(2026, 1, 1)):
            return None
        return HandValue(amounts=(Amount(figure="people", value=42.0),), comment="dvě školení", final=False)


def test_a_value_by_hand_is_what_was_entered() -> None:
    world = World(more={"hand": Told()})
    found = world.year("P2", 2025)
    assert (main(found), found.method, found.note, found.status) == (
        42.0,
        "hand",
        "dvě školení",
        ValueStatus.PROVISIONAL,
    )
    none = world.year("P2", 2024)
    assert (none.amounts[0].value, none.status, codes(none)) == (None, ValueStatus.UNKNOWN, ["not_delivered"])


def test_every_shipped_indicator_is_told_or_says_why_not() -> None:
    world = World()
    for key in INDICATORS:
        found = world.year(key, 2025)
        assert (found.amounts[0].value is None) == (found.status is ValueStatus.UNKNOWN)
        assert found.amounts[0].value is not None or found.reasons
        assert [a.figure for a in found.amounts] == [f.key for f in INDICATORS[key].figures]


def test_a_future_span_is_unknown_or_nothing_and_never_final() -> None:
    world = World(cutoff=datetime(2025, 1, 5, tzinfo=UTC))
    for key in INDICATORS:
        assert world.year(key, 2026).status is not ValueStatus.FINAL


def test_a_cut_off_without_an_offset_is_refused() -> None:
    with pytest.raises(TimeError, match="no offset"):
        replace(World().inputs(), cutoff=datetime(2025, 1, 1))  # noqa: DTZ001 - that is what is refused
    assert isinstance(World().inputs(), Inputs)
