"""A region in which every text that anybody can write is one and the same: a hostile one, or its harmless twin.

Which fields there are is read from the dataclasses, so that one added later is dressed too.
"""

import re
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, get_args, get_type_hints

from alerts import lifecycle
from core.alerts import AlertFilter, Change, Detection
from core.errors import InputError
from core.notes import AuditEntry, DeadLetter, Description, InboxItem, Job, Proposal
from core.people import Grant, Person, Role
from core.plan import Activity, Area, Figure, Goal, Indicator, Project, StrategicGoal
from core.registry import Building, Commodity, Entity, Measure, Meter, Organisation, Point, Station
from core.sending import ChannelKind, Recipient, Route, Window, WindowScope
from storage.records import SqlRecordStore

T = TypeVar("T")
HOSTILE: Final = (
    "=cmd|' /C calc'!A0\"'></script></textarea></title><script>window.struck=1</script>"
    "<img src=x onerror=window.struck=1><svg onload=window.struck=1>javascript:struck(){{7*7}}${7*7}"
    "<a href=javascript:window.struck=1>datum['x']</a>&lt;b&gt;--><!--]]>%0d%0a\u202e\x1b[31m"
)
HOSTILE_ID: Final = "<img/src=x/onerror=window.struck=1></script>{{7*7}}&ltjavascript:a%2e%2e?b#c"
HARMLESS, HARMLESS_ID = "n" * len(HOSTILE), re.sub("[^/]", "n", HOSTILE_ID)
REFERENCES: Final = frozenset({
    "id", "organisation", "building", "point", "parent", "area", "station", "meter", "activity", "subject", "key",
    "goal", "goals", "rule", "replaces", "digest", "file",
})  # fmt: skip
"""Fields that name another thing; they are dressed by things of a hostile id."""
CODES: Final = frozenset({
    "method", "language", "reason", "commodity", "kind", "register", "entity", "least", "role", "media_type",
})  # fmt: skip
"""Fields that hold one of some words."""


def dressed(one: T, text: str) -> T:
    """Return something with each of its texts replaced where its own rules let it be."""
    hints = get_type_hints(type(one))
    for field in fields(one):  # type: ignore[arg-type]  # of dataclasses alone
        if field.name in REFERENCES | CODES:
            continue
        value: Any = getattr(one, field.name)
        if hints[field.name] is str:
            one = _tried(one, field.name, text)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            one = _tried(one, field.name, tuple(dressed(part, text) for part in value))
    return one


def _tried(one: T, name: str, value: object) -> T:
    try:
        return replace(one, **{name: value})  # type: ignore[type-var]
    except InputError:
        return one


def texts_of(kind: type) -> set[str]:
    """Return the names of the fields of a dataclass that hold free text."""
    hints = get_type_hints(kind)
    return {f.name for f in fields(kind) if hints[f.name] is str} - REFERENCES - CODES


def named(key: str, text: str, at: datetime) -> tuple[Entity, ...]:
    """Return things of one id, of every kind that the register and the plan hold."""
    day = at.date()
    return (
        Organisation(id=key, name=text),
        Station(id=key, name=text, latitude=50.0, longitude=15.0),
        Building(id=key, organisation=key, name=text, station=key),
        Point(id=key, building=key, name=text, commodity=Commodity.ELECTRICITY),
        Meter(id=key, point=key, device=key, mounted=at - timedelta(days=400)),
        Measure(id=key, name=text, points=(key,), effective=day - timedelta(days=100)),
        Goal(id=key, name=text, strategic=StrategicGoal.SAVE),
        Area(id=key, name=text, priority_area=text),
        Activity(id=key, area=key, name=text),
        Project(id=key, activity=key, name=text),
        Indicator(id=key, area=key, name=text, figures=(Figure(key="pocet", name=text, unit=text),)),
    )


def dress(records: SqlRecordStore, text: str, key: str, at: datetime) -> None:
    """Put a text into everything that a store of records holds, and things of an id of their own beside it."""
    held: list[Entity] = [*named(key, text, at)]
    for kind in get_args(Entity):
        held += records.find(kind)
    records.save([dressed(one, text) for one in held], by=text, now=at, why=text)
    _sending(records, text, key, at)
    _people(records, text, key)
    _messages(records, text, at)
    _alerts(records, text, key, at)
    _acts(records, text, at)


def _sending(records: SqlRecordStore, text: str, key: str, at: datetime) -> None:
    told = Recipient(id=key, name=text, mail="a@example.cz", buildings=(key,))
    records.keep_recipients(
        [_tried(told, "topic", text), Recipient(id="w", name=text, webhook="https://h.example/")], ()
    )
    records.keep_routes([Route(id=key, channel=ChannelKind.MAIL, person=key, buildings=(key,))], ())
    ahead = {"start": at - timedelta(days=1), "end": at + timedelta(days=2)}
    records.keep_windows([Window(id=key, scope=WindowScope.BUILDING, key=key, reason=text, **ahead)], ())


def _people(records: SqlRecordStore, text: str, key: str) -> None:
    grants = (Grant(role=Role.FACILITY_STAFF, organisations=(key,), buildings=(key,)),)
    records.keep_person(Person(id=key, name=text, mail="x@example.cz", grants=grants), (), new=True)


def _messages(records: SqlRecordStore, text: str, at: datetime) -> None:
    seen = {"first_seen": at - timedelta(days=2), "last_seen": at}
    payload = f'{{"{text.replace(chr(34), "").replace(chr(27), "")}": ["{len(text)}"]}}'.encode()
    item = InboxItem(device="d", register="energy.import", unit="kWh", count=3, last_value=1.0, topic="t", **seen)
    records.see([replace(item, device=text, unit=text, topic=text, sample=payload), replace(item, register=text)])
    letter = DeadLetter(topic=text, payload=payload, reason="malformed", detail=text, received=at)
    records.keep_letters([letter, replace(letter, payload=text.encode()), replace(letter, reason=text, topic="t")])
    told = Description(profile="homeassistant", topic=text, payload=payload, seen=at)
    records.keep_descriptions([told])
    offer = Proposal(
        device=text, register="energy.import", commodity="electricity", unit="kWh", kind="cumulative", name=text,
        manufacturer=text, model=text, profile=text, description=text, entity=text, topic=text, **seen,
    )  # fmt: skip
    records.propose([text], [offer, replace(offer, device="e", flags=(text,), unit=text)])


def _alerts(records: SqlRecordStore, text: str, key: str, at: datetime) -> None:
    changed = [dressed(alert, text) for alert in records.alerts(AlertFilter())]
    found = Detection(
        rule="leak", subject=key, at_from=at - timedelta(hours=2), at_to=at, found_at=at, unit="m³", check=text,
        evidence={"least_m3_h": 0.083, "night_hours": 9, "meter": text, text: text},
    )  # fmt: skip
    step = lifecycle.opened(found, key, at)
    new = dressed(step.alert, text)
    records.change_alerts(Change(alerts=(new,), entries=(_entry(text, at, "alert", new.id),)))
    for alert in changed:
        entry = _entry(text, at, "alert", alert.id)
        records.change_alerts(Change(alerts=(replace(alert, revision=alert.revision + 1),), entries=(entry,)))


def _entry(text: str, at: datetime, entity: str, key: str) -> AuditEntry:
    return AuditEntry(at=at, by=text, entity=entity, key=key, why=text, before={"name": text}, after={text: text})


def _acts(records: SqlRecordStore, text: str, at: datetime) -> None:
    records.record([_entry(text, at, "simulation", text), _entry(text, at, text, text)])
    for n, kind in enumerate(("register_import", "reading_import", "import", text)):
        job = Job(id=f"j{n}", kind=kind, state="done", done=1, total=1, started=at, changed=at)
        records.save_job(replace(job, detail=text if n else ""))
