"""Readings as of an instant are those that the store gave at that instant, whatever came, was replaced or withdrawn."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.calendar import instant
from core.errors import Conflict
from core.readings import Readings, SeriesKey
from services.as_of import AsOfReadings, Import
from storage.duckdb_readings import DuckDBReadingStore

T0 = datetime(2026, 3, 1, tzinfo=UTC)
EVER = np.datetime64("2020-01-01", "us"), np.datetime64("2030-01-01", "us")
DAYS = st.integers(-400, 60)
BATCH = st.lists(st.tuples(st.integers(0, 2), DAYS, st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=6)
STEPS = st.lists(st.one_of(BATCH, st.just("undo")), min_size=2, max_size=5)
SALT = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBReadingStore]:
    opened = DuckDBReadingStore(Path(tmp_path_factory.mktemp("as-of")) / "readings.duckdb", lambda: T0)
    opened.start()
    yield opened
    opened.close()


def plain(readings: Readings) -> list[tuple[SeriesKey, str, float]]:
    columns = zip(readings.code.tolist(), readings.at.astype(str).tolist(), readings.value.tolist(), strict=True)
    return [(readings.series[code], at, value) for code, at, value in columns]


def answers(store: DuckDBReadingStore | AsOfReadings, keys: list[SeriesKey]) -> list[object]:
    middle = instant(T0 - timedelta(days=40))
    return [
        plain(store.read(keys, *EVER)),
        plain(store.neighbours(keys, middle, middle + np.timedelta64(5, "D"))),
        plain(store.latest(keys)),
        store.known([key.meter for key in keys]),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_what_was_known_at_each_step_is_told_after_all_of_them(store: DuckDBReadingStore, steps: list[object]) -> None:
    salt = next(SALT)
    keys = [SeriesKey(f"{salt}-{n}", "energy.import") for n in range(3)]
    seen: list[tuple[datetime, list[object]]] = []
    undone: list[Import] = []
    for n, step in enumerate(steps):
        now = T0 + timedelta(days=100 + n)
        source = f"import/{salt}-{n - 1}"
        if step == "undo":
            store.withdraw(source, keys, *EVER)
            undone.append(Import(source=source, undone=now, series=tuple(keys)))
        else:
            rows = list(step)  # type: ignore[call-overload]  # a batch
            codes, days, values = zip(*rows, strict=True)
            at = [instant(T0 + timedelta(days=day)) for day in days]
            source = f"import/{salt}-{n}" if n % 2 else "mqtt"
            store.write(Readings.of(keys, codes, at, values, received=[instant(now)] * len(rows), source=source))
        seen.append((now, answers(store, keys)))
    for at, known in seen:
        later = tuple(one for one in undone if one.undone > at)
        assert answers(AsOfReadings(store, at, later), keys) == known


def test_what_was_known_cannot_be_changed(store: DuckDBReadingStore) -> None:
    view = AsOfReadings(store, T0)
    key = SeriesKey("x", "energy.import")
    with pytest.raises(Conflict, match="cannot be changed any more"):
        view.write(Readings.of([key], [0], [instant(T0)], [1.0]))
    with pytest.raises(Conflict):
        view.withdraw("mqtt", [key], *EVER)
    assert view.known(["x"]) == ()
    assert len(view.latest([key])) == 0
