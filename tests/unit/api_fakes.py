# ruff: noqa: ARG002, ANN401 - ports name arguments that a memory does not need
"""Small stores in memory that keep the contracts of core.ports, and an app on them: what the API's tests stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import msgspec
import numpy as np
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.application import Dependencies, IngestStatus, build_api
from core.calendar import Period, instant, spans
from core.errors import Conflict, InputError, NotFound, StoreUnavailable
from core.notes import AuditEntry, DeadLetter, Finding, InboxItem, Job, PointFinding, Rule
from core.ports import Sheet, Taken, Touched
from core.readings import Readings, SeriesKey, concat, last_wins
from core.registry import (
    Building,
    BuildingKind,
    Commodity,
    Dated,
    DialEvent,
    Entity,
    Meter,
    Organisation,
    Point,
    Role,
    Term,
)
from core.rollup import RollUp
from services.consumption import PointConsumption, Question

NOW = datetime(2026, 3, 15, 10, 0, tzinfo=UTC)
TABLES = {
    Organisation: "organisation",
    Building: "building",
    Point: "point",
    Meter: "meter",
    DialEvent: "dial_event",
}
REFERS = {Building: {"organisation": Organisation}, Point: {"building": Building}, Meter: {"point": Point}}


class MemoryReadings:
    """A reading store in memory."""

    def __init__(self) -> None:
        self.kept = Readings.empty()
        self.lost = Readings.empty()
        self.down = False

    def start(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to release."""

    def ready(self) -> None:
        if self.down:
            raise StoreUnavailable("the disk of readings is full")

    def write(self, readings: Readings) -> None:
        self.ready()
        self.kept, lost = last_wins(concat([self.kept, readings]))
        self.lost = concat([self.lost, lost])

    def _of(self, held: Readings, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        self.ready()
        inside = (held.at >= start) & (held.at < end)
        parts = [held.take(inside).of_series(key) for key in series]
        return concat([p for p in parts if len(p)])

    def read(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        return self._of(self.kept, series, start, end)

    def neighbours(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        return self.kept.take(np.zeros(len(self.kept), bool))

    def latest(self, series: Sequence[SeriesKey] | None = None) -> Readings:
        self.ready()
        held = self.kept
        newest = [held.of_series(key) for key in (series if series is not None else held.series)]
        return concat([p.take(np.array([int(np.argmax(p.at))])) for p in newest if len(p)])

    def known(self, meters: Sequence[str] | None = None) -> tuple[SeriesKey, ...]:
        self.ready()
        return tuple(sorted(key for key in set(self.kept.series) if meters is None or key.meter in meters))

    def revisions(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        return self._of(self.lost, series, start, end)

    def touched(self, after: str = "") -> Touched:
        return Touched(
            token="0",  # noqa: S106 - a cursor
            series=(),
            first=np.empty(0, "M8[us]"),
            last=np.empty(0, "M8[us]"),
        )

    def write_rollup(self, grain: Period, rollup: RollUp) -> None:
        """Keep none."""

    def read_rollup(
        self, grain: Period, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64
    ) -> RollUp:
        return RollUp.empty()


@dataclass
class MemoryRecords:
    """A record store in memory."""

    held: dict[type, dict[str, Any]] = field(default_factory=dict)
    trail: list[AuditEntry] = field(default_factory=list)
    dead: dict[int, DeadLetter] = field(default_factory=dict)
    waiting: list[InboxItem] = field(default_factory=list)
    found: list[PointFinding] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    work: list[Job] = field(default_factory=list)
    changes: int = 0
    down: bool = False

    def start(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to release."""

    def ready(self) -> None:
        if self.down:
            raise StoreUnavailable("the database does not answer")

    def save(
        self,
        entities: Sequence[Entity],
        *,
        by: str,
        now: datetime,
        why: str = "",
        removing: Sequence[Entity] = (),
        version: int | None = None,
    ) -> None:
        self.ready()
        if version not in {None, self.changes}:
            raise Conflict("the register was changed meanwhile")
        self._remove(removing, by=by, now=now, why=why)
        for entity in entities:
            self._check(entity, entities)
        for entity in entities:
            former = self.held.setdefault(type(entity), {}).get(entity.id)
            if former != entity:
                self._note(entity, former, entity, by=by, now=now, why=why)
            self.held[type(entity)][entity.id] = entity
        self.changes += 1

    def _check(self, entity: Entity, among: Sequence[Entity]) -> None:
        for name, kind in REFERS.get(type(entity), {}).items():
            key = getattr(entity, name)
            known = key in self.held.get(kind, {}) or any(type(e) is kind and e.id == key for e in among)
            if not known:
                raise Conflict(f"{type(entity).__name__} {entity.id} refers to {name} {key}, which is not there")

    def _note(self, entity: Entity, before: Any, after: Any, *, by: str, now: datetime, why: str) -> None:
        documents = [None if e is None else msgspec.to_builtins(e) for e in (before, after)]
        self.trail.append(
            AuditEntry(
                at=now,
                by=by,
                entity=TABLES[type(entity)],
                key=entity.id,
                why=why,
                before=documents[0],
                after=documents[1],
                id=len(self.trail) + 1,
            )
        )

    def remove(self, kind: type, keys: Sequence[str], *, by: str, now: datetime, why: str = "") -> None:
        self._remove([self.get(kind, key) for key in keys], by=by, now=now, why=why)
        self.changes += 1

    def _remove(self, entities: Sequence[Entity], *, by: str, now: datetime, why: str) -> None:
        for entity in entities:
            kind, key = type(entity), entity.id
            for other, names in REFERS.items():
                for name, owner in names.items():
                    if owner is kind and any(getattr(e, name) == key for e in self.held.get(other, {}).values()):
                        raise Conflict(f"{key} has {other.__name__.lower()}s")
            del self.held[kind][key]
            self._note(entity, entity, None, by=by, now=now, why=why)

    def get(self, kind: type, key: str) -> Any:
        self.ready()
        if key not in self.held.get(kind, {}):
            raise NotFound(f"no {kind.__name__.lower()} has the id {key!r}")
        return self.held[kind][key]

    def find(
        self, kind: type, *, where: Mapping[str, str] | None = None, after: str = "", limit: int | None = None
    ) -> list[Any]:
        self.ready()
        fits = [
            e
            for key, e in sorted(self.held.get(kind, {}).items())
            if key > after and all(getattr(e, n) == v for n, v in (where or {}).items())
        ]
        return fits[:limit]

    def count(self, kind: type, *, where: Mapping[str, str] | None = None) -> int:
        return len(self.find(kind, where=where))

    def version(self) -> int:
        self.ready()
        return self.changes

    def audit(
        self, *, entity: str | None = None, key: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        return [
            e
            for e in reversed(self.trail)
            if entity in {None, e.entity} and key in {None, e.key} and (before is None or e.id < before)
        ][:limit]

    def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            same = [k for k in self.dead.values() if (k.topic, k.payload) == (letter.topic, letter.payload)]
            if not same:
                number = len(self.dead) + 1
                self.dead[number] = replace(letter, id=number)

    def letters(
        self,
        *,
        reason: str | None = None,
        topic: str | None = None,
        after: int = 0,
        limit: int = 100,
        open_only: bool = True,
    ) -> list[DeadLetter]:
        return [
            k
            for k in self.dead.values()
            if k.id > after
            and reason in {None, k.reason}
            and topic in {None, k.topic}
            and not (open_only and k.replayed)
        ][:limit]

    def letter(self, number: int) -> DeadLetter:
        if number not in self.dead:
            raise NotFound(f"no dead letter has the number {number}")
        return self.dead[number]

    def mark_replayed(self, numbers: Sequence[int], now: datetime) -> None:
        for number in numbers:
            self.dead[number] = replace(self.dead[number], replayed=now)

    def count_letters(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for letter in self.dead.values():
            if letter.replayed is None:
                counted[letter.reason] = counted.get(letter.reason, 0) + 1
        return counted

    def see(self, items: Sequence[InboxItem]) -> None:
        self.waiting += items

    def inbox(self, *, after: str = "", limit: int | None = None) -> list[InboxItem]:
        return [i for i in sorted(self.waiting, key=lambda i: (i.device, i.register)) if i.device > after][:limit]

    def leave_inbox(self, devices: Sequence[str]) -> None:
        self.waiting = [i for i in self.waiting if i.device not in devices]

    def replace_findings(
        self, points: Sequence[str], start: datetime, end: datetime, findings: Sequence[PointFinding]
    ) -> None:
        self.found = [f for f in self.found if f.point not in points] + list(findings)

    def findings(
        self,
        *,
        points: Sequence[str] | None = None,
        rule: str | None = None,
        open_only: bool = False,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> list[PointFinding]:
        fits = [
            f
            for f in self.found
            if (points is None or f.point in points)
            and rule in {None, f.finding.rule.value}
            and (f.open or not open_only)
            and (start is None or f.finding.at_to >= start)
            and (end is None or f.finding.at_from <= end)
        ]
        return sorted(fits, key=lambda f: f.finding.at_from, reverse=True)[:limit]

    def keep(self, key: str, text: str) -> None:
        self.texts[key] = text

    def kept(self, key: str) -> str:
        return self.texts.get(key, "")

    def save_job(self, job: Job) -> None:
        self.work = [job, *(j for j in self.work if j.id != job.id)]

    def jobs(self, *, kind: str | None = None, limit: int = 100) -> list[Job]:
        return [j for j in self.work if kind in {None, j.kind}][:limit]


@dataclass
class Rates:
    """Consumption of points that run at a constant rate [unit/h] over known spans; nothing is known outside."""

    rates: dict[str, tuple[float, str, datetime, datetime]]
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> list[PointConsumption]:
        self.asked.append(question)
        return [self._one(key, question) for key in question.points if key in self.rates]

    def _one(self, key: str, question: Question) -> PointConsumption:
        rate, unit, since, until = self.rates[key]
        starts, ends = spans(question.period, instant(question.start), instant(question.end), question.zone)
        first, last = np.maximum(starts, instant(since)), np.minimum(ends, instant(until))
        hour = np.timedelta64(1, "h")
        known, whole = np.maximum((last - first) / hour, 0), (ends - starts) / hour
        none = np.full(len(starts), np.datetime64("NaT"), "M8[us]")
        return PointConsumption(
            point=key,
            register=question.register or ("energy.import" if unit == "kWh" else "volume.total"),
            unit=unit,
            starts=starts,
            ends=ends,
            amount=np.where(known > 0, known * rate, np.nan),
            measured=known / whole,
            estimated=np.zeros(len(starts)),
            missing=1 - known / whole,
            first_at=np.where(known > 0, first, none),
            last_at=np.where(known > 0, last, none),
        )


@dataclass
class OneReadingIntake:
    """Reads `{"meter", "register", "value", "at"}`; anything else is rejected by its place."""

    store: MemoryReadings
    topics: list[str] = field(default_factory=list)

    def take(self, topic: str, payload: bytes, *, source: str, now: datetime) -> Taken:
        self.topics.append(topic)
        try:
            body = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError as err:
            return Taken(readings=0, rejected=(("", f"the payload is no JSON: {err}"),))
        rows = body.get("readings", [body])
        good = [r for r in rows if isinstance(r.get("value"), int | float)]
        bad = tuple((f"readings[{i}].value", "no number") for i, r in enumerate(rows) if r not in good)
        for row in good:
            at = instant(datetime.fromisoformat(row["at"]))
            key = SeriesKey(row["meter"], row.get("register", "energy.import"))
            self.store.write(Readings.of([key], [0], [at], [row["value"]], received=[instant(now)], source=source))
        return Taken(readings=len(good), rejected=bad)


class LineTables:
    """Tables as lines of tab-separated texts, enough to see what passes through."""

    def read(self, name: str, content: bytes) -> list[Sheet]:
        lines = [tuple(line.split("\t")) for line in content.decode().splitlines()]
        if not lines:
            raise InputError("the file is empty", place=name, remedy="choose the file that was exported")
        return [Sheet(name=name.rpartition(".")[0], columns=lines[0], rows=tuple(lines[1:]))]

    def write(self, name: str, sheets: Sequence[Sheet]) -> bytes:
        return "\n".join(f"{s.name}: {'|'.join(s.columns)} ({len(s.rows)})" for s in sheets).encode()


REGISTER: tuple[Entity, ...] = (
    Organisation(id="O1", name="Gymnázium Jeronýmova", ico="46748016"),
    Organisation(id="O2", name="Nemocnice Liberec"),
    Building(
        id="B01",
        organisation="O1",
        name="Gymnázium, hlavní budova",
        kind=BuildingKind.SCHOOL,
        address="Jeronýmova 425/27, Liberec",
        areas=(Dated(since=datetime(2020, 1, 1, tzinfo=UTC).date(), value=5400.0),),
    ),
    Building(id="B02", organisation="O2", name="Pavilon A", kind=BuildingKind.HOSPITAL),
    Point(id="B01-EL", building="B01", name="Elektřina, přívod", commodity=Commodity.ELECTRICITY, max_rate=120.0),
    Point(
        id="B01-EL-K",
        building="B01",
        name="Kuchyně",
        commodity=Commodity.ELECTRICITY,
        role=Role.SUBMETER,
        parent="B01-EL",
    ),
    Point(id="B01-VO", building="B01", name="Studená voda", commodity=Commodity.COLD_WATER),
    Point(id="B02-EL", building="B02", name="Elektřina", commodity=Commodity.ELECTRICITY),
    Point(
        id="B02-V",
        building="B02",
        name="Elektřina celkem",
        commodity=Commodity.ELECTRICITY,
        role=Role.VIRTUAL,
        terms=(Term(point="B02-EL"),),
    ),
    Meter(id="M1", point="B01-EL", device="em-1", mounted=datetime(2023, 1, 1, tzinfo=UTC), digits=6),
    Meter(id="M2", point="B01-VO", device="wm-1", mounted=datetime(2023, 1, 1, tzinfo=UTC)),
    Meter(id="M3", point="B02-EL", device="em-2", mounted=datetime(2024, 1, 1, tzinfo=UTC)),
)
SINCE = datetime(2023, 6, 1, tzinfo=UTC)
BREAK = PointFinding(
    point="B01-EL",
    finding=Finding(
        meter="em-1",
        register="energy.import",
        rule=Rule.BREAK,
        at_from=datetime(2026, 3, 4, 9, 0, tzinfo=UTC),
        at_to=datetime(2026, 3, 4, 9, 15, tzinfo=UTC),
        evidence={"before": 48213.4, "after": 0.2},
        proposal={"kind": "swap", "at": "2026-03-04T09:15:00+00:00", "final": 48213.4, "first": 0.2},
    ),
    open=True,
)


class InProcess(httpx.BaseTransport):
    """Hands requests to an app in this process, each on a loop of its own; its answers come as they were sent."""

    def __init__(self, app: FastAPI) -> None:
        self.inner = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def sent() -> httpx.Response:
            body = request.read()
            asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            answer = await self.inner.handle_async_request(asked)
            raw = b"".join([part async for part in answer.aiter_raw()])
            return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(raw))

        return anyio.run(sent)


@dataclass
class World:
    """An app on memory, filled with a small region."""

    readings: MemoryReadings
    records: MemoryRecords
    intake: OneReadingIntake
    rates: Rates
    app: FastAPI
    ingest: list[IngestStatus | None]

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(transport=InProcess(self.app), base_url="http://odecet.test", headers=headers)


def build_world(**changes: Any) -> World:
    """Return a small region: two organisations, two buildings, five points, three meters, four days of readings."""
    readings, records = MemoryReadings(), MemoryRecords()
    records.save(REGISTER, by="test", now=NOW)
    rates = Rates(
        {
            "B01-EL": (2.0, "kWh", SINCE, NOW),
            "B01-EL-K": (0.5, "kWh", SINCE, NOW),
            "B01-VO": (0.1, "m³", SINCE, datetime(2026, 1, 31, 23, tzinfo=UTC)),
            "B02-EL": (10.0, "kWh", datetime(2025, 1, 1, tzinfo=UTC), NOW),
            "B02-V": (10.0, "kWh", datetime(2025, 1, 1, tzinfo=UTC), NOW),
        }
    )
    readings.write(_four_days())
    records.see([_waiting("em-9", "energy.import"), _waiting("em-9", "power.import"), _waiting("wm-7", "volume.total")])
    records.keep_letters(
        [
            DeadLetter(topic="odecet/em-1", payload=b"{broken", reason="malformed", detail="no JSON", received=NOW),
            DeadLetter(topic="odecet/em-2", payload=b"\xff\xfe", reason="no_profile", detail="?", received=NOW),
        ]
    )
    records.found = [BREAK]
    status: list[IngestStatus | None] = [IngestStatus(connected=True)]
    intake = OneReadingIntake(readings)
    given: dict[str, Any] = {
        "readings": readings,
        "records": records,
        "intake": intake,
        "tables": LineTables(),
        "clock": lambda: NOW,
        "version": "0.1.0",
        "metrics": CollectorRegistry(),
        "ask": rates,
        "ingest": lambda: status[0],
    }
    app = build_api(Dependencies(**{**given, **changes}))
    return World(readings=readings, records=records, intake=intake, rates=rates, app=app, ingest=status)


def _four_days() -> Readings:
    at = np.arange("2026-03-10T00:00", "2026-03-14T00:00", 15, "M8[m]").astype("M8[us]")
    key, other = SeriesKey("em-1", "energy.import"), SeriesKey("wm-1", "volume.total")
    value = 1000 + np.arange(len(at)) * 0.5
    many = concat(
        [
            Readings.of([key], np.zeros(len(at)), at, value, source="odecet"),
            Readings.of([other], np.zeros(4), at[:: len(at) // 4], [1.0, 2.0, 3.0, 4.0], source="odecet"),
        ]
    )
    corrected = Readings.of([key], [0], [at[5]], [1002.4], received=[at[5] + np.timedelta64(1, "D")], source="oprava")
    return concat([many, corrected])


def _waiting(device: str, register: str) -> InboxItem:
    return InboxItem(
        device=device,
        register=register,
        unit="kWh",
        first_seen=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        last_seen=NOW,
        count=42,
        last_value=1204.7,
        topic=f"odecet/{device}",
        sample=b'{"value": 1204.7}',
    )


def names_of(kind: type) -> set[str]:
    return {f.name for f in fields(kind)}
