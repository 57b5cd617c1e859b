"""Reports written as files: asked of the API over the stores here, or of the process that holds them."""

import re
import sys
from pathlib import Path

import click
import httpx

from app.exchange import answers, problem_of
from config.settings import Settings
from core.errors import InputError
from core.report_periods import ReportId

_NAMED = re.compile(r'filename="([^"]+)"')


def write_report(
    settings: Settings, kind: str, period: str, *, form: str, output: Path | None, open_state: bool
) -> None:
    """Write a report to a file, named after the report where no name is given; raise InputError where it cannot be."""
    asked = ReportId.parse(kind, period)
    question = {"format": form, **({"state": "open"} if open_state else {})}
    with answers(settings) as ask:
        answer = ask(f"/api/v1/reports/{asked.kind}/{asked.period}", question)
    if answer.is_error:
        raise InputError(problem_of(answer), place=f"report {asked}", remedy="mend what it tells")
    if str(output) == "-":
        sys.stdout.buffer.write(answer.content)
        return
    file = output or Path(_name(answer, asked, form))
    try:
        file.write_bytes(answer.content)
    except OSError as err:
        raise InputError(err.strerror or str(err), place=str(file), remedy="name a file that can be written") from err
    click.echo(f"{file}: {len(answer.content) / 1024:.0f} kB", err=True)


def _name(answer: httpx.Response, asked: ReportId, form: str) -> str:
    found = _NAMED.search(answer.headers.get("content-disposition", ""))
    return found[1] if found else f"{asked.kind}-{asked.period}.{form}"
