"""The doors that bombs are sent to: everything that reads what somebody gives, in one process on real stores."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from app.backup_restore import restore
from app.clock import now
from app.wiring import Parts, build
from config.settings import Settings
from core.plan import Activity, Area, Figure, Indicator, ReportKind
from core.registry import Entity, Station
from ingest.profiles.catalog import catalog
from reports import word
from storage import backup_readings
from storage.backup_archive import Member, packed
from tests.unit import bombs, report_world
from tests.unit.api_world import InProcess

FILE_DOORS: Final = frozenset({
    "POST /api/v1/imports/readings",
    "POST /api/v1/register/import",
    "POST /api/v1/stations/{key:path}/temperatures",
    "POST /import",
    "POST /imports",
    "POST /stations/{key:path}/file",
    "POST /deliveries/{kind}/{period}/{area}",
})  # fmt: skip
"""Where a file comes in over HTTP."""
OTHERS_DOORS: Final = frozenset({
    "POST /api/v1/documents",
    "POST /buildings/{key:path}/documents",
    "POST /api/v1/deliveries/{kind}/{period}/{area}/values/{indicator}/evidence",
})  # fmt: skip
"""Doors that keep a file as it is, by what evidence is kept by."""
PAGES: Final = frozenset({"POST /import", "POST /imports", "POST /stations/{key:path}/file"})
SOME: Final = (
    "bomb.xlsx lying",
    "bomb.xlsx sheet: billion laughs",
    "bomb.csv columns without end",
    "bomb.csv giant cell",
)
"""What a page is sent, which reads by the same code as its API: to see how it tells it."""
SLOW: Final = ("bomb.csv lines without end", "bomb.csv cells without end")
"""Long tables, which all doors read by the same code."""
REGISTER: Final[tuple[Entity, ...]] = (
    Station(id="s", name="Liberec"),
    Area(id="a", name="Energetika", priority_area="Životní prostředí"),
    Activity(id="c", area="a", name="Regulace"),
    Indicator(id="i", area="a", name="Počet", figures=(Figure(key="pocet", name="Počet", unit=""),)),
)
PAGE: Final = {"accept": "text/html", "accept-language": "cs"}
Try = tuple[str, str, Callable[[], Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """A running Odečet to which bombs are sent."""

    folder: Path
    parts: Parts
    client: httpx.Client

    def __iter__(self) -> Iterator[Try]:
        """Yield door, bomb, and what sends it."""
        yield from self._files()
        yield from self._bodies()
        yield from self._profiles()
        yield from self._messages()
        yield from self._templates()
        yield from self._backups()

    def _said(self, send: Callable[[], httpx.Response]) -> str:
        answer = send()
        return f"{answer.status_code} {answer.text[:20_000]}"

    def _files(self) -> Iterator[Try]:
        given = {f"bomb.xlsx {n}": c for n, c in bombs.workbooks().items()}
        given |= {f"bomb.csv {n}": c for n, c in bombs.tables().items()}
        for door in sorted(d for d in FILE_DOORS if "deliveries" not in d):
            path = door.partition(" ")[2].replace("{key:path}", "s")
            for bomb in SOME if door in PAGES else given:
                if bomb in SLOW and door != "POST /api/v1/imports/readings":
                    continue
                if "/stations/" not in path or "xlsx" not in bomb or bomb in SOME:  # text alone is read there
                    sent = partial(self._file, path, bomb.split()[0], given[bomb])
                    yield door, bomb, partial(self._said, sent)
        for bomb, content in bombs.archives("[Content_Types].xml").items():
            yield "evidence", bomb, partial(self._said, partial(self._evidence, content))

    def _file(self, path: str, name: str, content: bytes) -> httpx.Response:
        asked = {} if path.startswith("/api") else PAGE
        if path.endswith("/temperatures"):
            return self.client.post(path, content=content, headers={"content-type": "text/csv"})
        return self.client.post(path, files={"file": (name, content)}, headers=asked)

    def _evidence(self, content: bytes) -> httpx.Response:
        sent = {"file:i": ("bomb.xlsx", content)}
        data = {"number:i:pocet": "1", "version": "1"}
        return self.client.post("/deliveries/annual/2025/a", files=sent, data=data, headers=PAGE)

    def _bodies(self) -> Iterator[Try]:
        described = self.client.get("/api/v1/openapi.json").json()["paths"]
        for path, operations in described.items():
            filled = path.replace("{kind}", "annual").replace("{period}", "2025").replace("{area}", "a")
            filled = "/".join("s" if part.startswith("{") else part for part in filled.split("/"))
            for method, told in operations.items():
                if "application/json" not in told.get("requestBody", {}).get("content", {}):
                    continue
                for bomb, content in bombs.jsons().items():
                    kind = {"content-type": "application/json", "if-match": "*"}
                    kind |= {"content-encoding": "gzip"} if bomb == "gzip" else {}
                    send = partial(self.client.request, method.upper(), filled, content=content, headers=kind)
                    yield f"{method.upper()} {path}", bomb, partial(self._said, send)
        for bomb, content in bombs.jsons().items():
            yield "POST /imports/confirm", bomb, partial(self._said, partial(self._confirmed, content))

    def _confirmed(self, mapping: bytes) -> httpx.Response:
        shown = self._file("/imports", "a.csv", b"Datum;kWh\r\n1.1.2026;1\r\n")
        found = re.search(r'name="key" value="([^"]+)"', shown.text)
        assert found is not None, shown.text
        data = {"key": found[1], "mapping": mapping[:900_000].decode("latin-1")}
        return self.client.post("/imports/confirm", data=data, headers=PAGE)

    def _profiles(self) -> Iterator[Try]:
        for bomb, text in bombs.tomls().items():
            send = partial(self.client.post, "/api/v1/profiles", json={"text": text})
            yield "profile as TOML", bomb, partial(self._said, send)

    def _messages(self) -> Iterator[Try]:
        payloads = {**bombs.xmls(), **bombs.jsons(), **bombs.tables()}
        largest = self.parts.settings.ingest.max_payload_bytes
        for form, topic in topics(self.parts).items():
            for bomb, content in payloads.items():
                yield f"message {form}", bomb, partial(self._taken, topic, content[:largest])
        yield "message json", "too large", partial(self._taken, "odecet/em-1", b" " * (largest + 1))

    def _taken(self, topic: str, payload: bytes) -> str:
        taken = self.parts.intake.take(topic, payload, source="mqtt", now=now())
        return f"{taken.readings} readings; rejected {taken.rejected[:1]}; ignored {taken.ignored}"[:300]

    def _templates(self) -> Iterator[Try]:
        given = {f"document: {n}": _document(c) for n, c in bombs.xmls().items()}
        for bomb, content in {**given, **bombs.archives("word/document.xml")}.items():
            file = self.folder / "bomb.docx"

            def fill(content: bytes = content, file: Path = file) -> str:
                file.write_bytes(content)
                made = word.word(report_world.report(ReportKind.ANNUAL, "2025"), report_world.why, template=file)
                return f"made {len(made)} bytes"

            yield "template of a report", bomb, fill

    def _backups(self) -> Iterator[Try]:
        for bomb, members in backups(self.parts).items():
            file = self.folder / "bomb.tar"
            settings = _settings(self.folder / "empty")

            def put(members: list[Member] = members, file: Path = file, settings: Settings = settings) -> str:
                head = {"odecet": "1", "readings": "duckdb", "records": "sqlite"}
                file.write_bytes(b"".join(packed(head, members, datetime(2026, 1, 1, tzinfo=UTC))))
                restore(settings, file, replace=True)
                return "restored"

            yield "odecet restore", bomb, put


def topics(parts: Parts) -> Mapping[str, str]:
    """Return a topic that is read as each form of payloads, and ones of discovery and Sparkplug."""
    found = {
        "json": "odecet/em-1",
        "discovery": "homeassistant/sensor/a/b/config",
        "homie": "homie/a/$homie",
        "bridge": "zigbee2mqtt/bridge/devices",
        "sparkplug": "spBv1.0/g/DDATA/n/d",
    }
    for profile in catalog(None, site=parts.settings.calendar.zone).profiles:
        if profile.source.spec.match.topics:
            words = profile.source.spec.match.topics[0].split("/")
            topic = "/".join("1" if "{" in word or word in {"+", "#"} else word for word in words)
            found.setdefault(profile.source.spec.decode.form, topic)
    return found


def _document(content: bytes) -> bytes:
    import io  # noqa: PLC0415 - of this function alone
    import zipfile  # noqa: PLC0415 - same

    made = io.BytesIO()
    with (
        zipfile.ZipFile(word.TEMPLATES / "vyrocni-zprava.docx") as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in source.namelist():
            out.writestr(name, content if name == "word/document.xml" else source.read(name))
    return made.getvalue()


SCHEMA: Final = {"revision": "0009", "tables": {"jobs": {"id": "text"}}, "numbers": {}}


def backups(parts: Parts) -> dict[str, list[Member]]:
    """Return the members of archives that are bombs, or write where they should not."""
    schema = Member("records/schema.json", json.dumps(SCHEMA).encode())
    plain = [Member("settings.json", b"{}"), schema, *backup_readings.members(parts.readings, [])]

    def rows(content: bytes) -> list[Member]:
        return [*plain, Member("records/jobs/000001.jsonl.gz", content, 1)]

    return {
        "rows of zeros": rows(gzip.compress(bytes(512 * bombs.MB), 1)),
        "deep rows": rows(gzip.compress(b"[" * bombs.DEEP)),
        "deep schema": [Member("settings.json", b"{}"), Member("records/schema.json", b"[" * bombs.DEEP)],
        "no schema": [Member("settings.json", b"{}"), Member("records/schema.json", b"[1]")],
        "unknown table": [*plain, Member('records/x"; DROP TABLE jobs; --/000001.jsonl.gz', gzip.compress(b"[1]"), 1)],
        "folder above": [*plain, Member("files/../../escaped.toml", b"x")],
        "folder above alone": [*plain, Member("files/..", b"x")],
        "absolute": [*plain, Member("/tmp/escaped.toml", b"x")],  # noqa: S108 - it is to be refused
        "of another system": [*plain, Member("files\\..\\..\\escaped.toml", b"x")],
        "end of a word": [*plain, Member("files/a\x01b.toml", b"x")],
    }


def _settings(folder: Path, ingest: Mapping[str, str] | None = None) -> Settings:
    given = {"data": {"folder": str(folder)}, "weather": {"fetch": False}, "ingest": ingest or {}}
    return Settings.model_validate(given)


@contextmanager
def opened(folder: Path) -> Iterator[Doors]:
    """Open an Odečet on stores in a folder, and everything that is loaded when first used."""
    (folder / "var").mkdir()
    (folder / "profiles").mkdir()
    parts = build(_settings(folder / "var", {"profiles_folder": str(folder / "profiles")}))
    parts.readings.start()
    parts.records.start()
    parts.records.save(REGISTER, by="test", now=now())
    word.word(report_world.report(ReportKind.ANNUAL, "2025"), report_world.why)
    app = parts.api(ingesting=False, open_access=True)
    client = httpx.Client(transport=InProcess(app), base_url="http://o.test")
    client.post("/deliveries/annual/2025/a", data={"number:i:pocet": "1", "version": "0"}, headers=PAGE)
    try:
        yield Doors(folder=folder, parts=parts, client=client)
    finally:
        parts.records.close()
        parts.readings.close()
