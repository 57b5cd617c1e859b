"""`odecet import` and `odecet export`: the register as files, and consumption and readings as CSV."""

import asyncio
import getpass
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import click
import httpx

from app.clock import now
from app.entrance import command_headers
from app.process import address_of, own_trust
from app.wiring import build
from config.settings import Settings
from core.errors import InputError, StoreError, StoreInUse
from core.ports import RecordStore
from ingest.tables import FileTables
from services.exchange import Plan, apply_import, export_register, plan_import, undo_import
from services.register import By
from storage.records import SqlRecordStore

SHOWN_ERRORS = 50
Asked = Mapping[str, str | list[str]]
SAFE = "GET"


class Asker(Protocol):
    """Asks the API: of the stores here, or of the process that holds them."""

    def __call__(self, path: str, question: Asked, *, method: str = SAFE, content: bytes = b"") -> httpx.Response:
        """Return the answer, whatever its status."""
        ...


def _records(settings: Settings) -> RecordStore:
    settings.data.folder.mkdir(parents=True, exist_ok=True)
    records = SqlRecordStore(settings.records_url())
    records.start()
    return records


def _act(by: str, why: str) -> By:
    return By(by=by or getpass.getuser(), now=now(), why=why)


def import_register(settings: Settings, file: Path, *, dry_run: bool, by: str, why: str) -> None:
    """Import organisations, buildings, points, meters and swaps; with errors nothing is changed."""
    if not file.exists():
        raise InputError("file is not there", place=str(file), remedy="check the path")
    with closing(_records(settings)) as records:
        plan = plan_import(FileTables().read(file.name, file.read_bytes()), records, name=file.name)
        _tell(plan)
        if plan.errors:
            raise InputError(f"{len(plan.errors)} errors, nothing was changed", place=str(file), remedy="mend them")
        if dry_run:
            click.echo("dry run: nothing was changed")
            return
        done = apply_import(plan, records, _act(by, why))
        click.echo(f"imported; to undo it: odecet import --undo {done.id}" if done.id else "nothing to change")


def _tell(plan: Plan) -> None:
    for what, counts in (("new", plan.creates), ("changed", plan.updates), ("unchanged", plan.unchanged)):
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
        click.echo(f"{what}: {told or 'none'}")
    for fault in plan.errors[:SHOWN_ERRORS]:
        click.echo(
            f"  {fault.sheet}: row {fault.row}, column {fault.column}: {fault.problem}; {fault.remedy}", err=True
        )
    if len(plan.errors) > SHOWN_ERRORS:
        click.echo(f"  and {len(plan.errors) - SHOWN_ERRORS} more", err=True)


def undo(settings: Settings, key: str, *, by: str, why: str) -> None:
    """Undo an import: everything is as it was before."""
    with closing(_records(settings)) as records:
        done = undo_import(records, key, _act(by, why))
        click.echo(f"undone: {len(done.saved)} restored, {len(done.removed)} removed")


def export(settings: Settings, file: Path, *, language: str) -> None:
    """Write the whole register as XLSX, or one kind of it (the file's name tells) as CSV."""
    with closing(_records(settings)) as records:
        sheets = export_register(records, language="en" if language == "en" else "cs")
    if file.suffix.lower() == ".csv":
        sheets = [sheet for sheet in sheets if sheet.name == file.stem] or sheets
        if len(sheets) > 1:
            names = ", ".join(f"{sheet.name}.csv" for sheet in sheets)
            raise InputError("a CSV holds one sheet", place=str(file), remedy=f"name the file .xlsx, or one of {names}")
    file.write_bytes(FileTables().write(file.name, sheets))
    click.echo(f"{file}: {sum(len(sheet.rows) for sheet in sheets)} rows", err=True)


def export_answer(settings: Settings, file: Path, path: str, question: Asked) -> None:
    """Write the CSV that the API answers: of the stores here, or of the process that holds them."""
    rows, after = 0, ""
    with answers(settings) as ask, file.open("wb") as out:
        while True:
            answer = ask(path, {**question, **({"after": after} if after else {})})
            if answer.is_error:
                raise InputError(problem_of(answer), remedy="mend the question")
            heading, _, body = answer.content.partition(b"\r\n")
            out.write(body if after else heading + b"\r\n" + body)
            rows += body.count(b"\r\n")
            after = _next(answer)
            if not after:
                break
    click.echo(f"{file}: {rows} rows", err=True)


def _next(answer: httpx.Response) -> str:
    """Return the cursor of the next page, empty at the end."""
    following = answer.links.get("next", {}).get("url", "")
    return httpx.URL(following).params.get("after", "") if following else ""


def problem_of(answer: httpx.Response) -> str:
    """Return what the API says is wrong."""
    try:
        told = answer.json()
    except ValueError:
        return f"the API answered {answer.status_code}"
    return str(told.get("detail") or told.get("title") or answer.status_code)


CSV: Final = {"Accept": "text/csv"}


@contextmanager
def answers(settings: Settings) -> Iterator[Asker]:
    """Give what answers questions: the API over the stores here, else the process that holds them."""
    parts = build(settings)
    settings.data.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(parts.records.close)
        stack.callback(parts.readings.close)
        parts.records.start()
        try:
            parts.readings.start()
        except StoreInUse as held:
            headers = stack.enter_context(command_headers(settings))
            yield partial(_ask_running, settings, held, CSV | headers)
            return
        runner = stack.enter_context(asyncio.Runner())
        api = parts.api(ingesting=False, open_access=True)  # whoever opens the stores themselves has all of them

        def ask(path: str, question: Asked, *, method: str = SAFE, content: bytes = b"") -> httpx.Response:
            return runner.run(_ask_here(api, CSV, path, question, method, content))

        yield ask


async def _ask_here(  # noqa: PLR0917 - the parts of one request
    api: object, headers: Mapping[str, str], path: str, question: Asked, method: str, content: bytes
) -> httpx.Response:
    transport = httpx.ASGITransport(app=api)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://odecet", timeout=None) as client:  # noqa: S113 - ours
        return await client.request(method, path, params=question, headers=headers, content=content)


@contextmanager
def running(settings: Settings, held: StoreError, path: str) -> Iterator[Iterator[bytes]]:
    """Give the pieces of what the process that holds the stores answers; raise StoreInUse where it does not."""
    place = address_of(settings).rstrip("/")
    try:
        with (
            command_headers(settings) as headers,
            httpx.stream(
                "GET", f"{place}{path}", headers=headers, timeout=300, verify=own_trust(settings), trust_env=False
            ) as got,
        ):
            if got.is_error:
                got.read()
                raise InputError(problem_of(got), place=place, remedy="mend what it tells")
            yield got.iter_bytes()
    except httpx.HTTPError as err:
        raise StoreInUse(f"{held}; its API at {place} ended its answer ({err}): see the log of the process") from err


def _ask_running(
    settings: Settings,
    held: StoreError,
    headers: Mapping[str, str],
    path: str,
    question: Asked,
    *,
    method: str = SAFE,
    content: bytes = b"",
) -> httpx.Response:
    place = address_of(settings).rstrip("/")
    try:
        return httpx.request(
            method,
            f"{place}{path}",
            params=question,
            headers=headers,
            content=content,
            timeout=300,
            verify=own_trust(settings),
            trust_env=False,
        )
    except httpx.HTTPError as err:
        raise StoreInUse(
            f"{held}; its API at {place} does not answer ({err}):"
            " set api.bind and api.port as the running process has them, or end it"
        ) from err
