"""What a publication holds, put together and read again: values, texts, the plan, and all that they rest on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from core.deliveries import Delivery
from core.indicators import Value
from core.plan import Activity, Area, Goal, Indicator, Project
from core.ports import RecordStore
from core.publications import FORMAT, Publication, canonical, digest_of
from core.registry import Building, Measure, Organisation, Point
from core.report_periods import ReportId
from services.as_of_register import register_at, undone_since
from services.frozen import to_json, value_from
from services.frozen_tables import digests, facts_from, facts_to_json, tables_from, tables_to_json
from services.held import View
from services.stands import DeliveredValues, FrozenAlerts, Stand, ToldAlerts

PLAN: Final[Mapping[str, Any]] = {
    "goals": Goal, "areas": Area, "activities": Activity, "projects": Project, "indicators": Indicator,
}  # fmt: skip
NAMED: Final[Mapping[str, Any]] = {
    "organisation": Organisation, "building": Building, "point": Point, "measure": Measure,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What is told of a publication beside its values: which, when, by whom, instead of which one, why."""

    report: ReportId
    version: int
    at: datetime
    by: str
    note: str
    code: str
    replaces: str = ""
    previous: str = ""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    restatement: Any = None


def frozen(sealed: Sealed, values: Sequence[Value], deliveries: Sequence[Delivery], stand: Stand) -> Publication:
    """Return a publication with its content and digest."""
    content = canonical(
        {
            **_head(sealed, stand),
            "values": [to_json(value) for value in values],
            "deliveries": [_delivery(one) for one in deliveries],
            "plan": {name: to_json(stand.register.find(kind)) for name, kind in PLAN.items()},
            "names": _names(values, stand.register),
            "methods": {value.indicator: [value.method, value.version] for value in values},
            "basis": _basis(stand),
            "exceptions": dict(sealed.exceptions),
            "restatement": sealed.restatement,
        }
    )
    return Publication(
        report=sealed.report,
        version=sealed.version,
        at=sealed.at,
        by=sealed.by,
        cutoff=stand.cutoff,
        register=stand.register.version,
        audited=stand.audited,
        digest=digest_of(content),
        previous=sealed.previous,
        content=content,
        replaces=sealed.replaces,
        note=sealed.note,
        code=sealed.code,
    )


def _head(sealed: Sealed, stand: Stand) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "report": to_json(sealed.report),
        "first": sealed.report.first.isoformat(),
        "end": sealed.report.end.isoformat(),
        "version": sealed.version,
        "at": _instant(sealed.at),
        "by": sealed.by,
        "note": sealed.note,
        "code": sealed.code,
        "replaces": sealed.replaces,
        "previous": sealed.previous,
        "cutoff": _instant(stand.cutoff),
        "register": stand.register.version,
        "audited": stand.audited,
    }


def head_of(publication: Publication) -> dict[str, Any]:
    """Return what the content of a publication must say of it."""
    said = {name: getattr(publication, name) for name in ("version", "by", "note", "code", "replaces", "previous")}
    said |= {"register": publication.register, "audited": publication.audited, "report": to_json(publication.report)}
    return said | {"at": _instant(publication.at), "cutoff": _instant(publication.cutoff)}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _delivery(delivery: Delivery) -> Any:  # noqa: ANN401 - whatever JSON can say
    return to_json(replace(delivery, texts=dict(delivery.texts)))


def _basis(stand: Stand) -> dict[str, Any]:
    tables = tables_to_json(stand.dated)
    told = stand.alerts.told if isinstance(stand.alerts, ToldAlerts | FrozenAlerts) else []
    return {
        "tables": tables,
        "digests": digests(tables),
        "facts": facts_to_json(stand.facts),
        "texts": {key: text for key, text in stand.texts.items() if text},
        "alerts": [dict(one) for one in told],
    }


def _names(values: Iterable[Value], register: View) -> dict[str, dict[str, str]]:
    """Return the names of what values mention, as they were."""
    mentioned: set[str] = set()
    for value in values:
        mentioned |= {value.scope.key, *value.measures, *(part.key for part in value.parts)}
        mentioned |= {subject for reason in value.reasons for subject in reason.subjects}
        mentioned |= set(value.coverage.lacking) if value.coverage else set()
    return {
        word: {one.id: one.name for one in register.find(kind) if one.id in mentioned} for word, kind in NAMED.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A publication's content as it was frozen; `plan` holds goals, areas, activities, projects and indicators."""

    publication: Publication
    values: tuple[Value, ...]
    deliveries: tuple[Delivery, ...]
    plan: Mapping[str, tuple[Any, ...]]
    names: Mapping[str, Mapping[str, str]]
    basis: Mapping[str, Any]
    exceptions: Mapping[str, str]
    restatement: Any

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """The indicators as the plan had them."""
        return self.plan["indicators"]


def opened(publication: Publication) -> Opened:
    """Return what a publication holds."""
    said = publication.opened()
    return Opened(
        publication=publication,
        values=tuple(value_from(value) for value in said["values"]),
        deliveries=tuple(msgspec.convert(one, Delivery) for one in said["deliveries"]),
        plan={name: tuple(msgspec.convert(one, kind) for one in said["plan"][name]) for name, kind in PLAN.items()},
        names=said["names"],
        basis=said["basis"],
        exceptions=said["exceptions"],
        restatement=said["restatement"],
    )


def stand_of(opened: Opened, records: RecordStore) -> Stand:
    """Return what the values of a publication rested on: the register taken back, the rest as it was frozen."""
    publication, basis = opened.publication, opened.basis
    texts: dict[str, str] = dict(basis["texts"])
    return Stand(
        cutoff=publication.cutoff,
        register=register_at(records, publication.audited, publication.register, texts),
        audited=publication.audited,
        texts=texts,
        dated=tables_from(basis["tables"]),
        facts=facts_from(basis["facts"]),
        alerts=FrozenAlerts(basis["alerts"]),
        hand=DeliveredValues(opened.deliveries),
        undone=undone_since(records, publication.cutoff),
    )
