"""Opened stores for the contract suites."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from core.ports import RecordStore
from storage.records import SqlRecordStore
from tests.servers.postgres import PostgresServer, postgresql


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    postgres = postgresql(tmp_path_factory.mktemp("postgres"), durable=False)
    postgres.start()
    yield postgres
    postgres.remove()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/records/odecet.sqlite"


def postgres_url(server: PostgresServer) -> str:
    name = f"odecet_{uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.removesuffix("postgres") + name


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return postgres_url(request.getfixturevalue("server"))


@pytest.fixture
def store(url: str) -> Iterator[RecordStore]:
    opened = SqlRecordStore(url)
    opened.start()
    yield opened
    opened.close()
