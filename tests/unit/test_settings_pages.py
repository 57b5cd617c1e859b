"""Pages of settings: every dated value with its source, no secret, and how stores and backups stand."""

import re
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.dependencies import Dependencies, IngestStatus
from api.room import Room
from app.dated_tables import PresentTables, table_files
from app.overview import libraries, overview
from app.wiring import day_types, facts
from config.dated import TABLES
from config.settings import load_settings
from core.own_rows import TABLE_OF
from tests.unit.api_world import World, build_world

CZECH = {"accept": "text/html", "accept-language": "cs"}
SECRETS = {
    "ODECET_API__TOKENS__ROBOT": "very-secret-token-of-a-robot",
    "ODECET_MQTT__PASSWORD": "secret-of-the-broker",
    "ODECET_MAIL__PASSWORD": "secret-of-the-mail",
    "ODECET_RECORDS__PASSWORD": "secret-of-the-records",
    "ODECET_RECORDS__URL": "postgresql://odecet@db:5432/odecet",
    "ODECET_OIDC__SECRET": "secret-of-the-provider",
    "ODECET_WEBHOOK__SECRET": "secret-of-the-hooks",
}


@cache
def served() -> World:
    return build_world()


@cache
def plain() -> Dependencies:
    deps: Dependencies = served().app.state.room.deps
    return deps


def with_deps(**changes: Any) -> World:  # noqa: ANN401 - of the dependencies
    made = served()
    made.app.state.room = Room(replace(plain(), metrics=CollectorRegistry(), **changes))
    return made


def world(**environ: str) -> World:
    settings = load_settings(environ=environ)
    tables = PresentTables(table_files(settings), plain().records, facts(settings, day_types(settings)))
    return with_deps(dated_tables=tables, overview=partial(overview, settings))


def page(made: World, path: str) -> str:
    with made.client() as client:
        answer = client.get(path, headers=CZECH)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_shown_with_its_source(table: str) -> None:
    made = world()
    text = page(made, f"/settings/tables?table={table}")
    rows = text.count('data-label="Zdroj"')
    files = table_files(load_settings(environ={}))
    assert rows == sum(TABLE_OF[row.kind] == table for row in files.rows) > 0
    assert f"config/{table}.toml" in text
    assert f"tables.{table}" in text


def test_a_further_version_replaces_a_row_and_both_are_shown(tmp_path: Path) -> None:
    own = tmp_path / "lide.toml"
    rows = [
        f'[[population]]\nid = "zkouska"\nplace = "Zkouška"\nat = 2026-01-01\ninhabitants = {value}\n'
        f'version = {version}\nsource = "zkušební zdroj {version}"\n'
        for version, value in ((1, 1000), (2, 1001))
    ]
    own.write_text("\n".join(rows), "utf-8")
    text = page(world(ODECET_TABLES__POPULATIONS=str(own)), "/settings/tables?table=populations")
    lines = [line for line in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) if "zkouska" in line]
    assert ["nahrazeno" in line for line in lines] == [False, True]
    assert ["zkušební zdroj 2" in line for line in lines] == [True, False]
    assert str(own) in text


def test_an_unknown_table_shows_the_first() -> None:
    assert "Emisní faktory" in page(world(), "/settings/tables?table=../../etc/passwd")


def test_no_secret_is_shown_and_what_is_set_is() -> None:
    text = page(world(**SECRETS), "/settings/system")
    assert not [secret for name, secret in SECRETS.items() if name != "ODECET_RECORDS__URL" and secret in text]
    assert "postgresql://odecet@db:5432/odecet" in text
    assert text.count("***") == len(SECRETS) - 1


def test_the_backups_of_the_folder_are_listed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "odecet-20260313T010203Z.tar").write_bytes(b"x" * 2_500_000)
    (tmp_path / "odecet-20260314T010203Z.tar.part").write_bytes(b"half")
    (tmp_path / "letter.txt").write_bytes(b"private")
    text = page(world(ODECET_BACKUP__FOLDER=str(tmp_path)), "/settings/system")
    assert "odecet-20260313T010203Z.tar" in text
    assert "2,5 MB" in text
    assert ".part" not in text
    assert "letter.txt" not in text


def test_without_backups_the_page_says_so(tmp_path: Path) -> None:
    assert "Zálohy se samy nedělají" in page(world(), "/settings/system")
    assert "Zatím žádná není." in page(world(ODECET_BACKUP__FOLDER=str(tmp_path)), "/settings/system")


def test_what_does_not_work_is_told() -> None:
    made = world()
    assert page(made, "/settings/system").count("dot good") == 3
    made.records.down = True
    assert "the database does not answer" in page(made, "/settings/system")
    made.records.down = False
    made.ingest[0] = IngestStatus(connected=False, detail="connecting: refused")
    text = page(made, "/settings/system")
    assert "nefunguje" in text
    assert "connecting: refused" in text
    made.ingest[0] = None
    assert "odečty přijímá jiný proces" in page(made, "/settings/system")


def test_a_process_that_is_not_told_of_shows_what_it_knows() -> None:
    made = with_deps()
    assert "Tabulka je prázdná." in page(made, "/settings/tables")
    assert "Provoz" in page(made, "/settings/system")


def test_every_library_has_a_version_and_a_licence() -> None:
    found = libraries()
    assert len(found) > 20
    assert [one.name for one in found if not (one.version and one.licence)] == []
