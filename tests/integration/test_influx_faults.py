"""InfluxDB 1.6 going down, coming back, filling up and refusing: what the store says, and that nothing is lost."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from core.errors import StoreError, StoreUnavailable
from core.readings import Readings, SeriesKey
from storage import influx_select
from storage.influx_readings import InfluxReadingStore
from tests.servers.influx import influxdb
from tests.servers.process import ServerProcess, free_port, wait_until

pytestmark = [pytest.mark.server, pytest.mark.fault]

EVER: Final = (np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us"))
T0: Final = np.datetime64("2026-01-01", "us")
KEYS: Final = [SeriesKey(f"m{n}", "energy.import") for n in range(10)]


def batch(number: int, *, rows: int = 1000, received: int = 0) -> Readings:
    step = (number * rows + np.arange(rows)) // len(KEYS)
    at = T0 + step * np.timedelta64(1_000_000, "us")
    return Readings.of(KEYS, np.arange(rows) % len(KEYS), at, step + 0.25, received=T0 + np.timedelta64(received, "s"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    influx = influxdb(tmp_path)
    influx.start()
    yield influx
    influx.stop()


def opened(server: ServerProcess, bucket: str = "budovy a měřidla") -> InfluxReadingStore:
    store = InfluxReadingStore(f"http://127.0.0.1:{server.port}", bucket=bucket)
    store.start()
    return store


@pytest.fixture
def store(server: ServerProcess) -> Iterator[InfluxReadingStore]:
    opened_store = opened(server)
    yield opened_store
    opened_store.close()


def test_store_says_unavailable_when_the_server_is_down_and_goes_on_when_it_is_back(
    server: ServerProcess, store: InfluxReadingStore
) -> None:
    store.write(batch(0))
    token = store.touched().token
    server.kill()
    for act in (
        lambda: store.write(batch(1)),
        store.ready,
        store.latest,
        store.touched,
        lambda: store.read(KEYS, *EVER),
    ):
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1"):
            act()
    server.start()
    store.ready()
    store.write(batch(1))
    store.write(batch(1))
    assert store.read(KEYS, *EVER).value.sum() == batch(0).value.sum() + batch(1).value.sum()
    assert len(store.revisions(KEYS, *EVER)) == 0
    assert store.touched(token).last.max() >= batch(1).at.max()


def test_store_does_not_start_when_nothing_listens() -> None:
    lonely = InfluxReadingStore(f"http://127.0.0.1:{free_port()}", bucket="x")
    with pytest.raises(StoreUnavailable):
        lonely.start()
    with pytest.raises(StoreUnavailable):
        lonely.ready()
    lonely.close()


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_while_writing(
    server: ServerProcess, store: InfluxReadingStore
) -> None:
    written, stop, failures = [0], threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            try:
                store.write(batch(written[0]))
                written[0] += 1
            except StoreUnavailable as err:
                failures.append(str(err))
                stop.wait(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(3):
        goal = written[0] + 15
        wait_until(lambda goal=goal: written[0] >= goal, what="15 more batches")
        server.kill()
        server.start()
    goal = written[0] + 5
    wait_until(lambda: written[0] >= goal, what="5 more batches")
    stop.set()
    writer.join()
    server.kill()
    server.start()
    found = opened_and_read(server)
    expected = np.concatenate([batch(n).value for n in range(written[0])])
    assert len(found) == len(expected)
    assert found.value.sum() == expected.sum()
    assert failures


def opened_and_read(server: ServerProcess) -> Readings:
    again = opened(server)
    try:
        assert again.touched().last.max() == again.latest().at.max()
        assert len(again.revisions(KEYS, *EVER)) == 0
        return again.read(KEYS, *EVER)
    finally:
        again.close()


def test_store_says_error_with_the_servers_text_when_the_database_is_gone(
    server: ServerProcess, store: InfluxReadingStore
) -> None:
    store.write(batch(0))
    store._server._statement('DROP DATABASE "budovy a měřidla"')
    with pytest.raises(StoreError, match="database not found"):
        store.write(batch(1))
    with pytest.raises(StoreError, match="database not found") as raised:
        store.read(KEYS, *EVER)
    assert not isinstance(raised.value, StoreUnavailable)
    again = opened(server)  # a restart makes it anew
    assert len(again.read(KEYS, *EVER)) == 0
    again.close()


def test_a_database_that_deletes_readings_is_refused_with_what_mends_it(
    server: ServerProcess, store: InfluxReadingStore
) -> None:
    store.write(batch(0))
    store._server._statement('ALTER RETENTION POLICY "autogen" ON "budovy a měřidla" DURATION 3650d')
    with pytest.raises(StoreError, match=r"deletes readings after 87600h0m0s; let it keep them: ALTER") as raised:
        opened(server)
    store._server._statement(str(raised.value).partition("let it keep them: ")[2])
    again = opened(server)
    assert len(again.read(KEYS, *EVER)) == 1000
    again.close()


def test_partial_write_is_seen_when_another_program_wrote_texts(store: InfluxReadingStore) -> None:
    stamp = T0.astype(np.int64)
    store._server.write([f'reading,meter=other,register=energy.import value="text" {stamp}'])
    with pytest.raises(StoreError, match="type conflict") as raised:
        store.write(batch(0))
    assert not isinstance(raised.value, StoreUnavailable)


def test_answer_that_was_cut_short_is_no_answer(store: InfluxReadingStore) -> None:
    store._server._statement("DROP MEASUREMENT probe")
    with pytest.raises(StoreUnavailable, match="cut short"):
        store.read(KEYS, *EVER)
    assert len(store.read(KEYS, *EVER)) == 0  # the probe is back


def test_long_reads_come_in_pages(store: InfluxReadingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        store.write(batch(n, rows=330))
    store.write(batch(1, rows=330, received=5))
    for received in range(10, 22):  # many revisions of one instant, more than a page holds
        value = [float(received)]
        store.write(Readings.of(KEYS[:1], [0], [T0], value, received=T0 + np.timedelta64(received, "s")))
    whole, former = store.read(KEYS, *EVER), store.revisions(KEYS, *EVER)
    monkeypatch.setattr(influx_select, "ROWS", 13)
    monkeypatch.setattr(influx_select, "SERIES", 3)
    paged, paged_former = store.read(KEYS, *EVER), store.revisions(KEYS, *EVER)
    assert len(whole) == 990
    assert len(former) == 12
    for name in ("code", "at", "value", "received"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(paged, name))
        np.testing.assert_array_equal(getattr(former, name), getattr(paged_former, name))


def test_correction_by_a_second_process_keeps_the_former(server: ServerProcess, store: InfluxReadingStore) -> None:
    """A store that was opened before a series existed looks it up before it takes it as new."""
    other = opened(server)
    store.write(batch(0, rows=10))
    correction = Readings.of(KEYS[:1], [0], [T0], [99.0], received=T0 + np.timedelta64(9, "s"), source="ruční")
    other.write(correction)
    assert store.read(KEYS[:1], *EVER).value.tolist() == [99.0]
    assert store.read(KEYS[:1], *EVER).sources == ("ruční",)
    assert store.revisions(KEYS, *EVER).value.tolist() == [0.25]
    other.close()


def test_touched_falls_quiet_when_nothing_is_written_any_more(store: InfluxReadingStore) -> None:
    store.write(batch(0))
    told = store.touched("1")
    later = int(told.token) + 61_000_000
    assert len(told.series) == len(KEYS)
    assert store.touched(str(later)).series == ()


def test_late_readings_far_apart_are_compared_each_at_its_place(store: InfluxReadingStore) -> None:
    days = [0, 300, 1, 200, 250, *range(400, 460, 2)]
    at = T0 + np.array(days) * np.timedelta64(86_400_000_000, "us")
    first = Readings.of(KEYS[:1], np.zeros(len(at), int), at, np.arange(len(at)), received=T0)
    store.write(first)
    store.write(Readings.of(KEYS[:1], np.zeros(len(at), int), at, np.arange(len(at)) + 0.5, received=T0))
    assert len(store.revisions(KEYS, *EVER)) == len(days)
    assert len(store.read(KEYS, *EVER)) == len(days)


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Give a server on a file system of 40 MB, most of which is taken up by a file `ballast`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    influx = influxdb(folder)
    (folder / "ballast").write_bytes(b"x" * 36_000_000)
    influx.start()
    yield influx
    influx.stop()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_is_unavailable_and_nothing_is_lost_when_the_server_has_room_and_is_started_again(
    small_server: ServerProcess,
) -> None:
    server, store = small_server, opened(small_server)
    n, failed = 0, 0
    while failed < 3:
        try:
            store.write(batch(n, rows=5000))
            n += 1
            assert n < 500, "the disk never filled"
        except StoreUnavailable:
            failed += 1
    (server.folder / "ballast").unlink()
    server.kill()  # InfluxDB 1.6 takes no more into a log that it could not write to, before it is started again
    server.start()
    store.ready()
    for more in range(n, n + 3):
        store.write(batch(more, rows=5000))
    server.kill()
    server.start()
    found = store.read(KEYS, *EVER)
    assert len(found) == (n + 3) * 5000
    assert len(store.revisions(KEYS, *EVER)) == 0
    store.close()
