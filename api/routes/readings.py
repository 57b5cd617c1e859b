"""/api/v1/readings: raw readings out, page by page in time; payloads in, by the same door as MQTT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import consumption_examples as examples
from api.access import allowed
from api.answers import Value, as_csv, as_json, utc_texts
from api.asking import Span, span_of
from api.contract import documented
from api.paging import next_link
from api.problems import Place, Refused
from api.room import Body, Caller, InBareRoom, InRoom, Room
from api.routes.consumption import Form, From, To, Zone, wants_csv
from api.snapshot import Snapshot
from core.calendar import Bools, instant, micros, moment
from core.calendar import zone as zone_of
from core.errors import InputError
from core.people import Right
from core.ports import ReadingStore
from core.readings import Kind, Quality, Readings, SeriesKey, concat
from core.registry import Register
from core.units import CANONICAL

MOST: Final = 10_000
DEFAULT: Final = 1_000
MOST_SERIES: Final = 50
LONGEST: Final = timedelta(days=3_700)
FIRST_CHUNK: Final = np.timedelta64(2, "D").astype("timedelta64[us]")

router = APIRouter(prefix="/api/v1", tags=["readings"], dependencies=[allowed(Right.SEE)])


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A reading as stored: `at` and `received` in UTC, value canonical, `replaced` where a later one took its place."""

    meter: str
    register: str
    at: str
    value: float
    unit: str
    kind: str
    quality: Sequence[str]
    span_s: int
    received: str
    source: str
    replaced: bool


class ReadingPage(msgspec.Struct, frozen=True):
    """A page of readings by instant; `next` is the cursor of the next one."""

    items: Sequence[Reading]
    next: str | None


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """Odečet's own payload: one reading, or `readings` of many meters with what they share beside them.

    `at` needs an offset, or `zone` beside it; `unit` is as the meter states it, such as kWh, MWh, GJ, m³, l.
    """

    meter: str = ""
    register: str = ""
    value: float | None = None
    unit: str = ""
    at: str = ""
    readings: Sequence[dict[str, Any]] = ()


class Accepted(msgspec.Struct, frozen=True):
    """What became of a payload: readings stored, places that could not be read, why it was passed over."""

    readings: int
    rejected: Sequence[Place]
    ignored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The readings of one series that are meant: [since, until) of it, None: no bound."""

    key: SeriesKey
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Series with their windows, a span, and whether replaced readings are wanted too."""

    windows: tuple[Window, ...]
    start: np.datetime64
    end: np.datetime64
    revisions: bool

    @property
    def series(self) -> tuple[SeriesKey, ...]:
        """The series, each once."""
        return tuple(dict.fromkeys(w.key for w in self.windows))


def windows_of(
    now: Snapshot, store: ReadingStore, points: Sequence[str], meters: Sequence[str], register: str
) -> tuple[Window, ...]:
    """Return the series that points and devices mean; a point's while its meters are mounted."""
    mounted = [m for p in points for m in now.meters_of.get(now.point(p).id, ())]
    if not now.whole:  # a device is somebody's only while it is mounted there
        mounted += [m for m in now.meters.values() if m.device in meters]
        meters = ()
    devices = list(dict.fromkeys([*meters, *(m.device for m in mounted)]))
    if not devices:
        return ()
    known = [k for k in store.known(devices) if register in {"", k.register}]
    whole = [Window(key=k) for k in known if k.meter in meters]
    parts = [Window(key=k, since=m.mounted, until=m.removed) for m in mounted for k in known if k.meter == m.device]
    return tuple(dict.fromkeys([*whole, *parts]))


def in_windows(readings: Readings, windows: Sequence[Window]) -> Readings:
    """Return the readings that lie in a window of their series."""
    inside = np.zeros(len(readings), bool)
    for window in windows:
        if window.key in readings.series:
            inside |= (readings.code == readings.series.index(window.key)) & _within(readings, window)
    return readings.take(inside)


def _within(readings: Readings, window: Window) -> Bools:
    inside = np.ones(len(readings), bool)
    if window.since is not None:
        inside &= readings.at >= instant(window.since)
    if window.until is not None:
        inside &= readings.at < instant(window.until)
    return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Readings ordered by instant and series; `replaced` marks former values."""

    readings: Readings
    replaced: Bools
    rank: np.ndarray[tuple[int], np.dtype[np.int64]]


def _read(store: ReadingStore, wanted: Wanted, start: np.datetime64, end: np.datetime64) -> Chunk:
    present = in_windows(store.read(wanted.series, start, end), wanted.windows)
    former = (
        in_windows(store.revisions(wanted.series, start, end), wanted.windows)
        if wanted.revisions
        else present.take(np.zeros(len(present), bool))
    )
    both = concat([present, former])
    replaced = np.arange(len(both)) >= len(present)
    ranks = {key: i for i, key in enumerate(wanted.series)}
    table = np.array([ranks.get(key, 0) for key in both.series] or [0], np.int64)
    rank = table[both.code]
    order = np.lexsort((both.received, replaced, rank, both.at))
    return Chunk(readings=both.take(order), replaced=replaced[order], rank=rank[order])


def read_page(store: ReadingStore, wanted: Wanted, cursor: str, limit: int) -> tuple[Chunk, str | None]:
    """Return the readings after a cursor and the cursor of the next page, None at the end.

    Time is read in spans that double until the page is full, so that a page costs what it shows. The readings of
    one series and instant (with their former values) are never torn apart.
    """
    at, rank = _cursor(cursor, wanted)
    start, width = at, FIRST_CHUNK
    while True:
        end = min(start + width, wanted.end)
        chunk = _after(_read(store, wanted, at, end), at, rank)
        if len(chunk.readings) > limit:
            return _cut(chunk, limit)
        if end >= wanted.end:
            return chunk, None
        width *= 4


def _cursor(cursor: str, wanted: Wanted) -> tuple[np.datetime64, int]:
    if not cursor:
        return wanted.start, -1
    at, _, rank = cursor.partition("~")
    if not (at.isdecimal() and rank.isdecimal() and max(len(at), len(rank)) < 18):  # noqa: PLR2004 - microseconds until 2286 and more
        raise InputError(f"cursor {cursor!r} is none", place="after", remedy="take it from next or the Link header")
    return np.datetime64(int(at), "us"), int(rank)


def _after(chunk: Chunk, at: np.datetime64, rank: int) -> Chunk:
    return _taken(chunk, (chunk.readings.at > at) | (chunk.rank > rank))


def _taken(chunk: Chunk, chosen: Bools | slice) -> Chunk:
    index = np.arange(len(chunk.readings))[chosen]
    return Chunk(readings=chunk.readings.take(index), replaced=chunk.replaced[index], rank=chunk.rank[index])


def _cut(chunk: Chunk, limit: int) -> tuple[Chunk, str | None]:
    at, rank = chunk.readings.at, chunk.rank
    same = (at == at[limit - 1]) & (rank == rank[limit - 1])
    end = int(np.flatnonzero(same)[-1]) + 1
    page = _taken(chunk, slice(0, end))
    return page, f"{int(micros(at[end - 1]))}~{int(rank[end - 1])}"


QUALITY_NAMES: Final[Mapping[int, tuple[str, ...]]] = {
    bits: tuple(q.name.lower() for q in Quality if q and q & bits and q.name) for bits in range(2 * max(Quality))
}


def unit_of(register: str) -> str:
    """Return the canonical unit of a register, empty where the register is not known."""
    try:
        return CANONICAL.get(Register.parse(register).quantity, "")
    except InputError:
        return ""


def rows(chunk: Chunk) -> list[Reading]:
    """Return readings in the form of the answer."""
    r = chunk.readings
    units = [unit_of(key.register) for key in r.series]
    codes = r.code.tolist()
    columns = [
        [r.series[c].meter for c in codes],
        [r.series[c].register for c in codes],
        utc_texts(r.at),
        r.value.tolist(),
        [units[c] for c in codes],
        [Kind(k).name.lower() for k in r.kind.tolist()],
        [QUALITY_NAMES[q] for q in r.quality.tolist()],
        r.span_s.tolist(),
        utc_texts(r.received),
        [r.sources[s] for s in r.source.tolist()],
        chunk.replaced.tolist(),
    ]
    return list(map(Reading, *columns))


def table_rows(readings: Sequence[Reading]) -> list[list[Value]]:
    """Return readings as the rows of a table, remarks on quality in one cell."""
    tuples = map(msgspec.structs.astuple, readings)
    return [[" ".join(v) if isinstance(v, tuple | list) else v for v in row] for row in tuples]


def _wanted(room: Room, point: list[str], meter: list[str], register: str, span: Span, *, revisions: bool) -> Wanted:
    if not point and not meter:
        raise InputError(
            "no point and no meter is named", place="point", remedy="name one: point=B01-EL or meter=em-0001"
        )
    if span.end - span.start > LONGEST:
        raise InputError(
            f"the span is {(span.end - span.start).days} days", place="from", remedy=f"ask for at most {LONGEST.days}"
        )
    windows = windows_of(room.now(), room.deps.readings, point, meter, register)
    wanted = Wanted(windows=windows, start=instant(span.start), end=instant(span.end), revisions=revisions)
    if len(wanted.series) > MOST_SERIES:
        raise InputError(
            f"{len(wanted.series)} series are meant", place="point", remedy=f"ask for at most {MOST_SERIES} at once"
        )
    return wanted


@router.get(
    "/readings",
    operation_id="list_readings",
    summary="Raw readings of points or meters, by instant",
    description="Readings as stored, in canonical units. A point's are those of its meters while they were mounted. "
    "`revisions=true` adds former values of readings that were sent again. "
    "A CSV holds a page too: follow the Link header.",
    **documented(ReadingPage, examples.READINGS, errors=(401, 404, 422, 503), also={"text/csv": examples.READINGS_CSV}),
)
def list_readings(  # noqa: PLR0917 - FastAPI fills these by name
    request: Request,
    room: InRoom,
    point: Annotated[list[str], Query(description="Of these points.", examples=[["B01-EL"]])] = [],  # noqa: B006 - FastAPI copies it
    meter: Annotated[list[str], Query(description="Of these devices.", examples=[["em-0001"]])] = [],  # noqa: B006 - same
    register: Annotated[str, Query(description="This register alone.", examples=["energy.import"])] = "",
    start: From = "",
    to: To = "",
    zone: Zone = "",
    revisions: Annotated[bool, Query(description="With former values.", examples=[False])] = False,  # noqa: FBT002 - the API's word
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many at most.", examples=[DEFAULT])] = DEFAULT,
    after: Annotated[str, Query(description="The cursor of the page before.", examples=[""])] = "",
    form: Form = "",
) -> Response:
    """Return a page of readings as JSON or CSV."""
    csv = wants_csv(request, form)
    span = span_of(start, to, zone_of(zone) if zone else room.deps.zone, room.deps.clock())
    wanted = _wanted(room, point, meter, register, span, revisions=revisions)
    if not wanted.series:
        return _page([], None, {}, csv=csv)
    chunk, cursor = read_page(room.deps.readings, wanted, after, limit)
    fixed = {"from": moment(wanted.start).isoformat(), "to": moment(wanted.end).isoformat()}
    headers = next_link(request, after=cursor, limit=limit, **fixed) if cursor else {}
    return _page(rows(chunk), cursor, headers, csv=csv)


def _page(found: list[Reading], cursor: str | None, headers: Mapping[str, str], *, csv: bool) -> Response:
    if csv:
        return as_csv("readings", Reading.__struct_fields__, table_rows(found), czech=False, headers=headers)
    return as_json(ReadingPage(found, cursor), headers=headers)


@router.post(
    "/readings",
    dependencies=[allowed(Right.INGEST, everywhere=True)],
    operation_id="take_readings",
    summary="Send readings",
    description="The body is what a meter would publish over MQTT; it is stored durably before the answer. What "
    "cannot be read is kept as a dead letter and told in `rejected`. Sending the same again changes nothing.",
    **documented(
        Accepted,
        examples.TAKEN,
        body=Payload,
        body_example=examples.PAYLOAD,
        errors=(401, 413, 422, 503),
    ),
)
def take_readings(room: InBareRoom, by: Caller, body: Body) -> Response:
    """Store a payload's readings."""
    if not body.strip():
        raise InputError("the body is empty", place="body", remedy="send one reading, or an object with readings")
    taken = room.deps.intake.take(room.deps.topic, body, source=f"api/{by}", now=room.deps.clock())
    rejected = [Place(place, reason) for place, reason in taken.rejected]
    if not taken.readings and rejected:
        raise Refused(422, f"Nothing of it could be read: {rejected[0].place}: {rejected[0].problem}", errors=rejected)
    return as_json(Accepted(taken.readings, rejected, taken.ignored))
