"""The register as a file: download, upload with a dry run, confirmation, undoing."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from api.access import allowed
from api.acts import act
from api.pages.view import Seen, back
from api.routes.exchange import Import, do_import, imports_done, plan_of
from core.people import Right
from services.exchange import undo_import

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.SEE)])

SHOWN = 10


@router.get("/import")
def show(v: Seen) -> Response:
    """Show the ways of the register in and out."""
    return v.page("import.html", plan=None, key="", imports=imports_done(v.room, SHOWN))


@router.post("/import", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def dry_run(v: Seen, file: Annotated[UploadFile, File()]) -> Response:
    """Show what importing a file would do."""
    name, content = file.filename or "register.xlsx", file.file.read()
    plan = plan_of(v.room, name, content)
    key = "" if plan.errors else v.room.staging.hold(name, content, v.now)
    shown = Import.of(plan, dry_run=True)
    return v.page("import.html", plan=shown, key=key, imports=[], error_count=len(plan.errors))


@router.post("/import/confirm", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def confirm(v: Seen, key: Annotated[str, Form()]) -> Response:
    """Do what the dry run showed, planned anew on the register as it stands."""
    staged = v.room.staging.take(key, v.now)
    do_import(v.room, plan_of(v.room, staged.name, staged.content), by=v.name)
    return back("/import?done=imported")


@router.post("/import/undo", dependencies=[allowed(Right.REGISTER, everywhere=True)])
def undo(v: Seen, number: Annotated[str, Form()]) -> Response:
    """Put back what an import changed."""
    undo_import(v.room.writing(Right.REGISTER), number, act(v.room, v.name))
    return back("/import?done=undone")
