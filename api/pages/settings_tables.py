"""Dated values that numbers rest on: factors, prices, inhabitants, normals, school holidays, each with its source."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.pages.table_lines import KINDS, described, held_since
from api.pages.view import Seen, Viewer
from api.reasons import status_name
from api.settings_texts import ORIGINS, ROW_KINDS, TABLES, TRUST, table_word
from core.overview import Overview
from core.own_rows import TABLE_OF, ListedRow
from core.people import Right

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

PAGE: Final = "/settings/tables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A version of a row as shown: what it is of, its value, and when it holds, both days included."""

    row: ListedRow
    of: str
    value: str
    since: date | None
    until: date | None


@router.get(PAGE)
def tables(v: Seen, table: Annotated[str, Query()] = "factors") -> Response:
    """Show a table with the source, version and validity of every row."""
    chosen = table if table in TABLES else "factors"
    told = _overview(v)
    return v.page(
        "settings_tables.html",
        tables={code: v.words.text(name) for code, name in TABLES.items()},
        chosen=chosen,
        lines=in_order(lines_of(v, (row for row in rows_of(v) if TABLE_OF[row.kind] == chosen))),
        kinds={kind: v.words.text(ROW_KINDS[kind]) for kind in KINDS if TABLE_OF[kind] == chosen},
        enters=v.room.deps.dated_tables is not None,
        file=next((one for one in told.tables if one.table == chosen), None),
        words_of=words_of(v),
    )


def words_of(v: Viewer) -> Mapping[str, Callable[[str], str]]:
    """Return what templates call statuses, how sources were seen, and where rows come from."""
    return {
        "status": lambda code: status_name(code, v.words),
        "trust": lambda code: table_word(TRUST, code, v.words),
        "origin": lambda code: table_word(ORIGINS, code, v.words),
    }


def _overview(v: Viewer) -> Overview:
    told = v.room.deps.overview
    return told() if told is not None else Overview()


def rows_of(v: Viewer) -> tuple[ListedRow, ...]:
    """Return every version of every row as it stands now."""
    present = v.room.deps.dated_tables
    return present.standing().rows if present is not None else ()


def lines_of(v: Viewer, rows: Iterable[ListedRow]) -> list[Line]:
    """Return rows as they are shown."""
    found = []
    for row in rows:
        of, value = described(v.words, row)
        since, until = held_since(row)
        found.append(Line(row=row, of=of, value=value, since=since, until=until))
    return found


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Return lines by what they are of, those of a later begin and version first."""
    return sorted(
        lines,
        key=lambda one: (one.of, -(one.since or date.min).toordinal(), one.row.key, -one.row.version),
    )
