"""Readings in InfluxDB 1.x, 2.x or 3.x: several processes and machines, and past one, a distributed server."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from core.archive import Extent, Kept
from core.calendar import Bools, Longs, Period, micros
from core.ports import Touched
from core.readings import Codes, Readings, SeriesKey, concat
from core.rollup import RollUp
from storage import influx_backup as backup
from storage.influx_lines import WITHDRAWN, condition, quoted, reading_lines, revision_lines
from storage.influx_origins import Origins
from storage.influx_revisions import FIELDS, SLOTTED, keep, revised
from storage.influx_rollups import read_rollup, write_rollup
from storage.influx_select import KEYED, SERIES, Page, joined, keys_of, nanoseconds, only, rows
from storage.influx_server import InfluxServer
from storage.influx_touched import TouchedPoints
from storage.readings_index import ranges
from storage.readings_merge import checked, merge

SLICE: Final = 20_000
"""Readings a step: what was logged as touched is written within seconds, inside the overlap of the log."""

APART_US: Final = 6 * 3_600_000_000
"""Late readings farther apart than this are compared with what is stored by separate queries."""

CLUSTERS: Final = 20
_PRESENT: Final = f"origin != {WITHDRAWN.number}"
_NEVER: Final = int(np.iinfo(np.int64).min)


class InfluxReadingStore:
    """A ReadingStore on an InfluxDB server.

    Measurements: `reading` (tags meter, register; fields value, received [us], origin: the number of a point of
    `origin`, which says kind, quality, span and source), `revision` and `withdrawn` (the same with a tag slot),
    `touched`, `hourly`, `daily`. InfluxDB puts a point in the place of the one of the same series and time, so writing
    again leaves one.
    Revisions are seen against the newest instant of each series that this process knows: where two processes write
    the same instants of one series, the later one wins but the former may not be kept as a revision.
    """

    def __init__(
        self,
        url: str,
        *,
        bucket: str,
        org: str = "",
        token: str = "",
        username: str = "",
        password: str = "",
        api: str = "auto",
        gzip: bool = False,
        timeout_s: float = 10.0,
    ) -> None:
        self._server = InfluxServer(
            url,
            bucket=bucket,
            org=org,
            token=token,
            username=username,
            password=password,
            api=api,
            gzip=gzip,
            timeout_s=timeout_s,
        )
        self._writing = threading.Lock()
        self._writing_rollups = threading.Lock()
        self._last: dict[SeriesKey, int] = {}
        self._origins = Origins(self._server)
        self._touched = TouchedPoints(self._server)
        self._doubtful = False

    def start(self) -> None:
        """Connect; raise StoreUnavailable where the server does not answer."""
        self._server.start()
        self._last = self._newest()
        self._origins.load()

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def ready(self) -> None:
        """Return if a write would be taken; after a failed one a small one is tried."""
        if self._doubtful:
            self._server.probe()
            self._doubtful = False
        else:
            self._server.ping()

    def write(self, readings: Readings) -> None:
        """Store the readings; where a part fails, all of them can be written again."""
        if not len(readings):
            return
        batch = checked(readings)
        with self._writing:
            for first in range(0, len(batch), SLICE):
                self._write(batch.take(np.arange(first, min(first + SLICE, len(batch)))))

    def _write(self, batch: Readings) -> None:
        try:
            last = self._last_known(batch.series)
            stored = self._stored(batch, micros(batch.at) <= last[batch.code])
            # what a full disk refused shows in reads, and is lost at the server's next start: never skip it
            merged = merge(stored, batch, skip_same=False)
            if len(merged.written) or len(merged.revisions):
                written = ranges(batch.code, batch.at)
                keys = [batch.series[c] for c in written.series.tolist()]
                self._touched.log(keys, written.first, written.last)
                keep(self._server, merged.revisions, self._origins.numbers(merged.revisions))
                self._server.write(reading_lines(merged.written, self._origins.numbers(merged.written)))
                for key, newest in zip(keys, written.last.tolist(), strict=True):
                    self._last[key] = max(self._last[key], newest)
        except BaseException:
            self._doubtful = True
            for key in batch.series:  # some of them may be stored: they are looked up before the next write
                self._last.pop(key, None)
            raise

    def _last_known(self, series: Sequence[SeriesKey]) -> Longs:
        """Return the newest stored instant of each series; a series not heard of is looked up in the store."""
        unknown = [key for key in series if key not in self._last]
        if unknown:
            found = {}
            for first in range(0, len(unknown), SERIES):
                found.update(self._newest(condition(unknown[first : first + SERIES])))
            self._last.update({**dict.fromkeys(unknown, _NEVER), **found})
        return np.array([self._last[key] for key in series], np.int64)

    def _newest(self, where: str = "") -> dict[SeriesKey, int]:
        """Return the newest instant [us] of the series that a condition chooses (none: of all)."""
        chosen = f" WHERE {where}" if where else ""
        answer = self._server.query(
            f"SELECT last(value) AS value, meter, register, origin FROM reading{chosen} GROUP BY meter, register",  # noqa: S608 - names of ours; values are bound or checked
            {**KEYED, "origin": FIELDS["origin"]},
        )
        keys, code = keys_of(answer)
        times = dict(zip((keys[c] for c in code.tolist()), answer.columns["time"].tolist(), strict=True))
        gone = answer.columns["origin"] == WITHDRAWN.number
        if gone.any() and _PRESENT not in where:
            marked = [keys[c] for c in code[gone].tolist()]
            for key in marked:
                del times[key]
            for first in range(0, len(marked), SERIES):
                times.update(self._newest(f"{condition(marked[first : first + SERIES])} AND {_PRESENT}"))
        return times

    def _stored(self, batch: Readings, doubtful: Bools) -> Readings:
        """Return what is stored in the span of the doubtful readings, coded as the batch."""
        if not doubtful.any():
            return Readings.empty()
        at, code = micros(batch.at[doubtful]), batch.code[doubtful]
        return concat(self._between(batch.series, code[near], at[near]) for near in _clusters(at))

    def _between(self, series: tuple[SeriesKey, ...], code: Codes, at: Longs) -> Readings:
        """Return the stored readings of these series from the first to the last instant, coded as `series`."""
        used = np.unique(code)
        span_us = int(at.min()), int(at.max()) + 1
        page = rows(self._server, "reading", [series[c] for c in used.tolist()], span_us, FIELDS)
        return self._readings(page._replace(code=used[page.code]), series)

    def withdraw(self, source: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> int:
        """Put what was replaced, or a mark that nothing is there, in the place of the readings of a source."""
        asked = tuple(dict.fromkeys(series))
        with self._writing:
            return sum(self._withdraw(source, key, _span_us(start, end)) for key in asked)

    def _withdraw(self, source: str, key: SeriesKey, span_us: tuple[int, int]) -> int:
        """Take a source's readings out of one series; written again where a part fails, for it does what is left."""
        page = rows(self._server, "revision", [key], span_us, SLOTTED)
        former, slot = self._readings(page, (key,)), page.columns["slot"][self._there(page)]
        held = self._readings(rows(self._server, "reading", [key], span_us, FIELDS), (key,))
        mine, lost = _of_source(held, source), _of_source(former, source)
        if not (mine.any() or lost.any()):
            return 0
        aside = concat([held.take(mine), former.take(lost)])
        keep(self._server, aside, self._origins.numbers(aside), "withdrawn")
        back = _newest_former(former, ~lost & np.isin(former.at, held.at[mine]))
        bare = held.take(mine & ~np.isin(held.at, former.at[back]))
        changed = np.concatenate([micros(held.at[mine]), micros(former.at[lost])])
        self._touched.log([key], changed.min(keepdims=True), changed.max(keepdims=True))
        restored = former.take(back)
        lines = reading_lines(restored, self._origins.numbers(restored))
        lines += reading_lines(bare, np.full(len(bare), self._origins.withdrawn()))
        self._server.write(lines)
        gone = np.flatnonzero(lost | np.isin(np.arange(len(former)), back))
        marks = np.full(len(gone), self._origins.withdrawn())
        self._server.write(revision_lines(former.take(gone), marks, slot[gone].tolist()))
        return int(mine.sum())

    def read(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end)."""
        asked = tuple(dict.fromkeys(series))
        return self._readings(rows(self._server, "reading", asked, _span_us(start, end), FIELDS), asked)

    def revisions(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the replaced readings of these series in [start, end)."""
        return self._aside("revision", series, start, end)

    def withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the readings of these series in [start, end) that were taken out."""
        return self._aside("withdrawn", series, start, end)

    def _aside(
        self, measurement: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> Readings:
        asked = tuple(dict.fromkeys(series))
        found = self._readings(revised(self._server, list(asked), _span_us(start, end), measurement), asked)
        return found.take(np.lexsort((found.received, found.at, found.code)))

    def neighbours(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        """Return the last reading before `start` and the first from `end` on, of each series."""
        asked = tuple(dict.fromkeys(series))
        begin_us, end_us = _span_us(start, end)
        before = self._picked("last", asked, f"time < {nanoseconds(begin_us)}")
        after = self._picked("first", asked, f"time >= {nanoseconds(end_us)}")
        found = concat([before, after])
        return found.take(np.lexsort((found.at, found.code)))

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        """Return the newest reading of each series."""
        return self._picked("last", self.known() if series is None else tuple(dict.fromkeys(series)))

    def _picked(self, pick: str, asked: Sequence[SeriesKey], where: str = "") -> Readings:
        """Return the first or last reading of each series, under a condition of time."""
        time = f" AND {where}" if where else ""
        parts = [
            self._server.query(
                f"SELECT {pick}(value) AS value, meter, register, received, origin FROM reading "  # noqa: S608 - names of ours; values are bound or checked
                f"WHERE {condition(asked[first : first + SERIES])}{time} GROUP BY meter, register",
                {**KEYED, **FIELDS},
            )
            for first in range(0, len(asked), SERIES)
        ]
        place = {key: code for code, key in enumerate(asked)}
        pages = []
        for part in parts:
            keys, code = keys_of(part)
            table = np.array([place[key] for key in keys], np.int32)
            pages.append(Page(table[code], part.columns["time"], part.columns))
        page = joined(pages, FIELDS)
        found = self._readings(page, tuple(asked))
        if len(found) == len(page.time):
            return found
        marked = [asked[c] for c in np.unique(page.code[~self._there(page)]).tolist()]
        again = self._picked(pick, marked, f"{where} AND {_PRESENT}" if where else _PRESENT)
        codes = np.array([asked.index(key) for key in again.series] or [0], np.int32)
        both = concat([found, replace(again, series=tuple(asked), code=codes[again.code])])
        return both.take(np.lexsort((both.at, both.code)))

    def known(self, meters: Sequence[str] | None = None) -> tuple[SeriesKey, ...]:
        """Return the series that have readings, ordered."""
        if meters is None:
            return tuple(sorted(self._newest()))
        wanted = list(dict.fromkeys(meters))
        found: dict[SeriesKey, int] = {}
        for first in range(0, len(wanted), SERIES):
            names = " OR ".join(f"meter = {quoted(name)}" for name in wanted[first : first + SERIES])
            found.update(self._newest(names))
        return tuple(sorted(found))

    @staticmethod
    def _there(page: Page) -> Bools:
        """Return which points of a page are readings, not marks where one was taken out."""
        return np.asarray(page.columns["origin"] != WITHDRAWN.number)

    def _readings(self, page: Page, series: tuple[SeriesKey, ...]) -> Readings:
        """Return the readings of a page, without the marks of those that were taken out."""
        there = self._there(page)
        return self._shown(page if there.all() else only(page, there), series)

    def _shown(self, page: Page, series: tuple[SeriesKey, ...]) -> Readings:
        origins, which = self._origins.columns(page.columns["origin"])
        sources = tuple(dict.fromkeys(origin.source for origin in origins)) or ("",)
        return Readings(
            series=series,
            code=page.code,
            at=page.time.astype("datetime64[us]"),
            value=page.columns["value"],
            kind=np.array([origin.kind for origin in origins], np.uint8)[which],
            quality=np.array([origin.quality for origin in origins], np.uint8)[which],
            span_s=np.array([origin.span_s for origin in origins], np.int64)[which],
            received=page.columns["received"].astype("datetime64[us]"),
            sources=sources,
            source=np.array([sources.index(origin.source) for origin in origins], np.int32)[which],
        )

    def touched(self, after: str = "") -> Touched:
        """Return the ranges written since the token was given, and some from before it."""
        told = self._touched.since(after)
        return Touched(
            token=told.token,
            series=told.series,
            first=told.first.astype("datetime64[us]"),
            last=told.last.astype("datetime64[us]"),
        )

    def write_rollup(self, grain: Period, rollup: RollUp) -> None:
        """Store these periods in the place of those that were there."""
        with self._writing_rollups:
            write_rollup(self._server, grain, rollup)

    def read_rollup(
        self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> RollUp:
        """Return the stored periods that start in [start, end)."""
        return read_rollup(self._server, grain, series, start, end)

    def extent(self) -> Extent:
        """Return what there is of readings, replaced and withdrawn ones."""
        return backup.extent(self._server, backup.KEPT)

    def rolled(self) -> Extent:
        """Return what there is of roll-ups."""
        return backup.extent(self._server, backup.ROLLED)

    def load(self, kept: Kept) -> None:
        """Store a span of another store's holdings as it is; where a part fails, all of it can be loaded again."""
        with self._writing:
            for measurement in ("revision", "withdrawn"):
                aside = checked(kept.revisions if measurement == "revision" else kept.withdrawn)
                keep(self._server, aside, self._origins.numbers(aside), measurement)
            batch = checked(kept.readings)
            for first in range(0, len(batch), SLICE):
                some = batch.take(np.arange(first, min(first + SLICE, len(batch))))
                self._server.write(reading_lines(some, self._origins.numbers(some)))
            self._last.clear()

    def loaded(self, unheard: Touched) -> str:
        """End the loading: these ranges are told as written now."""
        return backup.tell(self._server, unheard)


def _span_us(start: np.datetime64, end: np.datetime64) -> tuple[int, int]:
    return int(micros(start)), int(micros(end))


def _of_source(readings: Readings, source: str) -> Bools:
    """Return which readings are of a source."""
    return np.asarray(np.array([name == source for name in readings.sources], bool)[readings.source])


def _newest_former(former: Readings, chosen: Bools) -> Longs:
    """Return the indices of the last received of the chosen at each instant of a series."""
    places = np.flatnonzero(chosen)
    order = places[np.lexsort((former.received[places], former.at[places]))]
    last = np.ones(len(order), bool)
    last[:-1] = former.at[order][1:] != former.at[order][:-1]
    return order[last]


def _clusters(at: Longs) -> list[npt.NDArray[np.intp]]:
    """Return the indices of instants in at most CLUSTERS groups that stand far apart."""
    order = np.argsort(at, kind="stable")
    gaps = np.diff(at[order])
    wide = np.flatnonzero(gaps > APART_US)
    if len(wide) >= CLUSTERS:
        wide = np.sort(wide[np.argsort(gaps[wide])[-(CLUSTERS - 1) :]])
    return np.split(order, wide + 1)
