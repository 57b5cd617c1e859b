"""Text that wants to be markup, script, a template or a formula: on no page, in no file and no mail does it become one.

Two regions alike, in one of which every text and id that can be written is hostile: whatever is made of them has the
same elements and attributes in both.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, get_args
from urllib.parse import quote

import httpx
import openpyxl
import pytest

from api.doors import Door, doors
from core.people import Role
from core.registry import Entity, Point
from ingest.tables import FileTables
from tests.unit import hostile_world as hostile
from tests.unit.access_world import MORE, Region, region, together
from tests.unit.api_fakes import NOW, Rates
from tests.unit.api_world import REGISTER
from tests.unit.test_access_walk import KEYS, NAMES

NOT_ASKED: Final = re.compile(r"/static/|/metrics|/health|/ready|/api/v1/backup|/login|/enter|/password")
ADDRESSES: Final = frozenset({"href", "src", "action", "formaction", "data-load", "data-live", "xlink:href", "srcset"})
VOLATILE: Final = re.compile(r"n+|[0-9a-f]{16,}|[\w-]{22,}|\d+")


@dataclass
class Seen(HTMLParser):
    """The elements of a page with the names of their attributes, its addresses and its scripts."""

    elements: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    within: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]
        self.within = tag if tag in {"script", "style"} else ""
        if self.within:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - scripts and styles hold no other element
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within:
            self.scripts[-1] += data
        else:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - what it says is of no matter
        self.elements.append(("!--", ()))


def seen(text: str) -> Seen:
    made = Seen()
    made.feed(text)
    made.close()
    return made


@dataclass(frozen=True)
class Twin:
    """What every door answers of a region, by the door and whose things it is asked about."""

    text: str
    answers: dict[str, httpx.Response]


def addresses(world: Region, key: str) -> Iterator[tuple[str, str]]:
    """Yield what is asked, named alike for both regions, and its address."""
    for door in doors(world.app):
        if door.method != "GET" or NOT_ASKED.match(door.path):
            continue
        for whose in ("theirs", "ours") if "{" in door.path else ("",):
            for form in ("", "csv", "xlsx") if whose != "ours" else ("",):
                address = filled(door, world, key if whose == "theirs" else "")
                yield f"{door.path} {whose} {form}".strip(), f"{address}{f'?format={form}' if form else ''}"


def filled(door: Door, world: Region, key: str) -> str:
    return filled_path(door.path, world, key)


def filled_path(path: str, world: Region, key: str = "") -> str:
    """Return an address of something of this id, where it is empty of something that there is."""

    def value(found: re.Match[str]) -> str:
        before = path[: found.start()].rstrip("/").rpartition("/")[2]
        name = found[1].partition(":")[0]
        if name == "number":
            return "1"
        if before == "alerts":
            return world.alerts["B01"]
        return quote(key, safe="") if key else KEYS.get(before) or NAMES.get(name, "none")

    return re.sub(r"\{([^}]*)\}", value, path)


def twin(folder: Path, text: str, key: str) -> Twin:
    folder.mkdir()
    known = [one.id for one in (*REGISTER, *MORE) if isinstance(one, Point)]
    ask = Rates({point: (2.0, "kWh", NOW - timedelta(days=500), NOW) for point in (*known, key)})
    with region(folder, tables=FileTables(), ask=ask, open_access=True) as world:
        hostile.dress(world.records, text, key, NOW)
        asked = dict(addresses(world, key))
        headers = {"accept": "text/html, */*", **world.key(Role.ADMINISTRATOR)}
        got = together(world.app, [httpx.Request("GET", f"http://o.test{a}", headers=headers) for a in asked.values()])
    return Twin(text=text, answers=dict(zip(asked, got, strict=True)))


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Twin, Twin]:
    folder = tmp_path_factory.mktemp("twins")
    good = twin(folder / "good", hostile.HARMLESS, hostile.HARMLESS_ID)
    return good, twin(folder / "bad", hostile.HOSTILE, hostile.HOSTILE_ID)


def of_type(found: Twin, kind: str) -> dict[str, httpx.Response]:
    return {name: a for name, a in found.answers.items() if a.headers.get("content-type", "").startswith(kind)}


def test_every_door_answers_of_hostile_things_as_of_harmless_ones(twins: tuple[Twin, Twin]) -> None:
    good, bad = twins
    fine = {*range(200, 500), 503}  # 503: of what this process does not do
    other = [
        f"{name}: {answer.status_code}, not {good.answers[name].status_code}"
        for name, answer in bad.answers.items()
        if answer.status_code != good.answers[name].status_code or answer.status_code not in fine
    ]
    assert other == []
    assert len(of_type(bad, "text/html")) > 60


def test_no_text_becomes_an_element_or_an_attribute(twins: tuple[Twin, Twin]) -> None:
    good, bad = twins
    wrong = []
    for name, answer in of_type(bad, "text/html").items():
        mine, other = seen(answer.text), seen(good.answers[name].text)
        if sorted(mine.elements) != sorted(other.elements):  # lists are in the order of names
            extra = [e for e in mine.elements if e not in other.elements][:3]
            wrong.append(f"{name}: {len(mine.elements)} elements, not {len(other.elements)}: {extra}")
    assert wrong == []


def test_no_address_and_no_script_is_made_of_a_text(twins: tuple[Twin, Twin]) -> None:
    wrong = []
    for name, answer in of_type(twins[1], "text/html").items():
        page = seen(answer.text)
        wrong += [
            f"{name}: {a[:80]}"
            for a in page.addresses
            if not re.match(r"(/(?!/)|\?|#|\.|data:image/|mailto:|https?:|$)", a)
        ]
        wrong += [f"{name}: {script[:80]}" for script in page.scripts if script.strip() and not is_data(script)]
    assert wrong == []


def is_data(script: str) -> bool:
    try:
        json.loads(script)
    except ValueError:
        return False
    return "<" not in script


def test_no_text_is_run_as_a_template(twins: tuple[Twin, Twin]) -> None:
    shown = " ".join(word for answer in of_type(twins[1], "text/html").values() for word in seen(answer.text).words)
    assert shown.count("{{7*7}}${7*7}") > 50
    assert "struck()49" not in shown
    assert "}$49" not in shown


def test_every_kind_of_thing_was_shown_with_the_hostile_text(twins: tuple[Twin, Twin]) -> None:
    _, bad = twins
    for kind in get_args(Entity):
        assert hostile.texts_of(kind) or kind.__name__ == "Meter", kind
    lacking = [
        name
        for name, answer in of_type(bad, "text/html").items()
        if answer.status_code == 200 and "struck" not in answer.text
    ]
    assert len(lacking) < len(of_type(bad, "text/html")) / 2, lacking


def test_exported_tables_hold_no_formula(twins: tuple[Twin, Twin]) -> None:
    _, bad = twins
    cells = 0
    for name, answer in of_type(bad, "text/csv").items():
        text = answer.content.decode("utf-8-sig")
        for row in csv.reader(io.StringIO(text), delimiter=";" if text.split("\n")[0].count(";") else ","):
            cells += len(row)
            assert [c for c in row if re.match(r"[=+@\t\r]|-(?![\d,. ]*$)", c)] == [], name
    books = of_type(bad, "application/vnd.openxmlformats-officedocument.spreadsheetml")
    for name, answer in books.items():
        for page in openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets:
            found = [cell.value for row in page.iter_rows() for cell in row if cell.data_type == "f"]
            assert found == [], name
            cells += page.max_row
    assert cells > 100
    assert books


def test_headers_hold_no_line_and_no_quote_of_a_text(twins: tuple[Twin, Twin]) -> None:
    for name, answer in twins[1].answers.items():
        told = answer.headers.get("content-disposition", "")
        assert re.fullmatch(
            r"""(?:(?:attachment|inline)(?:; filename="[^"\\/\x00-\x1f]*"|; filename\*=UTF-8''[\w.%~-]*)*)?""", told
        ), name
        assert answer.headers.get("content-security-policy", "").startswith("default-src"), name
