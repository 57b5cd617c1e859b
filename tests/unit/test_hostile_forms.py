"""Every form of every page, each field filled with what no form shows: an answer, no fault, and nothing of it runs."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from core.people import Role
from ingest.tables import FileTables
from tests.unit.access_world import Region, region, together
from tests.unit.hostile_world import HOSTILE, HOSTILE_ID
from tests.unit.test_hostile_text import filled_path, seen

WORDS: Final = (
    HOSTILE,
    HOSTILE_ID,
    "",
    "-1",
    "9" * 4_400,
    "1e999",
    "NaN",
    "2026-02-30",
    "\x00",
    "²",
    "[[",
    "\ud7ff\uffff",
)
STAYS: Final = re.compile(r"/(login|logout|enter|password|account|api)")
"""Ways in and out, which have tests of their own."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with region(tmp_path_factory.mktemp("forms"), tables=FileTables(), open_access=True) as made:
        yield made


def fields_of(dependant: Dependant) -> Iterator[str]:
    for param in dependant.body_params:
        inner = getattr(param.field_info.annotation, "model_fields", None)
        yield from inner or [param.alias]
    for one in dependant.dependencies:
        yield from fields_of(one)


def forms(world: Region) -> Iterator[tuple[str, str, list[str]]]:
    for context in iter_route_contexts(world.app.routes):
        route = context.original_route
        path = context.path or ""
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()) and not STAYS.match(path):
            yield path, filled_path(path, world), sorted(set(fields_of(route.dependant)))


READ_BY_HAND: Final = (
    "version", "act", "comment", "name", "id", "key", "at", "final", "first", "device", "register", "since", "until",
    "sheet", "sheet_shown", "topic", "payload", "format", "letter", "rules", "number:E1:pocet", "comment:E1",
    "text:realised", "numbers", "days",
)  # fmt: skip
"""Fields that some routes read out of the form themselves."""


def test_no_field_of_a_form_makes_a_fault(world: Region) -> None:
    asked, told = [], []
    headers = {"accept": "text/html", "accept-language": "cs", **world.key(Role.ADMINISTRATOR)}
    for path, address, names in forms(world):
        for word in WORDS:
            data = dict.fromkeys([*READ_BY_HAND, *names], word)
            asked.append(httpx.Request("POST", f"http://o.test{address}", data=data, headers=headers))
            told.append(f"{path} {word[:20]!r}")
    answers = together(world.app, asked)
    wrong = [f"{t}: {a.status_code}" for t, a in zip(told, answers, strict=True) if a.status_code in {500, 502}]
    assert len(asked) > 300
    assert wrong == []
    for name, answer in zip(told, answers, strict=True):
        if answer.headers.get("content-type", "").startswith("text/html"):
            page = seen(answer.text)
            assert not any("struck" in part for part in page.scripts), name
            assert not any("onerror" in attributes or "onload" in attributes for _, attributes in page.elements), name
        assert "\n" not in answer.headers.get("location", "")
        assert not re.match(r"(?!/[^/\\])", answer.headers.get("location", "/x")), (name, answer.headers["location"])


def test_no_word_of_an_address_makes_a_fault(world: Region) -> None:
    """Filters, sorts, searches, periods and languages of every page and every list of the API."""
    asked, told = [], []
    headers = {"accept": "text/html", **world.key(Role.ADMINISTRATOR)}
    for context in iter_route_contexts(world.app.routes):
        route, path = context.original_route, context.path or ""
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()) or re.match("/static|/login", path):
            continue
        names = sorted(set(queries(route.dependant))) or ["q"]
        for word in WORDS:
            query = "&".join(f"{name}={quote(word[:400], safe='')}" for name in [*names, "lang"])
            asked.append(httpx.Request("GET", f"http://o.test{filled_path(path, world)}?{query}", headers=headers))
            told.append(f"{path} {word[:20]!r}")
    answers = together(world.app, asked)
    assert len(asked) > 800
    assert [f"{t}: {a.status_code}" for t, a in zip(told, answers, strict=True) if a.status_code in {500, 502}] == []


def queries(dependant: Dependant) -> Iterator[str]:
    yield from (param.alias for param in dependant.query_params)
    for one in dependant.dependencies:
        yield from queries(one)
