"""What a backup takes out of a store of readings is what it puts into another, of each kind into each."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.archive import ArchivedReadings
from core.calendar import NAT, Period
from core.ports import Touched
from core.readings import ARRAYS, Kind, Quality, Readings, SeriesKey, concat
from core.rollup import ROLLUP_ARRAYS, RollUp
from storage.backup_archive import Member
from storage.backup_readings import load_members, members, readings_of, rollup_of, touched_of
from storage.duckdb_readings import DuckDBReadingStore
from tests.servers.influx import fresh_bucket, influx_store, server_arguments

A, B, C = (SeriesKey("elektro, 1", "energy.import"), SeriesKey("voda=2", "volume.total"), SeriesKey("á", "power.total"))
ALL = (A, B, C)
T0 = np.datetime64("2021-03-01T00:00:00", "us")
EVER = (np.datetime64("1700-01-01", "us"), np.datetime64("2250-01-01", "us"))
Maker = Callable[[str], ArchivedReadings]


def clock() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def influx_arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with server_arguments(tmp_path_factory.mktemp("influx")) as arguments:
        yield arguments


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    """Return what makes an empty store of a kind."""
    opened: list[ArchivedReadings] = []

    def make(kind: str) -> ArchivedReadings:
        if kind == "duckdb":
            store: ArchivedReadings = DuckDBReadingStore(tmp_path / f"{len(opened)}.duckdb", clock)
        else:
            arguments = request.getfixturevalue("influx_arguments")
            store = influx_store(arguments, fresh_bucket(arguments))
        store.start()
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


kinds = pytest.mark.parametrize("kind", ["duckdb", pytest.param("influx", marks=pytest.mark.server)])
pairs = pytest.mark.parametrize(
    ("of", "into"),
    [
        ("duckdb", "duckdb"),
        pytest.param("duckdb", "influx", marks=pytest.mark.server),
        pytest.param("influx", "duckdb", marks=pytest.mark.server),
        pytest.param("influx", "influx", marks=pytest.mark.server),
    ],
)


def some(key: SeriesKey, seconds: list[float], values: list[float], *, received: float, **more: Any) -> Readings:  # noqa: ANN401 - columns
    at = [T0 + np.timedelta64(round(s * 1e6), "us") for s in seconds]
    came = T0 + np.timedelta64(round(received * 1e6), "us")
    return Readings.of([key], [0] * len(values), at, values, received=came, **more)


def fill(store: ArchivedReadings) -> None:
    """Write what makes a store hold all that it can: replaced, late, withdrawn and withdrawn to the last."""
    days = [day * 86_400.0 for day in range(-900, 900, 7)]
    store.write(some(A, days, [0.1 * n for n in range(len(days))], received=8e7, source="mqtt/native"))
    store.write(some(A, days[5:9], [1 / 3, 2 / 3, 1e-9, 9e9], received=9e7, source="ručně", quality=Quality.MANUAL))
    store.write(some(A, days[6:8], [0.25, 0.5], received=9.5e7, source="import/1"))
    store.write(some(A, days[7:8], [7.0], received=8.5e7, source="late"))
    store.write(some(B, [0, 900, 1800], [5.0, 6.0, 7.0], received=9e7, kind=Kind.INTERVAL, span_s=900, source="w"))
    store.write(some(C, [0.000001, 3600], [1.0, -2.5], received=9e7, kind=Kind.GAUGE, source="import/2"))
    store.withdraw("import/1", [A], *EVER)
    store.withdraw("import/2", [C], *EVER)
    hours = np.arange(3) * np.timedelta64(3600 * 10**6, "us") + T0
    for grain in (Period.HOUR, Period.DAY):
        store.write_rollup(grain, rollup(hours))


def rollup(starts: np.ndarray) -> RollUp:
    whole = np.arange(len(starts), dtype=np.int64)
    known = np.full(len(starts), NAT)
    known[0] = T0
    return RollUp(
        series=(A,),
        code=np.zeros(len(starts), np.int32),
        start=starts,
        span_s=np.full(len(starts), 3600),
        nano=whole * 10**17 + 1,
        missing_s=whole,
        estimated_s=3600 - whole,
        gap_until=known,
        gap_since=known[::-1],
        first_at=known,
        last_at=np.full(len(starts), NAT),
    )


def told(readings: Readings) -> list[tuple[object, ...]]:
    keys = [readings.series[c] for c in readings.code]
    names = [readings.sources[s] for s in readings.source]
    columns = [getattr(readings, n).tolist() for n in ("at", "value", "kind", "quality", "span_s", "received")]
    return list(zip(keys, *columns, names, strict=True))


def holds(store: ArchivedReadings) -> dict[str, object]:
    """Return all that a store holds, as plain values."""
    parts: dict[str, object] = {
        name: told(getattr(store, name)(ALL, *EVER)) for name in ("read", "revisions", "withdrawn")
    }
    for grain in (Period.HOUR, Period.DAY):
        got = store.read_rollup(grain, [A, B], *EVER)
        parts[grain] = [getattr(got, name).tolist() for name in ROLLUP_ARRAYS if name != "code"]
    return parts | {"known": store.known(), "latest": told(store.latest())}


def carry(archive: list[Member], into: ArchivedReadings) -> str:
    """Put an archive's members into a store; return the token to ask what was not heard of."""
    content = {member.name: member.content for member in archive}
    of_readings = [name for name in content if name.startswith("readings/")]
    assert sum(load_members(into, of_readings, lambda name: readings_of(content[name]))) > 0
    for grain in (Period.HOUR, Period.DAY):
        for name, part in content.items():
            if name.startswith(f"rollups/{grain}/"):
                into.write_rollup(grain, rollup_of(part))
    return into.loaded(touched_of(content["unheard/000001.parquet"]))


@pairs
def test_all_that_one_store_holds_is_in_the_other_to_the_last_digit(made: Maker, of: str, into: str) -> None:
    source, target = made(of), made(into)
    fill(source)
    expected = holds(source)
    assert len(expected["revisions"]) >= 4  # type: ignore[arg-type]
    assert len(expected["withdrawn"]) >= 4  # type: ignore[arg-type]
    carry(list(members(source, [""])), target)
    assert holds(target) == expected


@pairs
def test_what_comes_after_meets_the_loaded_as_it_met_the_former(made: Maker, of: str, into: str) -> None:
    source, target = made(of), made(into)
    fill(source)
    carry(list(members(source, [""])), target)
    for store in (source, target):
        store.write(some(A, [-900 * 86_400.0, 901 * 86_400.0], [77.0, 78.0], received=9.9e7, source="mqtt/native"))
        store.withdraw("ručně", [A], *EVER)
    assert holds(target) == holds(source)


@pairs
def test_what_was_written_since_a_token_is_told_by_the_other_store_and_all_to_who_never_asked(
    made: Maker, of: str, into: str
) -> None:
    source, target = made(of), made(into)
    fill(source)
    token = source.touched().token
    source.write(some(B, [86_400 * 400.0], [9.0], received=9.9e7))
    after = carry(list(members(source, [token])), target)
    heard = spans(target.touched(after))
    assert heard[B][0] <= T0 + np.timedelta64(400, "D") <= heard[B][1]
    assert spans(target.touched())[A][1] - spans(target.touched())[A][0] >= np.timedelta64(1700, "D")
    if of == into == "duckdb":
        assert set(heard) == {B}  # exact where the log is; a server's tells the last minute again
    after_that = target.touched(after).token
    target.write(some(A, [86_400 * 950.0], [99.0], received=9.95e7))
    assert A in spans(target.touched(after_that))


def spans(touched: Touched) -> dict[SeriesKey, tuple[np.datetime64, np.datetime64]]:
    return {k: (a, b) for k, a, b in zip(touched.series, touched.first, touched.last, strict=True)}


@kinds
def test_an_empty_store_has_no_extent_and_is_carried(made: Maker, kind: str) -> None:
    source, target = made(kind), made(kind)
    assert source.extent().series == source.rolled().series == ()
    archive = list(members(source, [""]))
    assert [member.name for member in archive] == ["unheard/000001.parquet"]
    target.loaded(touched_of(archive[0].content))
    assert target.touched().series == ()


@kinds
def test_extent_counts_a_series_that_was_withdrawn_to_the_last(made: Maker, kind: str) -> None:
    store = made(kind)
    store.write(some(C, [5.0], [1.0], received=9.0, source="import/2"))
    store.withdraw("import/2", [C], *EVER)
    found = store.extent()
    assert (store.known(), found.series) == ((), (C,))
    assert found.first <= T0 + np.timedelta64(5, "s") <= found.last


def test_spans_are_as_long_as_fill_a_member(made: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.backup_readings.ROWS", 1000)
    store = made("duckdb")
    dense = np.arange(20_000) * np.timedelta64(10**6, "us") + T0
    lone = Readings.of([B], [0, 0], [np.datetime64("1990-01-01"), np.datetime64("2100-01-01")], [1.0, 2.0])
    store.write(concat([Readings.of([A], np.zeros(20_000, int), dense, np.arange(20_000.0)), lone]))
    archive = [m for m in members(store, [""]) if m.name.startswith("readings/")]
    assert sum(m.rows for m in archive) == 20_002
    assert max(m.rows for m in archive[2:]) <= 2_500
    assert len(archive) < 60
    assert {name: readings_of(archive[1].content).__getattribute__(name).dtype for name in ARRAYS} == {
        name: getattr(lone, name).dtype for name in ARRAYS
    }
