"""`odecet weather`: a station's temperatures from a file or an archive, through the API that holds the stores."""

from pathlib import Path

import click
import httpx

from app.exchange import answers, problem_of
from config.settings import Settings
from core.errors import InputError, SourceUnavailable

UNAVAILABLE = 503


def import_file(settings: Settings, file: Path, *, station: str, zone: str) -> None:
    """Store the temperatures of a file as a station's; raise InputError with the rows that cannot be right."""
    if not file.exists():
        raise InputError("file is not there", place=str(file), remedy="check the path")
    question = {"name": file.name} | ({"zone": zone} if zone else {})
    done = _posted(settings, f"/api/v1/stations/{station}/temperatures", question, file.read_bytes())
    click.echo(f"{file}: {done['stored']} temperatures stored for station {station}")


def fetch(settings: Settings, *, station: str, first: str) -> None:
    """Fetch a station's temperatures from the archive, from a day on until yesterday."""
    done = _posted(settings, f"/api/v1/stations/{station}/fetch", {"from": first} if first else {}, b"")
    click.echo(f"{done['stored']} hours fetched for station {station}")


def _posted(settings: Settings, path: str, question: dict[str, str], content: bytes) -> dict[str, int]:
    with answers(settings) as ask:
        answer = ask(path, dict(question), method="POST", content=content)
    if answer.is_error:
        raise _error(answer)
    done: dict[str, int] = answer.json()
    return done


def _error(answer: httpx.Response) -> Exception:
    problem = problem_of(answer)
    return SourceUnavailable(problem) if answer.status_code == UNAVAILABLE else InputError(problem)
