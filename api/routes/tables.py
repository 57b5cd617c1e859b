"""/api/v1/tables: dated tables with every version of every row; a row entered here counts at once everywhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.documents import convert, read_object
from api.problems import Refused
from api.room import Body, Caller, InRoom, Room
from core.errors import NotFound
from core.own_rows import TABLE_OF, DatedTables, ListedRow, RowKind
from core.people import Right
from services.own_rows import Change, Draft, enter, proposed, said

router = APIRouter(prefix="/api/v1/tables", tags=["tables"], dependencies=[allowed(Right.ADMINISTER, everywhere=True)])
Kind = Annotated[RowKind, Path(description="The kind of row.", examples=["factor"])]


class TableKind(msgspec.Struct, frozen=True):
    """A kind of row: the table in which it stands, and the JSON schema of what it may say."""

    kind: RowKind
    table: str
    schema: Mapping[str, Any]


class TableKinds(msgspec.Struct, frozen=True):
    """All kinds of rows."""

    items: Sequence[TableKind]


class EnteredBy(msgspec.Struct, frozen=True):
    """Who entered a row, when and why."""

    by: str
    at: datetime
    why: str


class TableRow(msgspec.Struct, frozen=True):
    """A version of a row. `origin` is shipped, file or entered; nothing new is computed with one that does not count.

    `row` is what it says; what it leaves out has the default of the schema.
    """

    kind: RowKind
    key: str
    version: int
    origin: str
    counts: bool
    withdrawn: bool
    row: Mapping[str, Any]
    entered: EnteredBy | None

    @classmethod
    def of(cls, row: ListedRow) -> "TableRow":
        """Return the JSON form of a row."""
        entered = None if row.entered is None else EnteredBy(row.entered.by, row.entered.at, row.entered.why)
        return cls(row.kind, row.key, row.version, row.origin, row.counts, row.withdrawn, said(row), entered)


class TableRows(msgspec.Struct, frozen=True):
    """Rows; `after` is the number of the row entered last, to be said with a row that is entered because of these."""

    items: Sequence[TableRow]
    after: int


class TableDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row to enter: with the id of another it is its next version; `withdrawn` in it takes the value out.

    `after` is the number that a list told: where somebody entered a row since, nothing is entered.
    """

    row: Mapping[str, Any]
    why: str = ""
    after: int | None = None


class Entering(msgspec.Struct, frozen=True):
    """A row that was entered, or would be: what it replaces whole, the fields that differ, rows that meet it.

    `idle` says why nothing is computed with it: scheme, supplier, or empty where something is.
    """

    dry_run: bool
    row: TableRow
    replaces: TableRow | None
    changed: Sequence[str]
    beside: Sequence[str]
    idle: str

    @classmethod
    def of(cls, change: Change, row: ListedRow, *, dry_run: bool) -> "Entering":
        """Return the JSON form of a change."""
        former = None if change.former is None else TableRow.of(change.former)
        beside = [one.row.key for one in change.beside]
        return cls(dry_run, TableRow.of(row), former, [name for name, *_ in change.fields], beside, change.idle)


CONTENT: Final = {
    "id": "mpo-electricity-2026",
    "carrier": "electricity",
    "value": 0.39,
    "unit": "t/MWh",
    "scheme": "mpo-production",
    "since": "2026-01-01",
    "until": "2027-01-01",
    "source": "MPO, Hodnota emisního faktoru CO2 z výroby elektřiny",
}
ROW: Final = {
    "kind": "factor",
    "key": "mpo-electricity-2026",
    "version": 1,
    "origin": "entered",
    "counts": True,
    "withdrawn": False,
    "row": CONTENT,
    "entered": {"by": "novak", "at": "2027-03-01T08:00:00Z", "why": "MPO published it"},
}
DRAFT: Final = {"row": CONTENT, "why": "MPO published it", "after": 11}
ENTERED: Final = {"dry_run": False, "row": ROW, "replaces": None, "changed": [], "beside": [], "idle": ""}
KIND: Final = {
    "kind": "factor",
    "table": "factors",
    "schema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}


def _tables(room: Room) -> DatedTables:
    if room.deps.dated_tables is None:
        raise Refused(503, "This process keeps no dated tables.")
    return room.deps.dated_tables


@router.get(
    "",
    operation_id="list_table_kinds",
    summary="Kinds of rows of dated tables",
    description="Factors, prices, inhabitants, normals, school holidays: what a row of each kind may say.",
    **documented(TableKinds, {"items": [KIND]}, errors=(401, 503)),
)
def list_kinds(room: InRoom) -> Response:
    """Return the kinds."""
    tables = _tables(room)
    return as_json(TableKinds([TableKind(kind, TABLE_OF[kind], tables.schema(kind)) for kind in RowKind]))


@router.get(
    "/{kind}",
    operation_id="list_table_rows",
    summary="Rows of a kind, every version of them",
    description="Those that ship, those of the operator's file and those that were entered, with who, when and why.",
    **documented(TableRows, {"items": [ROW], "after": 12}, errors=(401, 404, 422, 503)),
)
def list_rows(
    room: InRoom,
    kind: Kind,
    key: Annotated[
        str, Query(description="The history of this row, the newest version first.", examples=["mpo-electricity-2026"])
    ] = "",
) -> Response:
    """Return rows."""
    standing = _tables(room).standing()
    found = standing.of(kind, key) if key else [row for row in standing.rows if row.kind is kind]
    if key and not found:
        raise NotFound(f"no row of kind {kind} has the id {key!r}")
    return as_json(TableRows([TableRow.of(row) for row in found], standing.number))


@router.post(
    "/{kind}",
    operation_id="enter_table_row",
    summary="Enter a row, or correct one",
    description="It counts at once, for past months too, in every process. Nothing is changed or removed: a row with "
    "the id of another is its next version, which replaces the former ones whole; what ends gets `until`, what should "
    "never have been is entered again with `withdrawn`. What was published stays, and its restatement names the row.",
    **documented(Entering, ENTERED, status=201, body=TableDraft, body_example=DRAFT, errors=(401, 404, 409, 422, 503)),
)
def post_row(
    room: InRoom,
    by: Caller,
    body: Body,
    kind: Kind,
    dry_run: Annotated[bool, Query(description="Tell what it would do, and enter nothing.", examples=[True])] = False,  # noqa: FBT002 - a question's word
) -> Response:
    """Enter a row."""
    wish, tables = convert(read_object(body), TableDraft), _tables(room)
    records = room.region.deps.records
    draft = Draft(kind=kind, content=wish.row, after=wish.after)
    change = proposed(tables, records, draft)
    if dry_run:
        return as_json(Entering.of(change, change.row, dry_run=True))
    kept = enter(records, tables, Draft(kind=kind, content=wish.row, after=change.after), act(room, by, wish.why))
    row = tables.standing().of(kind, kept.key)[0]
    return as_json(
        Entering.of(change, row, dry_run=False), status=201, headers={"Location": f"/api/v1/tables/{kind.value}"}
    )
