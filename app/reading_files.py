"""`odecet import readings`: a table of readings to the stores here, or to the process that holds them."""

import getpass
from pathlib import Path
from typing import Any, Final

import click
import httpx
import msgspec

from app.exchange import answers, problem_of
from config.settings import Settings
from core.errors import InputError, NotFound

PATH: Final = "/api/v1/imports/readings"
SHOWN: Final = 50


def import_readings(settings: Settings, file: Path, *, dry_run: bool, mapping: str, **given: Any) -> None:  # noqa: ANN401 - options of the command
    """Import a table of readings after telling what it says; with errors nothing is stored."""
    if not file.exists():
        raise InputError("file is not there", place=str(file), remedy="check the path")
    question = {
        "name": file.name,
        "mapping": _mapping(mapping),
        "by": given["by"] or getpass.getuser(),
        "why": given["why"],
        "partial": str(given["partial"]).lower(),
    }
    content = file.read_bytes()
    with answers(settings) as ask:
        told = _answer(ask(PATH, {**question, "mode": "dry-run"}, method="POST", content=content))
        _tell(told)
        if told["errors"] and not given["partial"]:
            raise InputError(f"{len(told['errors'])} errors, nothing was stored", place=str(file), remedy="mend them")
        if dry_run:
            click.echo("dry run: nothing was stored")
            return
        done = _answer(ask(PATH, {**question, "mode": "apply"}, method="POST", content=content))
    click.echo(f"imported; to undo it: odecet import undo {done['id']}" if done["id"] else "nothing to change")


def _mapping(given: str) -> str:
    """Return the JSON of a mapping: itself, or of the file that is named."""
    if not given or given.lstrip().startswith("{"):
        return given
    path = Path(given)
    if not path.exists():
        raise InputError("the mapping is neither JSON nor a file", place=given, remedy='write {"amount": "dial"}')
    return path.read_text("utf-8")


def _answer(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise InputError(problem_of(answer), remedy="mend the file or the mapping and repeat")
    return msgspec.json.decode(answer.content, type=dict[str, Any])


def _tell(told: dict[str, Any]) -> None:
    click.echo(f"mapping: {msgspec.json.encode(told['mapping']).decode()}")
    click.echo(f"new: {told['new']}, changed: {told['changed']}, as before: {told['same']}")
    for s in told["series"][:SHOWN]:
        what = "amounts" if s["kind"] == "interval" else "dial"
        click.echo(
            f"  {s['meter']} {s['register']} ({what}): {s['new']} new, {s['changed']} changed, {s['same']} as before, "
            f"{s['first']} to {s['last']}, in all {s['amount']:.6g} {s['unit']}"
        )
    for kind in ("remarks", "errors"):
        for f in told[kind][:SHOWN]:
            place = f"{f['sheet']}: row {f['row']}, column {f['column']}: " if f["row"] else ""
            click.echo(f"  {place}{f['problem']}; {f['remedy']}", err=kind == "errors")
        if len(told[kind]) > SHOWN:
            click.echo(f"  and {len(told[kind]) - SHOWN} more {kind}", err=kind == "errors")


def undo_readings(settings: Settings, number: str) -> bool:
    """Undo an import of readings; return whether there is one of that id."""
    with answers(settings) as ask:
        answer = ask(f"{PATH}/{number}/undo", {}, method="POST")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        done = _answer(answer)
    click.echo(f"undone: {done['readings']} readings taken back")
    return True


def undo_any(settings: Settings, number: str, *, by: str, why: str) -> None:
    """Undo an import of readings or of the register."""
    from app.exchange import undo  # noqa: PLC0415 - the other half of the command

    if undo_readings(settings, number):
        return
    try:
        undo(settings, number, by=by, why=why)
    except NotFound as err:
        raise InputError(f"import {number} is not known", remedy="take the id that the import told") from err
