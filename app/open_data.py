"""`odecet open-data`: all open data as files in a folder, their records checked by the rules of the catalogue."""

from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx

from app.exchange import Asker, answers, problem_of
from config.settings import Settings
from core.errors import InputError
from services.open_data import METADATA_ENDING, faults_of

CATALOGUE = "/api/v1/open-data"


def write_open_data(settings: Settings, folder: Path) -> bool:
    """Write catalogue, records, tables and their descriptions; return whether the records keep all rules."""
    folder.mkdir(parents=True, exist_ok=True)
    with answers(settings) as ask:
        catalogue = _got(ask, CATALOGUE)
        wrong = _told("katalog.jsonld", catalogue)
        (folder / "katalog.jsonld").write_bytes(catalogue.content)
        for iri in catalogue.json()["datová_sada"]:
            key = urlsplit(iri).path.rpartition("/")[2]
            record = _got(ask, f"{CATALOGUE}/{key}")
            wrong += _told(f"{key}.jsonld", record)
            (folder / f"{key}.jsonld").write_bytes(record.content)
            for ending in (".csv", METADATA_ENDING):
                (folder / f"{key}{ending}").write_bytes(_got(ask, f"{CATALOGUE}/{key}{ending}").content)
    click.echo(f"{folder}: {'all rules of DCAT-AP-CZ are kept' if not wrong else f'{wrong} rules are not kept'}")
    return not wrong


def _got(ask: Asker, path: str) -> httpx.Response:
    answer = ask(path, {})
    if answer.is_error:
        raise InputError(problem_of(answer), place=path, remedy="mend what it tells")
    return answer


def _told(name: str, record: httpx.Response) -> int:
    """Say which rules a record does not keep, and return how many."""
    found = faults_of(record.json())
    for fault in found:
        click.echo(f"{name}: {fault}", err=True)
    return len(found)
