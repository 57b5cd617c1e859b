"""Files and messages that are small and unpack to very much: every door refuses them, in bounded memory.

One child process holds a whole Odečet and is sent each bomb at each door; what it took is its own count of memory.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from api.doors import doors
from tests.unit import bomb_doors
from tests.unit.api_world import build_world

pytestmark = pytest.mark.timeout(300)

ROOT: Final = Path(__file__).parents[2]
MOST_MB: Final = 700
"""What a try may take: the bombs unpack to gigabytes, the largest file that is rightly read to some hundred MB."""
ELSEWHERE: Final = "503"
"""What this process says of meters that it does not simulate."""
HARMLESS: Final = frozenset({"bomb.xlsx sheet: deep"})
"""Elements that no reader looks at, on a sheet that is therefore empty."""

Told = dict[str, Any]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    folder = tmp_path_factory.mktemp("bombs")
    asked = [sys.executable, "-m", "tests.unit.bombs", str(folder)]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(folder.parent.rglob("escaped*")), "a restored archive wrote outside of its folder"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _shown(found: list[Told]) -> list[str]:
    return [f"{one['door']} | {one['bomb']} | {one['took_mb']} MB | {one['said'][:300]}" for one in found]


def test_memory_stays_bounded_at_every_door(told: list[Told]) -> None:
    assert len(told) > 500
    assert _shown([one for one in told if one["took_mb"] > MOST_MB]) == []


def test_every_door_answers_with_a_refusal_never_with_a_fault(told: list[Told]) -> None:
    wrong = [one for one in told if not _refused(one)]
    assert _shown(wrong) == []


def _refused(one: Told) -> bool:
    said = one["said"]
    if one["door"].startswith("message") or "/ingest/" in one["door"] or "/webhooks/" in one["door"]:
        return "0 readings" in said or '"readings":0' in said
    if one["bomb"] in HARMLESS and said.startswith("200"):
        return True
    if "simulations" in one["door"] and said.startswith(ELSEWHERE):
        return True
    return re.match(r"4\d\d |(Input|Profile)Error: \S+.*; \w", said, re.DOTALL) is not None


def test_a_page_tells_it_in_czech_with_place_and_remedy(told: list[Told]) -> None:
    said = {(one["door"], one["bomb"]): one["said"] for one in told}
    assert "Soubor je poškozený" in said["POST /import", "bomb.xlsx lying"]
    assert "Soubor definuje entity" in said["POST /imports", "bomb.xlsx sheet: billion laughs"]
    for door in bomb_doors.PAGES:
        assert "Tabulka má příliš mnoho buněk" in said[door, "bomb.csv columns without end"]
        assert "Rozdělte ho na menší soubory" in said[door, "bomb.csv columns without end"]
    assert "Soubor je po rozbalení příliš velký" in said["evidence", "overlapping"]


def test_nothing_of_the_machine_is_read_by_an_entity(told: list[Told]) -> None:
    assert _shown([one for one in told if "root:" in one["said"]]) == []


def test_every_door_that_takes_a_file_is_sent_bombs() -> None:
    """Routes with a file among what they declare; those that read a form themselves are found by their source."""
    app = build_world().app
    found = set()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()) and _takes_files(route):
            found.add(f"POST {context.path}")
    known = {f"{door.method} {door.path}" for door in doors(app)}
    assert found - bomb_doors.FILE_DOORS - bomb_doors.OTHERS_DOORS == set(), "send bombs to them: bomb_doors.FILE_DOORS"
    assert bomb_doors.FILE_DOORS - known == set()


def _takes_files(route: APIRoute) -> bool:
    declared = [p for d in [route.dependant, *route.dependant.dependencies] for p in d.body_params]
    if any("UploadFile" in str(param.field_info.annotation) for param in declared):
        return True
    media = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
    return "multipart/form-data" in media
