"""The embedded store under kills, full disks and second users."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from core.errors import StoreError, StoreInUse, StoreUnavailable
from core.readings import Readings, SeriesKey
from storage.duckdb_readings import DuckDBReadingStore

ROOT: Final = Path(__file__).parents[2]
EVER: Final = (np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us"))
T0: Final = np.datetime64("2026-01-01", "us")
KEYS: Final = [SeriesKey(f"m{n}", "energy.import") for n in range(20)]
BATCH: Final = 2_000

WRITER: Final = """
import sys
from pathlib import Path
from tests.integration.test_duckdb_faults import batch, opened
store = opened(Path(sys.argv[1]))
print("open", flush=True)
for n in range(int(sys.argv[2]), 10**6):
    store.write(batch(n))
    print(n, flush=True)
"""


def opened(path: Path) -> DuckDBReadingStore:
    store = DuckDBReadingStore(path, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    store.start()
    return store


def batch(number: int, *, rows: int = BATCH) -> Readings:
    """Return new readings of all meters, and a correction of the first of each from the batch before."""
    step = (number * rows + np.arange(rows)) // len(KEYS)
    at = T0 + step * np.timedelta64(1_000_000, "us")
    at[: len(KEYS)] -= np.timedelta64(1_000_000, "us")
    received = np.full(rows, T0 + np.timedelta64(number, "s"))
    return Readings.of(KEYS, np.arange(rows) % len(KEYS), at, np.arange(rows) + number * 0.5, received=received)


@pytest.mark.fault
def test_everything_reported_is_there_once_when_the_writer_is_killed(tmp_path: Path) -> None:
    path, expected = tmp_path / "r.duckdb", 0
    for kill_after in (3, 20, 7, 40):
        expected = run_and_kill(path, expected, kill_after)
        store = opened(path)
        found = store.read(KEYS, *EVER)
        whole = stored_batches(found)
        assert whole >= expected
        places = set(zip(found.code.tolist(), found.at.tolist(), strict=True))
        assert len(places) == len(found)
        told = store.touched()
        assert len(told.series) == len(KEYS)
        assert told.last.max() == found.at.max()
        expected = whole
        store.close()


def stored_batches(found: Readings) -> int:
    """Return how many batches are stored, each whole: none in part."""
    received, counts = np.unique(found.received, return_counts=True)
    assert (np.diff(received) == np.timedelta64(1, "s")).all()
    assert set(counts.tolist()) <= {BATCH, BATCH - len(KEYS)}  # the next batch corrects one reading of each meter
    return len(received)


def run_and_kill(path: Path, first: int, kill_after: int) -> int:
    """Let a process write batches from the first on, kill it, and return how many batches are written in all."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        for line in process.stdout:
            first = int(line) + 1
            kill_after -= 1
            if kill_after == 0:
                process.send_signal(signal.SIGKILL)
    return first


@pytest.mark.fault
def test_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StoreInUse, match=r"r\.duckdb"):
            opened(path)
        process.kill()


def test_second_store_of_one_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.duckdb"
    first = opened(path)
    with pytest.raises(StoreInUse, match=r"r\.duckdb"):
        opened(path)
    first.close()
    opened(path).close()


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.duckdb"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreError, match=r"r\.duckdb") as raised:
        opened(path)
    assert not isinstance(raised.value, StoreUnavailable)


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        opened(tmp_path / "file" / "r.duckdb")


FULL: Final = """
import resource, signal, sys
from pathlib import Path
from tests.integration.test_duckdb_faults import fill_and_recover, opened
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = opened(Path(sys.argv[1]))
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
fill_and_recover(store, full=lambda: limit(2_000_000), free=lambda: limit(resource.RLIM_INFINITY))
store.close()
"""


@pytest.mark.fault
def test_store_recovers_by_itself_when_files_may_grow_again(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: a write fails in the middle."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "r.duckdb")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault
def test_store_recovers_by_itself_when_the_disk_has_room_again(small_disk: Path) -> None:
    store, ballast = opened(small_disk / "r.duckdb"), small_disk / "ballast"

    def full() -> None:
        free = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * max(free.f_bavail * free.f_frsize - 1_500_000, 0))

    fill_and_recover(store, full=full, free=ballast.unlink)
    store.close()


def fill_and_recover(store: DuckDBReadingStore, *, full: Callable[[], None], free: Callable[[], None]) -> None:
    """Write until the disk is full, see the store unavailable, free the disk, and see all written once."""
    for n in range(5):
        store.write(batch(n))
    full()
    n, failed = 5, 0
    while failed < 3:
        try:
            store.write(batch(n))
            n += 1
            assert n < 1000, "the disk never filled"
        except StoreUnavailable:
            failed += 1
    free()
    store.ready()
    for more in range(n, n + 5):
        store.write(batch(more))
    found = store.read(KEYS, *EVER)
    assert stored_batches(found) == n + 5
    assert len(store.revisions(KEYS, *EVER)) == (n + 4) * len(KEYS)
    assert store.touched().last.max() == found.at.max()
