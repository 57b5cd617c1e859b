"""Ids, topics and names that want to be a query: every adapter keeps them as they are, and the neighbour's data too.

One store of each kind holds all of them at once, so that a name which leaks into a query is seen beside the others.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pytest

from core.alerts import AlertFilter
from core.calendar import Period
from core.errors import NotFound
from core.notes import DeadLetter, Description, InboxItem
from core.ports import ReadingStore, RecordStore
from core.readings import Readings, SeriesKey, concat
from core.registry import Building, Organisation
from core.rollup import ROLLUP_ARRAYS, RollUp
from storage.duckdb_readings import DuckDBReadingStore
from tests.servers.influx import fresh_bucket, influx_store, server_arguments

NAMES: Final = (
    "'; DROP TABLE readings; --",
    "'; DROP MEASUREMENT reading; --",
    '" OR 1=1 --',
    "' OR '1'='1",
    "' OR meter =~ /.*/",
    "/.*/",
    "%",
    "_",
    "neighbou%",
    "\\",
    "a\\",
    "a\\'b",
    "'",
    '"',
    '""',
    "a\nreading,meter=neighbour,register=energy.import value=666 1767225600000000",
    "a b,c=d e",
    "a,meter=neighbour",
    '") |> drop()',
    '") |> yield() //',
    "${jndi:ldap://x}",
    "$1",
    ":name",
    "?",
    "{0}",
    "%(name)s",
    "%s",
    "\u017d",
    "Z\u030c",
    "💧",
    "\u202egro",
    "a\r\n",
    "a\t",
    "#",
    "--",
    "/*",
    "*",
    "../../etc/passwd",
)  # fmt: skip
NEIGHBOUR: Final = SeriesKey("neighbour", "energy.import")
T0 = np.datetime64("2026-01-01", "us")
EVER = (np.datetime64("2020-01-01", "us"), np.datetime64("2030-01-01", "us"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS: Final = tuple(
    dict.fromkeys(k for n in NAMES for k in (SeriesKey(n, "energy.import"), SeriesKey("m", n), SeriesKey(n, n)))
)


def reading(key: SeriesKey, value: float, source: str = "mqtt", second: int = 0) -> Readings:
    at = T0 + np.timedelta64(second, "s")
    return Readings.of([key], [0], [at], [value], received=[at], source=source)


@pytest.fixture(scope="module", params=["duckdb", pytest.param("influx", marks=pytest.mark.server)])
def readings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingStore]:
    folder = tmp_path_factory.mktemp("hostile")
    if request.param == "duckdb":
        yield from _filled(DuckDBReadingStore(folder / "readings.duckdb", lambda: NOW))
        return
    with server_arguments(folder) as arguments:
        yield from _filled(influx_store(arguments, fresh_bucket(arguments)))


def _filled(store: ReadingStore) -> Iterator[ReadingStore]:
    store.start()
    store.write(reading(NEIGHBOUR, -1.0))
    batch = [reading(key, float(n), source=key.register, second=n) for n, key in enumerate(KEYS)]
    store.write(concat(batch))
    yield store
    store.close()


def test_each_series_is_read_under_its_own_name_and_no_other(readings: ReadingStore) -> None:
    found = {key: readings.read([key], *EVER) for key in KEYS}
    assert {key: r.value.tolist() for key, r in found.items()} == {key: [float(n)] for n, key in enumerate(KEYS)}
    assert all(r.sources[r.source[0]] == key.register for key, r in found.items())
    together = readings.read(KEYS, *EVER)
    assert sorted(together.value.tolist()) == [float(n) for n in range(len(KEYS))]


def test_every_other_question_keeps_to_the_names_that_it_is_asked(readings: ReadingStore) -> None:
    assert set(readings.known()) == {*KEYS, NEIGHBOUR}
    for n, key in list(enumerate(KEYS))[::3]:
        latest = readings.latest([key])
        assert latest.value.tolist() == [float(n)]
        assert set(latest.series) == {key}
        assert len(readings.revisions([key], *EVER)) == 0
    assert len(readings.read([SeriesKey(name, "none") for name in NAMES], *EVER)) == 0


def test_withdrawing_by_a_hostile_source_takes_only_its_own(readings: ReadingStore) -> None:
    key = SeriesKey("withdrawn", "energy.import")
    for n, name in enumerate(NAMES[:12]):
        readings.write(reading(key, float(n), source=f"import/{name}", second=n))
    for n, name in enumerate(NAMES[:12]):
        assert readings.withdraw(f"import/{name}", [key], *EVER) == 1
        assert len(readings.read([key], *EVER)) == 11 - n
    assert readings.read([NEIGHBOUR], *EVER).value.tolist() == [-1.0]
    assert len(readings.read(KEYS, *EVER)) == len(KEYS)


def test_rollups_of_hostile_names_stay_apart(readings: ReadingStore) -> None:
    some = [NEIGHBOUR, *KEYS[::4]]
    made = RollUp.empty()
    given: dict[str, Any] = {name: np.zeros(len(some), getattr(made, name).dtype) for name in ROLLUP_ARRAYS}
    given |= {"code": np.arange(len(some), dtype=np.int32), "start": np.full(len(some), T0)}
    readings.write_rollup(Period.DAY, RollUp(series=tuple(some), **given))
    for key in some:
        assert len(readings.read_rollup(Period.DAY, [key], *EVER)) == 1


def _records(store: RecordStore) -> None:
    here = [name for name in NAMES if name.strip()]
    store.save([Organisation(id="neighbour", name="Soused")], by="test", now=NOW)
    store.save([Organisation(id=f"o{n}", name=name) for n, name in enumerate(here)], by="test", now=NOW)
    store.keep_letters([DeadLetter(topic=name, payload=b"x", reason=name, detail=name, received=NOW) for name in NAMES])
    seen = {"first_seen": NOW - timedelta(days=1), "last_seen": NOW, "count": 1, "last_value": 1.0}
    store.see([InboxItem(device=name, register=name, unit=name, topic=name, **seen) for name in [*NAMES, "neighbour"]])
    store.keep_descriptions([Description(profile=name, topic=name, payload=b"x", seen=NOW) for name in NAMES])
    for n, name in enumerate(NAMES):
        store.keep(name, str(n))
        store.save([Building(id=f"b{n}", organisation="neighbour", name="x")], by=name, now=NOW, why=name)


def test_records_are_kept_and_asked_for_under_any_text(store: RecordStore) -> None:
    _records(store)
    told = {o.id: o.name for o in store.find(Organisation)}
    assert told == {"neighbour": "Soused", **{f"o{n}": name for n, name in enumerate(NAMES)}}
    for n, name in enumerate(NAMES):
        assert store.kept(name) == str(n)
        assert [(x.topic, x.reason) for x in store.letters(topic=name)] == [(name, name)]
        assert [x.topic for x in store.letters(reason=name)] == [name]
        assert [(e.key, e.why) for e in store.audit(by=name)] == [(f"b{n}", name)]
        assert store.find(Building, where={"organisation": name}) == []
        assert store.findings(points=[name]) == []
        assert store.alerts(AlertFilter(buildings=(name,), rules=(name,), assignee=name)) == []
        with pytest.raises(NotFound):
            store.get(Building, name)
    assert {d.topic for d in store.descriptions()} == set(NAMES)


def test_one_of_hostile_devices_leaves_the_inbox_alone(store: RecordStore) -> None:
    _records(store)
    waiting = {item.device for item in store.inbox()}
    assert waiting == {*NAMES, "neighbour"}
    for n, name in enumerate(NAMES, 1):
        store.leave_inbox([name])
        assert len({item.device for item in store.inbox()}) == len(waiting) - n
    assert [item.device for item in store.inbox()] == ["neighbour"]
