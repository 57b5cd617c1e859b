"""The whole register as a spreadsheet: out, and in again after a dry run, and undone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, File, Path, Query, UploadFile
from starlette.responses import Response

from api import exchange_examples as examples
from api.access import allowed
from api.acts import act
from api.answers import as_json
from api.contract import documented
from api.problems import Place, Refused
from api.room import Caller, InRoom, Room
from core.errors import InputError
from core.people import Right
from core.registry import Adjustment, Building, DialEvent, Measure, Meter, Organisation, Point, Station
from services.exchange import IMPORT, Plan, apply_import, export_register, plan_import, undo_import
from services.exchange_rows import Fault

router = APIRouter(prefix="/api/v1/register", tags=["exchange"], dependencies=[allowed(Right.SEE)])

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ERRORS: Final = 1_000


class Format(StrEnum):
    """The kinds of file."""

    XLSX = "xlsx"
    CSV = "csv"


class Kind(StrEnum):
    """The sheets, as a CSV holds one."""

    ORGANISATIONS = "organisations"
    BUILDINGS = "buildings"
    POINTS = "points"
    METERS = "meters"
    EVENTS = "events"
    STATIONS = "stations"
    MEASURES = "measures"
    ADJUSTMENTS = "adjustments"


KINDS: Final[Mapping[Kind, type]] = {
    Kind.ORGANISATIONS: Organisation,
    Kind.BUILDINGS: Building,
    Kind.POINTS: Point,
    Kind.METERS: Meter,
    Kind.EVENTS: DialEvent,
    Kind.STATIONS: Station,
    Kind.MEASURES: Measure,
    Kind.ADJUSTMENTS: Adjustment,
}


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong in a file: sheet, row, column, the problem and its remedy."""

    sheet: str
    row: int
    column: str
    problem: str
    remedy: str

    @classmethod
    def of(cls, fault: Fault) -> "Wrong":
        """Return a fault in the form of the answer."""
        return cls(fault.sheet, fault.row, fault.column, fault.problem, fault.remedy)


class Import(msgspec.Struct, frozen=True):
    """What an import would do or did, by kind of thing; `id` undoes one that was done and changed something."""

    name: str
    dry_run: bool
    id: str
    creates: Mapping[str, int]
    updates: Mapping[str, int]
    unchanged: Mapping[str, int]
    points: Sequence[str]
    errors: Sequence[Wrong]

    @classmethod
    def of(cls, plan: Plan, *, dry_run: bool, number: str = "") -> "Import":
        """Return a plan in the form of the answer."""
        wrong = [Wrong.of(fault) for fault in plan.errors[:MOST_ERRORS]]
        return cls(
            plan.name, dry_run, number, plan.creates, plan.updates, plan.unchanged, plan.points, wrong
        )  # fmt: skip


class Done(msgspec.Struct, frozen=True):
    """An import that was done: who and when stand in the audit trail."""

    id: str
    name: str
    at: datetime
    changed: int


class Imports(msgspec.Struct, frozen=True):
    """Imports that were done, newest first."""

    items: Sequence[Done]


class Undone(msgspec.Struct, frozen=True):
    """An import that was undone, and the points that are computed anew."""

    id: str
    points: Sequence[str]


def plan_of(room: Room, name: str, content: bytes) -> Plan:
    """Return what importing a file would do."""
    if not content:
        raise InputError("the file is empty", place="file", remedy="choose the file that was exported or filled in")
    return plan_import(room.deps.tables.read(name, content), room.writing(Right.REGISTER), name=name)


def do_import(room: Room, plan: Plan, *, by: str) -> str:
    """Do an import; raise Refused, naming every place, where it has errors."""
    if plan.errors:
        places = [Place(f"{f.sheet}, row {f.row}, {f.column}", f.problem, f.remedy) for f in plan.errors[:MOST_ERRORS]]
        raise Refused(
            422, f"{len(plan.errors)} cells of {plan.name} cannot be right; nothing was changed.", errors=places
        )
    return apply_import(plan, room.writing(Right.REGISTER), act(room, by)).id


def export_file(room: Room, form: Format, kind: Kind | None, language: str) -> tuple[str, bytes]:
    """Return the register as a file, its name first. A CSV holds one kind."""
    if form is Format.CSV and kind is None:
        raise InputError(
            "a CSV holds one sheet", place="kind", remedy=f"name one of {', '.join(Kind)}, or ask for xlsx"
        )
    kinds = [KINDS[kind]] if kind else []
    sheets = export_register(room.deps.records, kinds=kinds, language=language)
    name = f"odecet-{kind or 'register'}.{form}"
    return name, room.deps.tables.write(name, sheets)


@router.get(
    "/export",
    operation_id="export_register",
    summary="The register as a spreadsheet",
    description="Read in again unchanged, it changes nothing.",
    **documented(
        None, None, errors=(401, 422, 503), also={XLSX: "(a workbook)", "text/csv": "id;název\r\nO1;Gymnázium\r\n"}
    ),
)
def export(
    room: InRoom,
    form: Annotated[
        Format, Query(alias="format", description="xlsx, or csv of one kind.", examples=["xlsx"])
    ] = Format.XLSX,
    kind: Annotated[Kind | None, Query(description="This kind alone.", examples=["points"])] = None,
    lang: Annotated[str, Query(description="Language of headings: cs or en.", examples=["cs"])] = "cs",
) -> Response:
    """Return the register as a file."""
    name, content = export_file(room, form, kind, "en" if lang == "en" else "cs")
    media = XLSX if form is Format.XLSX else "text/csv; charset=utf-8"
    return Response(content, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type=media)


@router.post(
    "/import",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="import_register",
    summary="Read a spreadsheet into the register",
    description="All or nothing. With `dry_run` (the default) nothing is changed and `errors` name sheet, row and "
    "column; without, a file with errors is refused with the same places.",
    **documented(Import, examples.IMPORT, errors=(401, 413, 422, 503)),
)
def import_file(
    room: InRoom,
    by: Caller,
    file: Annotated[UploadFile, File(description="An XLSX, or a CSV of one sheet.")],
    dry_run: Annotated[bool, Query(description="Only tell what would be done.", examples=[True])] = True,  # noqa: FBT002 - the API's word
) -> Response:
    """Plan an import, and do it where it is no dry run."""
    plan = plan_of(room, file.filename or "register.xlsx", file.file.read())
    number = "" if dry_run else do_import(room, plan, by=by)
    return as_json(Import.of(plan, dry_run=dry_run, number=number))


def imports_done(room: Room, most: int = 100) -> list[Done]:
    """Return the imports that were done, newest first."""
    return [Done(j.id, j.detail, j.started, j.done) for j in room.deps.records.jobs(kind=IMPORT, limit=most)]


@router.get(
    "/imports",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="list_imports",
    summary="Imports that were done",
    **documented(Imports, examples.IMPORTS, errors=(401, 503)),
)
def list_imports(room: InRoom) -> Response:
    """Return the imports that were done."""
    return as_json(Imports(imports_done(room)))


@router.post(
    "/imports/{number}/undo",
    dependencies=[allowed(Right.REGISTER, everywhere=True)],
    operation_id="undo_import",
    summary="Put back what an import changed",
    description="Refused where something of it was changed since.",
    **documented(Undone, examples.UNDONE, errors=(401, 404, 409, 422, 503)),
)
def undo(
    room: InRoom,
    by: Caller,
    number: Annotated[str, Path(description="The import's id.", examples=["20260304T0915-1f"])],
) -> Response:
    """Undo an import."""
    done = undo_import(room.writing(Right.REGISTER), number, act(room, by))
    return as_json(Undone(number, done.points))
