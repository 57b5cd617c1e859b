# ruff: noqa: ARG002, ANN401 - ports name arguments that a memory does not need
"""Small stores in memory that keep the contracts of core.ports, and an app on them: what the API's tests stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from core.alerts import Alert, AlertFilter
from core.calendar import Period, instant, spans
from core.deliveries import Delivery
from core.detectors import RuleSetting
from core.errors import Conflict, InputError, NotFound, StoreUnavailable
from core.notes import AuditEntry, DeadLetter, Description, InboxItem, Job, PointFinding, Proposal
from core.own_rows import OwnRow
from core.papers import Paper
from core.plan import Activity, Area, Goal, Indicator, Project
from core.ports import Sheet, Taken, Touched
from core.readings import Readings, SeriesKey, concat, last_wins
from core.registry import (
    Adjustment,
    Building,
    DialEvent,
    Entity,
    Measure,
    Meter,
    Organisation,
    Point,
    Station,
)
from core.rollup import RollUp
from core.staged import StagedFile
from services.consumption import PointConsumption, Question

NOW = datetime(2026, 3, 15, 10, 0, tzinfo=UTC)
TABLES = {
    Organisation: "organisation",
    Building: "building",
    Point: "point",
    Meter: "meter",
    DialEvent: "dial_event",
    Station: "station",
    Measure: "measure",
    Adjustment: "adjustment",
    Goal: "goal",
    Area: "area",
    Activity: "activity",
    Project: "project",
    Indicator: "indicator",
}
REFERS = {
    Building: {"organisation": Organisation},
    Point: {"building": Building},
    Meter: {"point": Point},
    Adjustment: {"point": Point},
    Activity: {"area": Area},
    Project: {"activity": Activity},
    Indicator: {"area": Area},
}


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

    def withdraw(self, source: str, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> int:
        named = [n for n, name in enumerate(self.kept.sources) if name == source]
        mine = np.isin(self.kept.source, named) & (self.kept.at >= start) & (self.kept.at < end)
        mine &= np.isin(self.kept.code, [n for n, key in enumerate(self.kept.series) if key in series])
        back = self._of(self.lost, series, start, end)
        self.kept = self.kept.take(~mine)
        self.kept, self.lost = last_wins(concat([self.kept, back]))
        return int(mine.sum())

    def withdrawn(self, series: Sequence[SeriesKey], start: np.datetime64, end: np.datetime64) -> Readings:
        return self.kept.take(np.zeros(len(self.kept), bool))

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
    staged: dict[str, StagedFile] = field(default_factory=dict)
    described: dict[str, Description] = field(default_factory=dict)
    proposed: list[Proposal] = field(default_factory=list)
    rules: dict[str, RuleSetting] = field(default_factory=dict)
    alerted: list[Alert] = field(default_factory=list)
    filed: list[Paper] = field(default_factory=list)
    entered: list[OwnRow] = field(default_factory=list)
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

    def record(self, entries: Sequence[AuditEntry]) -> None:
        self.trail += [replace(entry, id=len(self.trail) + n) for n, entry in enumerate(entries, 1)]

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
        self,
        *,
        entity: str | None = None,
        key: str | None = None,
        by: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        return [
            e
            for e in reversed(self.trail)
            if entity in {None, e.entity}
            and key in {None, e.key}
            and by in {None, e.by}
            and (before is None or e.id < before)
        ][:limit]

    def set_rules(
        self, settings: Sequence[RuleSetting], entries: Sequence[AuditEntry], *, dropping: Sequence[str] = ()
    ) -> None:
        self.ready()
        self.rules = {key: one for key, one in self.rules.items() if key not in dropping}
        self.rules |= {one.id: one for one in settings}
        self.record(entries)

    def rule_settings(self) -> list[RuleSetting]:
        self.ready()
        return [one for _, one in sorted(self.rules.items())]

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

    def leave_inbox(self, devices: Sequence[str], *, registers: Sequence[str] | None = None) -> None:
        left = {(i.device, i.register) for i in self.waiting if registers is None or i.register in registers}
        self.waiting = [i for i in self.waiting if i.device not in devices or (i.device, i.register) not in left]

    def keep_descriptions(self, descriptions: Sequence[Description]) -> None:
        self.described |= {d.topic: d for d in descriptions}

    def descriptions(self) -> list[Description]:
        return [d for d in self.described.values() if d.payload]

    def propose(self, descriptions: Sequence[str], proposals: Sequence[Proposal]) -> None:
        kept = [p for p in self.proposed if p.description not in descriptions]
        self.proposed = [*kept, *proposals]

    def proposals(self) -> list[Proposal]:
        return sorted(self.proposed, key=lambda p: (p.device, p.register))

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

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        assert not after
        kept = [a for a in self.alerted if a.state in (asked.states or {a.state})]
        return [a for a in kept if a.building in (asked.buildings or {a.building})][:limit]

    def papers(self, buildings: Sequence[str] | None = None) -> list[Paper]:
        return [paper for paper in self.filed if buildings is None or paper.building in buildings]

    def own_rows(self) -> list[OwnRow]:
        return list(self.entered)

    def last_own_row(self) -> int:
        return len(self.entered)

    def deliveries(self) -> list[Delivery]:
        return []

    def hold_file(self, file: StagedFile, *, since: datetime, most: int) -> None:
        fresh = [held for held in self.staged.values() if held.at >= since]
        self.staged = {held.key: held for held in [*fresh[-(most - 1) :], file]}

    def take_file(self, key: str) -> StagedFile:
        if key not in self.staged:
            raise NotFound("the uploaded file is not held any more; upload it again")
        return self.staged.pop(key)


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
