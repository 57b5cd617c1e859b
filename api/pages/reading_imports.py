"""Tables of readings as files: upload, what their columns mean, a dry run, confirmation, undoing."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.view import Seen, Viewer, back
from api.reading_import_texts import WORDS, problem, remedy
from api.routes.reading_imports import (
    DRY_RUN,
    Planned,
    do_reading_import,
    plan_file,
    reading_imports_done,
    report,
    shown_mapping,
    undo_reading_import,
)
from core.people import Right
from core.reading_tables import TableMapping
from core.table_troubles import Told, Trouble
from services.reading_import_mapping import read_said

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.READINGS)])

SHOWN: Final = 20
MOST_FIELDS: Final = 20_000
SINGLE: Final = (
    "subject", "time", "clock", "start", "end", "period", "unit", "register", "status",
    "document", "document_kind", "price",
)  # fmt: skip
ROLES: Final = ("nothing", "value", *SINGLE)
ROLE_WORDS: Final = {"start": "from", "end": "to"}
FIELDS: Final = ("sheet", "layout", "whole", "amount", "stamp", "day_at", "order", "decimal", "zone")
OPEN: Final = ("amount", "stamp", "order")
"""What may stay an open question."""


@router.get("/imports")
def show(v: Seen) -> Response:
    """Show the door for tables of readings, and what came through it."""
    return _page(v)


def _page(v: Viewer, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    given = {"planned": None, "key": "", "imports": reading_imports_done(v.room, SHOWN), **shown}
    return v.page("reading_imports.html", said=lambda code: v.words.text(WORDS.get(code, code)), **given)


@router.post("/imports")
def dry_run(v: Seen, file: Annotated[UploadFile, File()]) -> Response:
    """Show what importing a file would do."""
    return _dry_run(v, file.filename or "odecty.csv", file.file.read(), {})


async def _form(request: Request) -> Mapping[str, str]:
    async with request.form(max_fields=MOST_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Sent = Annotated[Mapping[str, str], Depends(_form)]


@router.post("/imports/again")
def again(v: Seen, sent: Sent) -> Response:
    """Show what importing the file would do with the columns as a person says."""
    staged = v.room.staging.take(sent.get("key", ""), v.now)
    other = sent.get("sheet", "") != sent.get("sheet_shown", "")
    return _dry_run(v, staged.name, staged.content, {"sheet": sent["sheet"]} if other else said_by(sent))


def _dry_run(v: Viewer, name: str, content: bytes, said: Mapping[str, Any]) -> Response:
    planned = plan_file(v.room, name, content, said)
    made = planned.plan
    points = sorted(v.room.now().points.values(), key=lambda p: (p.building, p.id))
    return _page(
        v,
        planned=report(planned, mode=DRY_RUN),
        key=v.room.staging.hold(name, content, v.now),
        mapping=made.mapping,
        mapping_json=msgspec.json.encode(shown_mapping(made.mapping)).decode(),
        columns=_columns(planned),
        faults=[_told(v, f) for f in made.faults[:500]],
        fault_count=len(made.faults),
        remarks=[_told(v, r) for r in made.remarks[:200]],
        unknown_statuses=list(dict.fromkeys(_statuses(made.faults))),
        role_words=ROLE_WORDS,
        roles=ROLES,
        points=points,
        imports=[],
    )


def _told(v: Viewer, told: Told) -> tuple[int, str, str, str]:
    return told.row, told.column, problem(told, v.words), remedy(told, v.words)


def _statuses(faults: tuple[Told, ...]) -> list[str]:
    return [f.args["value"] for f in faults if f.trouble is Trouble.STATUS_UNKNOWN]


def _columns(planned: Planned) -> list[dict[str, str]]:
    """Return what each column is taken for: its role and, where it holds values, unit, register, point and status."""
    mapping = planned.plan.mapping
    values = {v.column: v for v in mapping.values}
    own_statuses = {v.status for v in mapping.values}
    found = []
    for heading in planned.columns:
        role = next((name for name in SINGLE if getattr(mapping, name) == heading), "nothing")
        role = "status" if heading in own_statuses else role
        column = values.get(heading)
        more = {name: getattr(column, name, "") for name in ("unit", "register", "subject", "status")}
        found.append({"heading": heading, "role": "value" if column else role, **more})
    return found


def said_by(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the mapping that a form says; columns are numbered."""
    said: dict[str, Any] = {name: form[name] for name in FIELDS if name in form}
    said |= {name: said[name] or None for name in OPEN if name in said}
    said |= {"manual": "manual" in form, "unknown_to_inbox": "unknown_to_inbox" in form}
    columns = [n.removeprefix("heading_") for n in form if n.startswith("heading_")]
    said |= dict.fromkeys(SINGLE, "")
    said["values"] = []
    for n in columns:
        role, heading = form.get(f"role_{n}", "nothing"), form[f"heading_{n}"]
        if role == "value":
            more = {name: form.get(f"{name}_{n}", "").strip() for name in ("unit", "register", "subject", "status")}
            said["values"].append({"column": heading, **more})
        elif role in SINGLE:
            said[role] = heading
    if said["status"] in {column["status"] for column in said["values"]}:
        said["status"] = ""  # each column of values names its own
    if said.get("whole"):
        said["values"] = [{**column, "subject": ""} for column in said["values"]]
    statuses = {form[f"status_word_{i}"]: form[f"status_means_{i}"] for i in range(100) if f"status_word_{i}" in form}
    return said | {"statuses": {word: means for word, means in statuses.items() if means}}


@router.post("/imports/confirm")
def confirm(
    v: Seen,
    key: Annotated[str, Form()],
    mapping: Annotated[str, Form()] = "{}",
    partial: Annotated[str, Form()] = "",
) -> Response:
    """Do what the dry run showed, planned anew on what is stored now."""
    staged = v.room.staging.take(key, v.now)
    whole = msgspec.to_builtins(TableMapping()) | read_said(mapping)
    planned = plan_file(v.room, staged.name, staged.content, whole)
    do_reading_import(v.room, planned, act(v.room, v.name), partial=bool(partial))
    return back("/imports?done=imported")


@router.post("/imports/undo")
def undo(v: Seen, number: Annotated[str, Form()]) -> Response:
    """Take back what an import stored."""
    undo_reading_import(v.room, number, act(v.room, v.name))
    return back("/imports?done=undone")
