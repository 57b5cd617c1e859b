"""Reading measurements of many series from InfluxDB, in pages that neither server nor reader must hold at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.calendar import Longs
from core.readings import Codes, SeriesKey
from storage.influx_lines import condition, decode, encode
from storage.influx_server import NAMES, Answer, InfluxServer

KEYED: Final = {"time": pa.int64(), "meter": NAMES, "register": NAMES}
"""The columns that tell a row's time and series."""

SERIES: Final = 100
"""Series a request: their conditions stay a few kB, their rows some MB."""

ROWS: Final = 5_000
"""Rows of a series a request; more are asked for from the last one on."""

_NS: Final = 1_000
_EARLIEST_NS: Final = -9_223_372_036_854_775_000
_LATEST_NS: Final = 9_223_372_036_854_775_000


class Page(NamedTuple):
    """Rows: `code` indexes the series asked for, `time` is [us since 1970], `columns` the fields."""

    code: Codes
    time: Longs
    columns: dict[str, npt.NDArray[Any]]


def nanoseconds(stamp_us: int) -> int:
    """Return microseconds as the nanoseconds of InfluxQL, kept to what it holds."""
    return max(_EARLIEST_NS, min(_LATEST_NS, stamp_us * _NS))


def rows(
    server: InfluxServer,
    measurement: str,
    series: Sequence[SeriesKey],
    span_us: tuple[int, int],
    fields: Mapping[str, pa.DataType],
) -> Page:
    """Return the rows of these series with start <= time < end, ordered by series (as asked) and time."""
    pages = [
        page
        for first in range(0, len(series), SERIES)
        for page in _pages(server, measurement, dict(enumerate(series[first : first + SERIES], first)), span_us, fields)
    ]
    return joined(pages, fields)


def _pages(
    server: InfluxServer,
    measurement: str,
    series: Mapping[int, SeriesKey],
    span_us: tuple[int, int],
    fields: Mapping[str, pa.DataType],
) -> Iterator[Page]:
    """Give the pages of series by code; one whose page was full is asked for again."""
    begins = dict.fromkeys(series, span_us[0])
    while begins:
        begin = min(begins.values())
        asked = [code for code, since in begins.items() if since == begin]  # one request for all of equal begin
        page = _page(server, measurement, {code: series[code] for code in asked}, (begin, span_us[1]), fields)
        for code in asked:
            del begins[code]
        more = _cut(page)
        begins.update(more)
        yield _without(page, more)


def _cut(page: Page) -> dict[int, int]:
    """Return, of each series whose page was full, the instant from which to ask again."""
    full = np.flatnonzero(np.bincount(page.code, minlength=1) >= ROWS).tolist()
    newest = {code: int(page.time[page.code == code].max()) for code in full}
    oldest = {code: int(page.time[page.code == code].min()) for code in full}
    return {code: at if at > oldest[code] else at + 1 for code, at in newest.items()}


def _without(page: Page, more: Mapping[int, int]) -> Page:
    """Return the page less the rows that will be told again: of revisions, an instant may be cut in the middle."""
    if not more:
        return page
    again = np.full(int(page.code.max()) + 1, _LATEST_NS)
    again[list(more)] = list(more.values())
    kept = page.time < again[page.code]
    return Page(page.code[kept], page.time[kept], {name: column[kept] for name, column in page.columns.items()})


def _page(
    server: InfluxServer,
    measurement: str,
    asked: Mapping[int, SeriesKey],
    span_us: tuple[int, int],
    fields: Mapping[str, pa.DataType],
) -> Page:
    answer = server.query(
        f"SELECT meter, register, {', '.join(fields)} FROM {measurement} WHERE {condition(asked.values())} "  # noqa: S608 - names of ours; values are bound or checked
        f"AND time >= {nanoseconds(span_us[0])} AND time < {nanoseconds(span_us[1])} "
        f"GROUP BY meter, register LIMIT {ROWS}",
        {**KEYED, **fields},
    )
    return Page(_codes(answer, asked), answer.columns["time"], {name: answer.columns[name] for name in fields})


def _codes(answer: Answer, asked: Mapping[int, SeriesKey]) -> Codes:
    """Return the code of each row's series."""
    place = {(encode(key.meter), encode(key.register)): code for code, key in asked.items()}
    meters, registers = answer.names["meter"], answer.names["register"]
    table = np.array([[place.get((m, r), -1) for r in registers] for m in meters], np.int32)
    if not table.size:
        return np.empty(0, np.int32)
    return np.asarray(table[answer.columns["meter"], answer.columns["register"]])


def keys_of(answer: Answer) -> tuple[list[SeriesKey], Codes]:
    """Return the series that occur in an answer, and the code of each row."""
    meters = [decode(name) for name in answer.names["meter"]]
    registers = [decode(name) for name in answer.names["register"]]
    pairs = zip(answer.columns["meter"].tolist(), answer.columns["register"].tolist(), strict=True)
    place: dict[SeriesKey, int] = {}
    codes = [place.setdefault(SeriesKey(meters[m], registers[r]), len(place)) for m, r in pairs]
    return list(place), np.array(codes, np.int32)


def only(page: Page, chosen: npt.NDArray[np.bool_]) -> Page:
    """Return the rows of a page that a mask chooses."""
    return Page(page.code[chosen], page.time[chosen], {name: column[chosen] for name, column in page.columns.items()})


def joined(pages: Sequence[Page], fields: Mapping[str, pa.DataType]) -> Page:
    """Return the rows of all pages, ordered by series and time."""
    if not pages:
        nothing = {name: np.empty(0, kind.to_pandas_dtype()) for name, kind in fields.items()}
        return Page(np.empty(0, np.int32), np.empty(0, np.int64), nothing)
    code = np.concatenate([page.code for page in pages])
    time = np.concatenate([page.time for page in pages])
    columns = {name: np.concatenate([page.columns[name] for page in pages]) for name in fields}
    order = np.lexsort((time, code))
    return Page(code[order], time[order], {name: column[order] for name, column in columns.items()})
