"""What every ReadingStore does, in DuckDB and in InfluxDB: the docstring of the port, sentence by sentence."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.calendar import NAT, Period
from core.errors import InputError, StoreUnavailable
from core.ports import ReadingStore
from core.readings import ARRAYS, Kind, Quality, Readings, SeriesKey, concat
from core.rollup import ROLLUP_ARRAYS, RollUp
from storage.duckdb_readings import DuckDBReadingStore
from tests.servers.influx import fresh_bucket, influx_store, server_arguments

A, B, C = (SeriesKey("elektro-1", "energy.import"), SeriesKey("voda-2", "volume.total"), SeriesKey("a", "power.total"))
T0 = np.datetime64("2026-03-01T00:00:00", "us")
EVER = (np.datetime64("1700-01-01", "us"), np.datetime64("2250-01-01", "us"))
Opener = Callable[[], ReadingStore]


def at(seconds: float) -> np.datetime64:
    return T0 + np.timedelta64(round(seconds * 1_000_000), "us")


def clock() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


def one(key: SeriesKey, second: float, value: float, *, received: float = 1e6, **more: object) -> Readings:
    return Readings.of([key], [0], [at(second)], [value], received=at(received), **more)  # type: ignore[arg-type]


def many(key: SeriesKey, seconds: list[float], values: list[float], *, received: float = 1e6) -> Readings:
    return Readings.of([key], [0] * len(values), [at(s) for s in seconds], values, received=at(received))


def rows(readings: Readings) -> list[tuple[object, ...]]:
    """Return readings as plain tuples, sources by name."""
    keys = [readings.series[c] for c in readings.code]
    names = [readings.sources[s] for s in readings.source]
    columns = [getattr(readings, name).tolist() for name in ("at", "value", "kind", "quality", "span_s", "received")]
    return list(zip(keys, *columns, names, strict=True))


def values(readings: Readings) -> list[float]:
    return list(readings.value.tolist())


@pytest.fixture(scope="module")
def influx_arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with server_arguments(tmp_path_factory.mktemp("influx")) as arguments:
        yield arguments


@pytest.fixture(params=["duckdb", pytest.param("influx", marks=pytest.mark.server)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Return what opens one and the same store, again and again."""
    if request.param == "duckdb":
        return lambda: DuckDBReadingStore(tmp_path / "readings.duckdb", clock)
    arguments = request.getfixturevalue("influx_arguments")
    bucket = fresh_bucket(arguments)
    return lambda: influx_store(arguments, bucket)


@pytest.fixture
def store(opener: Opener) -> Iterator[ReadingStore]:
    opened = opener()
    opened.start()
    yield opened
    opened.close()


def test_reading_comes_back_as_written(store: ReadingStore) -> None:
    written = one(
        A, 10, 123.456, kind=Kind.INTERVAL, quality=Quality.MANUAL | Quality.SUSPECT, span_s=900, source="ruční odečet"
    )
    store.write(written)
    assert rows(store.read([A], *EVER)) == rows(written)


def test_store_holds_one_when_the_same_reading_is_written_twice(store: ReadingStore) -> None:
    batch = many(A, [0, 900, 1800], [1, 2, 3])
    store.write(batch)
    store.write(batch)
    assert rows(store.read([A], *EVER)) == rows(batch)
    assert len(store.revisions([A], *EVER)) == 0


def test_redelivery_leaves_no_revision_and_the_first_arrival_when_it_says_the_same(store: ReadingStore) -> None:
    store.write(one(A, 0, 5, received=10))
    store.write(one(A, 0, 5, received=20))
    store.write(concat([one(A, 0, 5, received=40), one(A, 0, 5, received=30)]))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 5, received=10))
    assert len(store.revisions([A], *EVER)) == 0


def test_what_another_source_says_again_keeps_when_the_first_said_it(store: ReadingStore) -> None:
    store.write(one(A, 0, 5, received=10, source="import/1"))
    store.write(one(A, 0, 5, received=20, source="mqtt"))
    store.write(one(A, 0, 5, received=30, source="mqtt"))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 5, received=20, source="mqtt"))
    assert rows(store.revisions([A], *EVER)) == rows(one(A, 0, 5, received=10, source="import/1"))


def test_a_value_that_comes_back_is_as_of_when_it_came_back(store: ReadingStore) -> None:
    for received, value in ((10, 5), (20, 6), (30, 5), (40, 5)):
        store.write(one(A, 0, value, received=received))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 5, received=30))
    assert values(store.revisions([A], *EVER)) == [5, 6]


def test_later_received_wins_and_the_former_is_a_revision_when_they_differ(store: ReadingStore) -> None:
    store.write(one(A, 0, 5, received=10, source="mqtt"))
    store.write(one(A, 0, 6, received=20, source="oprava"))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 6, received=20, source="oprava"))
    assert rows(store.revisions([A], *EVER)) == rows(one(A, 0, 5, received=10, source="mqtt"))


def test_later_written_wins_when_received_at_the_same_time(store: ReadingStore) -> None:
    store.write(one(A, 0, 5, received=10))
    store.write(one(A, 0, 6, received=10))
    assert values(store.read([A], *EVER)) == [6]
    assert values(store.revisions([A], *EVER)) == [5]


def test_earlier_received_becomes_a_revision_when_it_comes_after(store: ReadingStore) -> None:
    store.write(one(A, 0, 6, received=20))
    store.write(one(A, 0, 5, received=10))
    store.write(one(A, 0, 5, received=10))
    assert values(store.read([A], *EVER)) == [6]
    assert rows(store.revisions([A], *EVER)) == rows(one(A, 0, 5, received=10))


@pytest.mark.parametrize("change", [{"kind": Kind.DELTA}, {"quality": Quality.CORRECTED}, {"span_s": 900}])
def test_former_is_a_revision_when_more_than_the_value_differs(store: ReadingStore, change: dict[str, int]) -> None:
    store.write(one(A, 0, 5, received=10))
    store.write(one(A, 0, 5, received=20, **change))
    assert rows(store.revisions([A], *EVER)) == rows(one(A, 0, 5, received=10))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 5, received=20, **change))


def test_overwriting_resets_every_column_when_the_former_had_more(store: ReadingStore) -> None:
    store.write(one(A, 0, 5, received=10, kind=Kind.INTERVAL, quality=Quality.SUSPECT, span_s=900, source="x"))
    store.write(one(A, 0, 6, received=20))
    assert rows(store.read([A], *EVER)) == rows(one(A, 0, 6, received=20))


def test_several_revisions_of_one_instant_are_kept_in_order_of_arrival(store: ReadingStore) -> None:
    for received, value in [(10, 1), (40, 4), (20, 2), (30, 3), (50, 5)]:
        store.write(one(A, 0, value, received=received))
    assert values(store.read([A], *EVER)) == [5]
    assert values(store.revisions([A], *EVER)) == [1, 2, 3, 4]


def test_last_received_wins_when_a_batch_says_an_instant_twice(store: ReadingStore) -> None:
    store.write(concat([one(A, 0, 2, received=20), one(A, 0, 1, received=10), one(A, 0, 1, received=5)]))
    assert values(store.read([A], *EVER)) == [2]
    assert rows(store.revisions([A], *EVER)) == rows(one(A, 0, 1, received=5))


def test_readings_come_by_series_as_asked_and_instant_when_written_in_disorder(store: ReadingStore) -> None:
    store.write(concat([many(A, [1800, 0, 900], [3, 1, 2]), many(B, [900, 0], [20, 10])]))
    store.write(concat([many(B, [450], [15]), many(A, [450], [1.5])]))
    found = store.read([B, C, A], *EVER)
    assert found.series == (B, C, A)
    assert found.code.tolist() == [0, 0, 0, 2, 2, 2, 2]
    assert values(found) == [10, 15, 20, 1, 1.5, 2, 3]


def test_read_takes_the_start_and_leaves_the_end(store: ReadingStore) -> None:
    store.write(many(A, [0, 900, 1800], [1, 2, 3]))
    assert values(store.read([A], at(0), at(1800))) == [1, 2]
    assert values(store.read([A], at(0.000001), at(1800.000001))) == [2, 3]
    assert len(store.read([A], at(5), at(5))) == 0
    assert len(store.read([], *EVER)) == 0


def test_revisions_take_the_start_and_leave_the_end(store: ReadingStore) -> None:
    store.write(many(A, [0, 900, 1800], [1, 2, 3], received=10))
    store.write(many(A, [0, 900, 1800], [4, 5, 6], received=20))
    assert values(store.revisions([A], at(0), at(1800))) == [1, 2]


def test_neighbours_are_the_last_before_and_the_first_from_the_end_on(store: ReadingStore) -> None:
    year = 365 * 86400
    store.write(concat([many(A, [-year, 0, 900, 1800, 2700], [0, 1, 2, 3, 4]), many(B, [2 * year], [9])]))
    assert values(store.neighbours([A], at(900), at(1800))) == [1, 3]
    assert values(store.neighbours([A, B, C], at(0), at(2700.5))) == [0, 9]
    assert values(store.neighbours([B, A], at(-year), at(2 * year))) == [9]
    assert len(store.neighbours([A], at(-2 * year), at(year))) == 0


def test_latest_is_the_newest_of_each_series(store: ReadingStore) -> None:
    store.write(concat([many(A, [900, 0], [2, 1]), many(B, [5], [7])]))
    store.write(many(A, [450], [1.5]))
    assert {key: value for key, _, value, *_ in rows(store.latest())} == {A: 2, B: 7}
    assert values(store.latest([B, C, A])) == [7, 2]
    assert len(store.latest([C])) == 0


def test_known_are_the_series_with_readings_in_order(store: ReadingStore) -> None:
    assert store.known() == ()
    other = SeriesKey("elektro-1", "energy.export")
    batch = concat([one(B, 0, 1), one(A, 0, 1), one(other, 0, 1)])
    store.write(replace(batch, series=(*batch.series, C)))
    assert store.known() == tuple(sorted([A, B, other]))
    assert store.known(["elektro-1", "nikdo"]) == tuple(sorted([A, other]))
    assert store.known([]) == ()


def test_instants_keep_their_microseconds(store: ReadingStore) -> None:
    seconds = [0.000001, 0.000002, 0.999999]
    store.write(many(A, seconds, [1, 2, 3], received=7.123457))
    found = store.read([A], *EVER)
    assert found.at.tolist() == [at(s).item() for s in seconds]
    assert found.received.tolist() == [at(7.123457).item()] * 3


@pytest.mark.parametrize("year", ["1700", "1969", "1970", "2064", "2200"])
def test_reading_is_kept_when_its_instant_is_far_away(store: ReadingStore, year: str) -> None:
    instant = np.datetime64(f"{year}-07-01T00:00:00.000001", "us")
    store.write(Readings.of([A], [0], [instant], [1.0], received=T0))
    assert store.read([A], *EVER).at.tolist() == [instant.item()]
    assert store.latest([A]).at.tolist() == [instant.item()]


def test_values_come_back_to_the_last_bit(store: ReadingStore) -> None:
    tricky = [0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e-9, 123456789.12345679, -273.15]
    tricky += [9007199254740993.0, 1e22, 1e23, -0.0, 4.35, 9e9, 1e16]
    store.write(many(A, list(range(len(tricky))), tricky))
    assert [v.hex() for v in values(store.read([A], *EVER))] == [v.hex() for v in tricky]


AWKWARD = [
    "kotelna č. 3, přízemí", "a=b", 'quo"te', "apo'strophe", "back\\slash", "end\\", "tab\tnew\nline\r", " lead",
    "trail ",
    "%25", "%", "", "#hash", "emoji 🔥", "meter,register=x value=1", "a;b", "$1", "' OR '1'='1", "\u00a0", "x" * 300,
    "\\,", "NULL", "/re.*/", "\x00\x7f", "a/b/c", "0012", "nan", "true", "1.0", "1e5", "\u2028",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
def test_series_is_found_again_when_its_name_is_awkward(store: ReadingStore, name: str) -> None:
    key, swapped = SeriesKey(name, "energy.import/t1"), SeriesKey("m", name or "r")
    written = concat([one(key, 0, 1.5, source=name), one(swapped, 1, 2.5, source=name), one(A, 2, 3.5)])
    store.write(written)
    store.write(written)
    assert rows(store.read([key, swapped, A], *EVER)) == rows(written)
    assert rows(store.read([swapped], *EVER)) == rows(written)[1:2]
    assert store.known() == tuple(sorted([key, swapped, A]))
    assert store.known([name]) == (key,)
    assert values(store.latest([key])) == [1.5]
    assert set(store.touched().series) == {key, swapped, A}


def test_awkward_names_stay_apart_when_together(store: ReadingStore) -> None:
    keys = [SeriesKey(name, "r") for name in AWKWARD]
    store.write(Readings.of(keys, np.arange(len(keys)), np.full(len(keys), T0), np.arange(len(keys)) + 0.5))
    assert values(store.read(keys, *EVER)) == [n + 0.5 for n in range(len(keys))]


def test_nothing_happens_when_an_empty_batch_is_written(store: ReadingStore) -> None:
    store.write(Readings.empty())
    store.write(Readings.of([A], [], [], []))
    assert store.known() == ()
    assert store.touched().series == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_batch_is_refused_whole_when_a_value_is_no_number(store: ReadingStore, value: float) -> None:
    with pytest.raises(InputError, match="elektro-1"):
        store.write(many(A, [0, 1], [1, value]))
    assert store.known() == ()


def test_batch_is_refused_when_an_instant_is_none(store: ReadingStore) -> None:
    with pytest.raises(InputError, match="elektro-1"):
        store.write(Readings.of([A], [0], [NAT], [1.0], received=T0))


def test_a_series_named_twice_is_one(store: ReadingStore) -> None:
    batch = Readings.of([A, B, A], [0, 2, 1], [T0, T0, T0], [1, 2, 3], received=[at(0), at(1), at(0)])
    store.write(batch)
    assert values(store.read([A, B, A], *EVER)) == [2, 3]


def covers(store: ReadingStore, after: str, key: SeriesKey, first: float, last: float) -> bool:
    told = store.touched(after)
    spans = {k: (f, t) for k, f, t in zip(told.series, told.first, told.last, strict=True)}
    return key in spans and spans[key][0] <= at(first) and spans[key][1] >= at(last)


def test_touched_tells_one_range_a_series(store: ReadingStore) -> None:
    store.write(many(A, [900, 1800], [1, 2]))
    store.write(concat([many(A, [-86400], [0]), one(B, 5, 1)]))
    assert covers(store, "", A, -86400, 1800)
    assert covers(store, "", B, 5, 5)
    assert len(store.touched().series) == 2


def test_touched_tells_what_was_written_since_a_token(store: ReadingStore) -> None:
    store.write(one(A, 0, 1))
    token = store.touched().token
    store.write(one(B, 86400, 1))
    store.write(one(A, 86400 * 7, 1))
    assert covers(store, token, B, 86400, 86400)
    assert covers(store, token, A, 86400 * 7, 86400 * 7)


def test_touched_gives_a_token_when_nothing_was_written(store: ReadingStore) -> None:
    empty = store.touched()
    assert empty.series == ()
    store.write(one(A, 0, 1))
    assert covers(store, empty.token, A, 0, 0)


def test_touched_tells_of_corrections(store: ReadingStore) -> None:
    store.write(many(A, [0, 86400 * 30], [1, 2], received=10))
    token = store.touched().token
    store.write(one(A, 3600, 7, received=20))
    assert covers(store, token, A, 3600, 3600)


def withdraw(store: ReadingStore, source: str, *keys: SeriesKey) -> int:
    return store.withdraw(source, keys or (A, B), *EVER)


def test_withdrawn_readings_are_gone_from_every_answer(store: ReadingStore) -> None:
    store.write(
        concat([one(A, 0, 1, source="mqtt"), one(A, 900, 2, source="import/1"), one(B, 5, 3, source="import/1")])
    )
    assert withdraw(store, "import/1") == 2
    assert values(store.read([A, B], *EVER)) == [1]
    assert values(store.latest()) == [1]
    assert values(store.latest([A, B])) == [1]
    assert store.known() == (A,)
    assert store.known([B.meter]) == ()
    assert values(store.neighbours([A, B], at(1000), at(2000))) == [1]
    assert values(store.neighbours([A, B], at(-20), at(-10))) == [1]
    assert len(store.revisions([A, B], *EVER)) == 0


def test_what_a_withdrawn_reading_replaced_comes_back_as_it_was(store: ReadingStore) -> None:
    former = one(A, 0, 5, received=10, source="mqtt", quality=Quality.SUSPECT)
    store.write(former)
    store.write(one(A, 0, 6, received=20, source="import/1"))
    assert withdraw(store, "import/1") == 1
    assert rows(store.read([A], *EVER)) == rows(former)
    assert len(store.revisions([A], *EVER)) == 0
    assert withdraw(store, "import/1") == 0


def test_the_last_received_of_other_sources_comes_back(store: ReadingStore) -> None:
    for received, value, source in ((10, 1, "mqtt"), (20, 2, "import/1"), (30, 3, "import/2"), (40, 4, "import/1")):
        store.write(one(A, 0, value, received=received, source=source))
    assert withdraw(store, "import/1") == 1
    assert values(store.read([A], *EVER)) == [3]
    assert values(store.revisions([A], *EVER)) == [1]
    assert withdraw(store, "import/2") == 1
    assert values(store.read([A], *EVER)) == [1]
    assert len(store.revisions([A], *EVER)) == 0


def test_a_revision_of_the_source_goes_and_the_reading_stays(store: ReadingStore) -> None:
    store.write(one(A, 0, 1, received=10, source="import/1"))
    store.write(one(A, 0, 2, received=20, source="mqtt"))
    assert withdraw(store, "import/1") == 0
    assert values(store.read([A], *EVER)) == [2]
    assert len(store.revisions([A], *EVER)) == 0


def test_withdrawing_keeps_to_its_series_and_span(store: ReadingStore) -> None:
    store.write(concat([replace(many(key, [0, 900, 1800], [1, 2, 3]), sources=("import/1",)) for key in (A, B)]))
    assert store.withdraw("import/1", [A], at(900), at(1800)) == 1
    assert values(store.read([A, B], *EVER)) == [1, 3, 1, 2, 3]
    assert store.withdraw("import/1", [C], *EVER) == 0
    assert store.withdraw("import/9", [A, B], *EVER) == 0


def test_a_withdrawn_reading_is_there_again_when_written_again(store: ReadingStore) -> None:
    batch = replace(many(A, [0, 900], [1, 2]), sources=("import/1",))
    store.write(batch)
    withdraw(store, "import/1")
    store.write(batch)
    assert rows(store.read([A], *EVER)) == rows(batch)
    assert values(store.latest([A])) == [2]
    assert len(store.revisions([A], *EVER)) == 0


def test_what_was_withdrawn_is_kept_aside(store: ReadingStore) -> None:
    for received, value, source in ((10, 1, "import/1"), (20, 2, "mqtt"), (30, 3, "import/1")):
        store.write(one(A, 0, value, received=received, source=source))
    store.write(one(B, 900, 7, source="import/1", quality=Quality.MANUAL))
    assert len(store.withdrawn([A, B], *EVER)) == 0
    withdraw(store, "import/1")
    assert values(store.withdrawn([A], *EVER)) == [1, 3]
    assert rows(store.withdrawn([B, C], *EVER)) == rows(one(B, 900, 7, source="import/1", quality=Quality.MANUAL))
    assert len(store.withdrawn([A, B], at(1), at(900))) == 0
    assert values(store.read([A, B], *EVER)) == [2]
    withdraw(store, "import/1")
    assert values(store.withdrawn([A, B], *EVER)) == [1, 3, 7]


def test_touched_tells_of_what_was_withdrawn(store: ReadingStore) -> None:
    store.write(many(A, [0, 86400 * 30], [1, 2]))
    store.write(one(A, 3600, 7, source="import/1"))
    token = store.touched().token
    withdraw(store, "import/1")
    assert covers(store, token, A, 3600, 3600)


def test_what_was_withdrawn_stays_away_when_the_store_is_opened_again(opener: Opener) -> None:
    first = opener()
    first.start()
    first.write(concat([one(A, 0, 1, source="mqtt"), one(A, 900, 2, source="import/1")]))
    withdraw(first, "import/1")
    first.close()
    again = opener()
    again.start()
    assert values(again.read([A], *EVER)) == [1]
    assert values(again.latest([A])) == [1]
    again.write(one(A, 900, 3, received=5, source="mqtt"))
    assert values(again.read([A], *EVER)) == [1, 3]
    again.close()


def test_everything_is_there_when_the_store_is_opened_again(opener: Opener) -> None:
    batch = concat([many(A, [0, 900], [1, 2], received=10), one(B, 5, 3, received=10)])
    first = opener()
    first.start()
    token = first.touched().token
    first.write(batch)
    first.close()
    again = opener()
    again.start()
    assert rows(again.read([A, B], *EVER)) == rows(batch)
    assert covers(again, token, A, 0, 900)
    again.write(many(A, [900, 1800], [2.5, 3], received=20))
    assert values(again.read([A], *EVER)) == [1, 2.5, 3]
    assert values(again.revisions([A], *EVER)) == [2]
    again.close()
    again.close()


def test_store_that_is_not_open_says_so(opener: Opener) -> None:
    closed = opener()
    with pytest.raises(StoreUnavailable):
        closed.ready()
    with pytest.raises(StoreUnavailable):
        closed.write(one(A, 0, 1))
    closed.start()
    closed.ready()
    closed.close()
    with pytest.raises(StoreUnavailable):
        closed.read([A], *EVER)


def rollup(keys: list[SeriesKey], periods: int, *, nano: int = 1, step_s: int = 3600, begin: float = 0) -> RollUp:
    n = len(keys) * periods
    start = T0 + np.timedelta64(int(begin), "s") + np.tile(np.arange(periods), len(keys)) * np.timedelta64(step_s, "s")
    nats = np.full(n, NAT)
    columns = {name: np.arange(n) * (place + 1) for place, name in enumerate(("missing_s", "estimated_s"))}
    return RollUp(
        series=tuple(keys),
        code=np.repeat(np.arange(len(keys), dtype=np.int32), periods),
        start=start.astype("datetime64[us]"),
        span_s=np.full(n, step_s),
        nano=np.arange(n) * 10**12 + nano,
        **columns,
        gap_until=np.where(np.arange(n) % 2 == 0, NAT, start),
        gap_since=nats,
        first_at=start.astype("datetime64[us]"),
        last_at=np.where(np.arange(n) % 3 == 0, NAT, start + np.timedelta64(1, "us")),
    )


def same(one_rollup: RollUp, other: RollUp) -> bool:
    return all(np.array_equal(getattr(one_rollup, n), getattr(other, n), equal_nan=n != "code") for n in ROLLUP_ARRAYS)


@pytest.mark.parametrize("grain", [Period.HOUR, Period.DAY])
def test_rollup_comes_back_as_written_with_instants_that_are_none(store: ReadingStore, grain: Period) -> None:
    written = rollup([A, B], 5)
    store.write_rollup(grain, written)
    assert same(store.read_rollup(grain, [A, B], *EVER), written)
    assert len(store.read_rollup(Period.DAY if grain is Period.HOUR else Period.HOUR, [A, B], *EVER)) == 0
    assert store.known() == ()


def test_rollup_comes_by_series_as_asked_in_the_half_open_range(store: ReadingStore) -> None:
    store.write_rollup(Period.HOUR, rollup([A, B], 5))
    found = store.read_rollup(Period.HOUR, [B, C, A], at(3600), at(3 * 3600))
    assert found.series == (B, C, A)
    assert found.code.tolist() == [0, 0, 2, 2]
    assert found.start.tolist() == [at(3600).item(), at(7200).item()] * 2


def test_rollup_takes_the_place_of_the_former(store: ReadingStore) -> None:
    store.write_rollup(Period.HOUR, rollup([A, B], 5))
    store.write_rollup(Period.HOUR, rollup([B, C], 4, nano=77, begin=2 * 3600))
    assert same(store.read_rollup(Period.HOUR, [A], *EVER), rollup([A, B], 5).of_series(A))
    found = store.read_rollup(Period.HOUR, [B], *EVER)
    assert found.start.tolist() == [at(3600 * n).item() for n in range(6)]
    assert (found.nano % 10**12).tolist() == [1, 1, 77, 77, 77, 77]
    assert np.isnat(found.last_at[2])
    assert len(store.read_rollup(Period.HOUR, [C], *EVER)) == 4


def test_rollup_keeps_large_and_negative_nanos(store: ReadingStore) -> None:
    extreme = replace(rollup([A], 3), nano=np.array([-(10**18), 9 * 10**18, -1]))
    store.write_rollup(Period.DAY, extreme)
    assert store.read_rollup(Period.DAY, [A], *EVER).nano.tolist() == extreme.nano.tolist()


def test_rollup_of_other_periods_is_refused(store: ReadingStore) -> None:
    with pytest.raises(InputError, match="month"):
        store.write_rollup(Period.MONTH, rollup([A], 1))
    with pytest.raises(InputError, match="month"):
        store.read_rollup(Period.MONTH, [A], *EVER)


def test_empty_rollup_changes_nothing(store: ReadingStore) -> None:
    store.write_rollup(Period.HOUR, RollUp.empty())
    assert len(store.read_rollup(Period.HOUR, [A], *EVER)) == 0


def test_readers_see_whole_batches_while_one_thread_writes(store: ReadingStore) -> None:
    """Each batch replaces all of a series: a reader sees one of them, whole, and never an error."""
    done, wrong = threading.Event(), []
    store.write(many(A, list(range(50)), [0.0] * 50, received=0))

    def watch() -> None:
        while not done.is_set():
            found = values(store.read([A], *EVER))
            if len(found) != 50:
                wrong.append(found)
            if len(store.latest([A])) != 1 or store.known() == () or store.touched().series == ():
                wrong.append(found)

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(1, 30):
        store.write(many(A, list(range(50)), [float(n)] * 50, received=n))
        store.write(one(SeriesKey(f"nový {n}", "r"), n, n))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(store.revisions([A], *EVER)) == 29 * 50


def test_nothing_is_lost_when_several_threads_write(store: ReadingStore) -> None:
    def write(thread: int) -> None:
        for n in range(10):
            store.write(concat([one(SeriesKey(f"m{thread}", "r"), n, n), one(SeriesKey(f"m{thread}.{n}", "r"), 0, n)]))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.known()) == 44
    assert [len(store.read([SeriesKey(f"m{n}", "r")], *EVER)) for n in range(4)] == [10] * 4


Row = tuple[int, int, float, int, int]
BATCHES = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 6), st.sampled_from([0.5, 1.5, 2.5]), st.integers(0, 5), st.integers(0, 1)
        ),
        max_size=12,
    ),
    max_size=6,
)


SALT = count()


class Model:
    """A store in plain dicts: of all at an instant, by arrival, the last wins; what differs from its next is kept.

    What is said again is one, as of its first arrival.
    """

    def __init__(self) -> None:
        self.stored: dict[tuple[int, int], tuple[float, int, int]] = {}
        self.revisions: set[tuple[int, int, float, int, int]] = set()

    def write(self, batch: list[Row]) -> None:
        said: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
        for series, second, value, received, kind in batch:
            said.setdefault((series, second), []).append((value, received, kind))
        for place, new in said.items():
            former_one = [self.stored[place]] if place in self.stored else []
            chain: list[tuple[float, int, int]] = []
            for one in sorted(former_one + new, key=lambda r: r[1]):
                if not chain or (chain[-1][0], chain[-1][2]) != (one[0], one[2]):  # else the first arrival stays
                    chain.append(one)
            self.revisions |= {(*place, *former) for former in chain[:-1]}
            self.stored[place] = chain[-1]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=BATCHES)
def test_store_equals_a_simple_model_under_any_batches(store: ReadingStore, batches: list[list[Row]]) -> None:
    salt = next(SALT)  # the examples share one store, not one series
    keys = [SeriesKey(f"{salt} {n}", "r") for n in range(3)]
    model = Model()
    for batch in batches:
        columns = list(zip(*batch, strict=True)) or [(), (), (), (), ()]
        store.write(
            Readings.of(
                keys,
                columns[0],
                [at(s) for s in columns[1]],
                columns[2],
                received=[at(s) for s in columns[3]] if batch else T0,
                kind=columns[4] if batch else 0,
            )
        )
        model.write(batch)
    found, former = store.read(keys, *EVER), store.revisions(keys, *EVER)
    expected = sorted((*place, *reading) for place, reading in model.stored.items())
    assert plain(found) == expected
    assert sorted(plain(former)) == sorted(model.revisions)
    assert store.known([key.meter for key in keys]) == tuple(sorted({keys[n] for n, _ in model.stored}))
    assert [len(getattr(found, name)) for name in ARRAYS] == [len(found)] * len(ARRAYS)


def plain(readings: Readings) -> list[tuple[int, int, float, int, int]]:
    seconds = (readings.at - T0).astype("m8[s]").astype(int).tolist()
    received = (readings.received - T0).astype("m8[s]").astype(int).tolist()
    return list(
        zip(readings.code.tolist(), seconds, readings.value.tolist(), received, readings.kind.tolist(), strict=True)
    )
