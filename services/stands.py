"""What values rest on at one time, now or at a cut-off, and the inputs that answer as of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec

from core.alerts import Alert, AlertFilter
from core.calendar import PRAGUE
from core.deliveries import Delivery, DeliveryState
from core.errors import Conflict, NotFound
from core.gaps import DayTypes
from core.indicators import Scope, ScopeKind
from core.plan import ReportKind
from core.ports import ReadingStore, RecordStore
from core.region_tables import RegionTables
from core.registry import Entity
from core.report_periods import ReportId
from services.as_of import AsOfReadings, Import
from services.as_of_register import audited_at, register_at, undone_since
from services.as_of_rollups import Made, RollUpsOf
from services.baselines import Baselines, Facts
from services.consumption import Calendar, PointConsumption, Question, consumption
from services.frozen import to_json
from services.held import View
from services.indicator_inputs import AlertReader, HandValue, Inputs
from services.indicator_sources import HeardReadings
from services.weather import Weather

E = TypeVar("E", bound=Entity)
Texts = dict[str, str]
_RANK: Final = {ReportKind.ANNUAL: 0, ReportKind.MID_YEAR: 1, ReportKind.CLOSING: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What there is now: stores, tables, what models rest on. `code` is the version of this program."""

    readings: ReadingStore
    records: RecordStore
    dated: RegionTables
    facts: Facts | None
    code: str
    day_types: DayTypes = field(default_factory=DayTypes)
    zone: ZoneInfo = PRAGUE


class DeliveredValues:
    """The values that guarantors entered, as deliveries say them; an annual report's before a mid-year one's."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = sorted(deliveries, key=lambda one: _RANK[one.report.kind])

    def told(self, first: date, end: date) -> dict[str, HandValue]:
        """Return all that was delivered for a span of the region, without when."""
        names = {value.indicator for delivery in self._deliveries for value in delivery.values}
        found = {name: self.value(name, Scope(), first, end) for name in sorted(names)}
        return {name: replace(one, by="", at=None) for name, one in found.items() if one is not None}

    def value(self, indicator: str, scope: Scope, first: date, end: date) -> HandValue | None:
        """Return what was delivered for a span of the region, None where nothing was."""
        for delivery in self._deliveries:
            same = (delivery.report.first, delivery.report.end) == (first, end)
            found = delivery.value(indicator) if same and scope.kind is ScopeKind.REGION else None
            if found is not None:
                last = delivery.steps[-1] if delivery.steps else None
                return HandValue(
                    amounts=found.amounts,
                    comment=found.comment,
                    by=last.by if last else "",
                    at=last.at if last else None,
                    evidence=tuple(f"{one.name} ({one.digest})" for one in found.evidence),
                    final=delivery.state in {DeliveryState.CHECKED, DeliveryState.PUBLISHED},
                )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """All that values rest on. `texts` holds what was kept of limits that were learnt, as far as it was asked for."""

    cutoff: datetime
    register: View
    audited: int
    texts: Texts
    dated: RegionTables
    facts: Facts | None
    alerts: AlertReader
    hand: DeliveredValues
    undone: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldAlerts:
    """Alerts as a store tells them; what was asked and told is remembered as JSON."""

    store: AlertReader
    told: list[dict[str, Any]] = field(default_factory=list)

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return alerts, the last opened first."""
        found = self.store.alerts(asked, after=after, limit=limit)
        said = {"asked": _asked(asked), "after": after, "limit": limit}
        self.told.append({**said, "alerts": [to_json(alert) for alert in found]})
        return found


@dataclass(frozen=True, slots=True)
class FrozenAlerts:
    """Alerts as they were told when something was published; of a longer span, those that were known then."""

    told: Sequence[Mapping[str, Any]]

    def alerts(self, asked: AlertFilter, *, after: str = "", limit: int | None = None) -> list[Alert]:
        """Return what was told; raise NotFound for what was not asked then."""
        for one in self.told:
            former = msgspec.convert(one["asked"], AlertFilter)  # what was no field then has its default
            same = replace(former, opened_to=asked.opened_to) == asked
            if same and (one["after"], one["limit"]) == (after, limit):
                found = [msgspec.convert(alert, Alert) for alert in one["alerts"]]
                return [a for a in found if asked.opened_to is None or a.opened_at < asked.opened_to]
        raise NotFound("the alerts asked for were not frozen with this publication: another method asks for others")

    def same(self, now: AlertReader) -> bool:
        """Return whether the same questions are answered alike now."""
        return all(
            [to_json(alert) for alert in now.alerts(msgspec.convert(one["asked"], AlertFilter))] == one["alerts"]
            for one in self.told
        )


def _asked(asked: AlertFilter) -> dict[str, Any]:
    return {**to_json(asked), "states": sorted(asked.states)}


@dataclass(frozen=True, slots=True)
class Shared:
    """What evaluations that differ in little share: roll-ups and models, each known by all that it was made from."""

    rollups: Made = field(default_factory=dict)
    models: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Notes:
    """The register for those who also keep notes: they stay in memory, so that nothing is learnt from a look back."""

    register: View
    notes: Texts

    def get(self, kind: type[E], key: str) -> E:
        return self.register.get(kind, key)

    def find(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> list[E]:
        return self.register.find(kind, where=where)

    def kept(self, key: str) -> str:
        return self.notes.get(key, "")

    def keep(self, key: str, text: str) -> None:
        self.notes[key] = text


class _Remembered(dict[str, str]):
    """Texts of a record store, remembered when they are asked for."""

    def __init__(self, kept: Callable[[str], str]) -> None:
        super().__init__()
        self._kept = kept

    def get(self, key: str, default: Any = "") -> str:  # noqa: ANN401 - as dict has it
        if key not in self:
            self[key] = self._kept(key) or default
        return self[key]


def stand_now(live: Live, report: ReportId, now: datetime, *, cutoff: datetime | None = None) -> Stand:
    """Return what a report rests on, as of now or of a cut-off that is over.

    Alerts, tables and deliveries are those of now.
    """
    if cutoff is not None and cutoff > now:
        raise Conflict(f"the cut-off {cutoff.isoformat()} is not over yet")
    last = live.records.audit(limit=1)
    audited = last[0].id if last else 0
    if cutoff is not None:
        audited = audited_at(live.records, cutoff)
    texts = _Remembered(live.records.kept)
    at = cutoff or now
    return Stand(
        cutoff=at,
        register=register_at(live.records, audited, live.records.version(), texts),
        audited=audited,
        texts=texts,
        dated=live.dated,
        facts=live.facts,
        alerts=ToldAlerts(live.records),
        hand=DeliveredValues(live.records.deliveries(report)),
        undone=undone_since(live.records, at),
    )


def rollups_of(stand: Stand, live: Live, shared: Shared) -> RollUpsOf:
    """Return what makes the roll-ups of a stand from its readings."""
    bare = AsOfReadings(live.readings, stand.cutoff, stand.undone)
    return RollUpsOf(bare, stand.register, live.day_types, shared.rollups)


def inputs_of(stand: Stand, live: Live, shared: Shared | None = None, rolled: RollUpsOf | None = None) -> Inputs:
    """Return the inputs that answer as of a stand, all from its readings; `rolled` are its roll-ups if at hand."""
    shared = shared or Shared()
    bare = AsOfReadings(live.readings, stand.cutoff, stand.undone)
    readings: ReadingStore = replace(bare, rolled=rolled or rollups_of(stand, live, shared))
    calendar, stations = Calendar(day_types=live.day_types), Weather(readings, live.zone)

    def ask(question: Question) -> Sequence[PointConsumption]:
        return consumption(question, readings=readings, records=stand.register, calendar=calendar)

    notes = cast("RecordStore", _Notes(stand.register, shared.models))  # models need no more of a record store
    return Inputs(
        register=stand.register,
        version=stand.register.version,
        ask=ask,
        cutoff=stand.cutoff,
        dated=stand.dated,
        baselines=None
        if stand.facts is None
        else Baselines(records=notes, stations=stations, ask=ask, facts=stand.facts),
        stations=stations,
        heard=HeardReadings(readings=readings, register=stand.register),
        alerts=stand.alerts,
        hand=stand.hand,
        zone=live.zone,
    )
