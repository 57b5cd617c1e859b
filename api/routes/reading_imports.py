"""/api/v1/imports/readings: tables of readings in, after a dry run, and back out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api import reading_import_examples as examples
from api.access import ANYONE, allowed
from api.acts import act
from api.answers import as_json, utc_texts
from api.contract import documented
from api.problems import Place, Refused
from api.room import Caller, InRoom, Room
from api.routes.exchange import Wrong
from api.routes.readings import QUALITY_NAMES
from core.calendar import instant
from core.errors import InputError, NotFound
from core.people import Right
from core.reading_tables import TableMapping
from core.table_troubles import Told
from services import reading_import
from services.reading_import import Plan
from services.reading_import_mapping import amended, mapping_for, read_said
from services.reading_import_report import ROWS, RowReport, SeriesReport, counts_of, rows_of, series_of
from services.register import By

router = APIRouter(prefix="/api/v1/imports/readings", tags=["exchange"], dependencies=[allowed(Right.SEE)])

MOST_TOLD: Final = 1_000
DRY_RUN: Final = "dry-run"
APPLY: Final = "apply"


class MonthAmount(msgspec.Struct, frozen=True):
    """An amount of a month, such as 2026-01."""

    month: str
    amount: float


class ImportedSeries(msgspec.Struct, frozen=True):
    """What a file says of one series; `amount` is the sum of amounts, or by how much a dial rose."""

    meter: str
    register: str
    unit: str
    point: str
    kind: str
    new: int
    same: int
    changed: int
    first: str
    last: str
    first_value: float
    last_value: float
    amount: float
    months: Sequence[MonthAmount]

    @classmethod
    def of(cls, s: SeriesReport) -> "ImportedSeries":
        """Return a series in the form of the answer."""
        first, last = utc_texts(np.array([s.first, s.last], "datetime64[us]"))
        months = [MonthAmount(month, amount) for month, amount in s.months]
        kind = s.kind.name.lower()
        return cls(
            s.meter, s.register, s.unit, s.point, kind, s.new, s.same, s.changed, first or "", last or "",
            s.first_value, s.last_value, s.amount, months,
        )  # fmt: skip


class ImportedRow(msgspec.Struct, frozen=True):
    """One value of the file as it would be stored; `former` is what stands there now."""

    row: int
    column: str
    meter: str
    register: str
    at: str
    span_s: int
    value: float
    unit: str
    kind: str
    quality: Sequence[str]
    state: str
    former: float | None

    @classmethod
    def of(cls, r: RowReport, at: str) -> "ImportedRow":
        """Return a row in the form of the answer."""
        kind, quality = r.kind.name.lower(), QUALITY_NAMES[r.quality]
        return cls(
            r.row, r.column, r.meter, r.register, at, r.span_s, r.value, r.unit, kind, quality, r.state, r.former
        )  # fmt: skip


class ReadingImport(msgspec.Struct, frozen=True):
    """What an import would do or did; `id` undoes one that changed something.

    `rows` are the first ones of the file, `errors` keep it from being done, `remarks` are worth knowing. `mapping` is
    what the columns were taken for: send it back amended where it is wrong.
    """

    name: str
    mode: str
    id: str
    new: int
    same: int
    changed: int
    cost_czk: float | None
    mapping: Mapping[str, Any]
    remembered: bool
    sheets: Sequence[str]
    columns: Sequence[str]
    series: Sequence[ImportedSeries]
    rows: Sequence[ImportedRow]
    errors: Sequence[Wrong]
    remarks: Sequence[Wrong]


class ReadingImportDone(msgspec.Struct, frozen=True):
    """An import that was done, is under way, failed or was undone (`state`)."""

    id: str
    name: str
    at: datetime
    by: str
    why: str
    state: str
    new: int
    changed: int


class ReadingImports(msgspec.Struct, frozen=True):
    """Imports of readings, newest first."""

    items: Sequence[ReadingImportDone]


class ReadingImportUndone(msgspec.Struct, frozen=True):
    """An import that was undone, and how many readings it had brought that went."""

    id: str
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file as it was sent, and what was said of it."""

    name: str
    content: bytes
    mode: str = DRY_RUN
    said: Mapping[str, Any]
    partial: bool = False
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what the file looked like."""

    plan: Plan
    remembered: bool
    sheets: Sequence[str]
    columns: Sequence[str]


def plan_file(room: Room, name: str, content: bytes, said: Mapping[str, Any]) -> Planned:
    """Return what importing a file would do, its columns taken as remembered, proposed and said."""
    deps = room.deps
    table = deps.reading_tables.open(name, content)
    if said.get("unknown_to_inbox") and not room.access.everywhere(Right.REGISTER):
        raise Refused(403, "What nobody registered goes to the inbox, which is not yours: name your own meters alone.")
    proposed, remembered = mapping_for(table, deps.records, str(deps.zone), str(said.get("sheet", "")))
    made = reading_import.plan(
        table,
        amended(proposed, said),
        tables=deps.reading_tables,
        readings=deps.readings,
        records=deps.records,
        now=instant(deps.clock()),
        name=name,
    )
    columns = table.columns(made.mapping.sheet)
    return Planned(plan=made, remembered=remembered, sheets=table.sheets, columns=columns)


def wrong(told: Told) -> Wrong:
    """Return a trouble in the form of the answer."""
    return Wrong(told.sheet, told.row, told.column, told.problem, told.remedy)


def report(planned: Planned, *, mode: str, number: str = "") -> ReadingImport:
    """Return a plan in the form of the answer."""
    made = planned.plan
    new, same, changed = counts_of(made)
    rows = rows_of(made, ROWS)
    at = utc_texts(np.array([r.at for r in rows], "datetime64[us]"))
    return ReadingImport(
        name=made.name,
        mode=mode,
        id=number,
        new=new,
        same=same,
        changed=changed,
        cost_czk=made.cost_czk,
        mapping=shown_mapping(made.mapping),
        remembered=planned.remembered,
        sheets=planned.sheets,
        columns=planned.columns,
        series=[ImportedSeries.of(s) for s in series_of(made)],
        rows=[ImportedRow.of(r, a or "") for r, a in zip(rows, at, strict=True)],
        errors=[wrong(f) for f in made.faults[:MOST_TOLD]],
        remarks=[wrong(f) for f in made.remarks[:MOST_TOLD]],
    )


def shown_mapping(mapping: TableMapping) -> Mapping[str, Any]:
    """Return a mapping without what it leaves empty."""
    whole: dict[str, Any] = msgspec.to_builtins(mapping)
    whole["values"] = [{k: v for k, v in column.items() if v} for column in whole["values"]]
    return {name: value for name, value in whole.items() if value not in ("", None, [], {}, False)}


def do_reading_import(room: Room, planned: Planned, doing: By, *, partial: bool = False) -> str:
    """Do an import; raise Refused, naming every place, where it has errors."""
    made = planned.plan
    if made.faults and not partial:
        places = [Place(f"{f.sheet}, row {f.row}, {f.column}", f.problem, f.remedy) for f in made.faults[:MOST_TOLD]]
        raise Refused(
            422, f"{len(made.faults)} places of {made.name} cannot be right; nothing was changed.", errors=places
        )
    return reading_import.apply(
        made, readings=room.deps.readings, records=room.writing(Right.READINGS), act=doing, partial=partial
    ).id


async def _sent(request: Request) -> Sent:
    """Return the file of a request: a form with `file`, or the file itself as the body with the rest in the address."""
    told: dict[str, str] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("multipart/"):
        async with request.form() as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InputError("no file was sent", place="file", remedy="send it as the field file")
            told |= {name: value for name, value in form.items() if isinstance(value, str)}
            name, content = told.get("name") or file.filename or "readings.csv", await file.read()
    else:
        name, content = told.get("name", "readings.csv"), await request.body()
    mode = told.get("mode", DRY_RUN)
    if mode not in {DRY_RUN, APPLY}:
        raise InputError(f"mode {mode!r} is none", place="mode", remedy=f"write {DRY_RUN} or {APPLY}")
    return Sent(
        name=name,
        content=content,
        mode=mode,
        said=read_said(told.get("mapping", "")),
        partial=told.get("partial", "").lower() in {"1", "true", "yes"},
        why=told.get("why", ""),
        by=told.get("by", ""),
    )


def _body() -> dict[str, Any]:
    """Return how the contract describes the form."""
    fields = {
        "file": {"type": "string", "format": "binary", "description": "A CSV or XLSX of readings, at most 100 MB."},
        "mode": {"type": "string", "enum": [DRY_RUN, APPLY], "default": DRY_RUN},
        "mapping": {"type": "string", "description": "JSON that amends what the columns are taken for."},
        "partial": {"type": "boolean", "default": False, "description": "Leave rows with errors out."},
        "why": {"type": "string", "description": "Why; it stands in the audit trail."},
    }
    schema = {"type": "object", "required": ["file"], "properties": fields}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.post(
    "",
    dependencies=[allowed(Right.READINGS)],
    operation_id="import_readings",
    summary="Import readings from a table",
    description="Hand readings, invoices, a distributor's load profile, or any long or wide table. `mode` dry-run (the "
    "default) tells what would be stored and what is wrong, by sheet, row and column; apply stores it all or nothing. "
    "The same file twice changes nothing.",
    openapi_extra=_body(),
    **documented(ReadingImport, examples.REPORT, errors=(401, 413, 422, 503)),
)
async def import_readings(room: InRoom, by: Caller, sent: Annotated[Sent, Depends(_sent)]) -> Response:
    """Plan an import, and do it where that is asked."""
    return await run_in_threadpool(_import, room, by, sent)


def _import(room: Room, by: str, sent: Sent) -> Response:
    planned = plan_file(room, sent.name, sent.content, sent.said)
    if sent.mode == DRY_RUN:
        return as_json(report(planned, mode=DRY_RUN))
    who = sent.by if by == ANYONE and sent.by else by
    number = do_reading_import(room, planned, act(room, who, sent.why), partial=sent.partial)
    return as_json(report(planned, mode=APPLY, number=number))


def reading_imports_done(room: Room, most: int = 100) -> list[ReadingImportDone]:
    """Return the imports of readings, newest first: all, or those of a caller who may not import everywhere."""
    return [
        ReadingImportDone(job.id, job.detail, job.started, note.by, note.why, job.state, note.new, note.changed)
        for job, note in reading_import.imports(room.region.deps.records, most)
        if _of_caller(room, note.by)
    ]


def _of_caller(room: Room, by: str) -> bool:
    return room.access.everywhere(Right.READINGS) or (bool(room.access.name) and by == room.access.name)


@router.get(
    "",
    dependencies=[allowed(Right.READINGS)],
    operation_id="list_reading_imports",
    summary="Imports of readings",
    **documented(ReadingImports, examples.IMPORTS, errors=(401, 503)),
)
def list_reading_imports(room: InRoom) -> Response:
    """Return the imports of readings."""
    return as_json(ReadingImports(reading_imports_done(room)))


def undo_reading_import(room: Room, number: str, doing: By) -> int:
    """Take an import back; return how many readings went. Raise NotFound for one of somebody else's."""
    records = room.writing(Right.READINGS)
    if not _of_caller(room, reading_import.note_of(records, number).by):
        raise NotFound(f"import {number} is not known")
    return reading_import.undo(number, readings=room.deps.readings, records=records, act=doing)


@router.post(
    "/{number}/undo",
    dependencies=[allowed(Right.READINGS)],
    operation_id="undo_reading_import",
    summary="Take back what an import of readings stored",
    description="What it replaced comes back. Refused where invoices of a point were imported after it.",
    **documented(ReadingImportUndone, examples.UNDONE, errors=(401, 404, 409, 422, 503)),
)
def undo(
    room: InRoom,
    by: Caller,
    number: Annotated[str, Path(description="The import's id.", examples=["20260304T091500000000-1f2a3b4c5d6e"])],
) -> Response:
    """Undo an import."""
    return as_json(ReadingImportUndone(number, undo_reading_import(room, number, act(room, by))))
