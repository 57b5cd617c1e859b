"""Values of a report as they were last worked out, kept by the record store so that a page need not compute them.

They are of the region, without their parts, and without what people enter: that is always told as it stands. What they
rest on is kept beside them: a register, tables and a day as a `state`, and how far the readings were heard (`token`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from core.calendar import instant
from core.indicators import Scope, Value
from core.plan import Indicator, ReportKind
from core.ports import ReadingStore, RecordStore
from core.publications import canonical, digest_of
from core.region_tables import RegionTables
from core.report_periods import ReportId
from services.frozen import to_json, value_digest
from services.frozen_tables import tables_to_json
from services.indicators import Evaluation

KEPT: Final = "indicators/values/"
EARLIER: Final = 4
"""So many whole years before the last are kept ready beside it."""
Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptValue:
    """A value without parts, the digest of the whole of it, and that of the indicator which it was computed for."""

    value: Value
    digest: str
    made_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptValues:
    """The computed values of a report; they were found unchanged at `checked_at`."""

    report: ReportId
    made_at: datetime
    checked_at: datetime
    state: str
    token: str
    values: tuple[KeptValue, ...]

    def of(self, indicators: Sequence[Indicator]) -> dict[str, KeptValue]:
        """Return the values of indicators by id; one that is defined otherwise by now has none."""
        found = {one.value.indicator: one for one in self.values}
        return {
            one.id: found[one.id] for one in indicators if one.id in found and found[one.id].made_for == _digest(one)
        }


def _digest(indicator: Indicator) -> str:
    return digest_of(canonical(to_json(indicator)))


def usual_reports(today: date) -> tuple[ReportId, ...]:
    """Return the reports that people ask for: of the last years, of this one so far, of its first half."""
    years = range(today.year, today.year - EARLIER - 2, -1)
    annual = [ReportId(kind=ReportKind.ANNUAL, period=str(year)) for year in years if date(year, 1, 1) < today]
    halves = [ReportId(kind=ReportKind.MID_YEAR, period=str(year)) for year in (today.year, today.year - 1)]
    return (*annual, *halves)


def kept_values(records: RecordStore, report: ReportId) -> KeptValues | None:
    """Return what was kept of a report, None where nothing was or another version of this program kept it."""
    text = records.kept(f"{KEPT}{report}")
    try:
        return msgspec.json.decode(text, type=KeptValues) if text else None
    except msgspec.ValidationError:  # of a former shape: it is worked out anew
        return None


def kept_text(records: RecordStore, report: ReportId) -> str:
    """Return what tells whether what is kept of a report is still the same."""
    return records.kept(f"{KEPT}{report}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueKeeper:
    """Works values out and keeps them; `evaluation` is made when something is to be computed.

    `school` are the days without school, which models rest on.
    """

    records: RecordStore
    readings: ReadingStore
    dated: RegionTables
    zone: ZoneInfo
    school: frozenset[date] = frozenset()
    evaluation: Callable[[], Evaluation]

    def refresh(self, report: ReportId, now: datetime, *, always: bool = False) -> KeptValues:
        """Return what holds of a report now: what is kept where it rests on nothing that changed, else worked out."""
        indicators = [one for one in self.records.find(Indicator) if not one.by_hand and report.kind in one.reports]
        kept, state = kept_values(self.records, report), self._state(now)
        touched = self.readings.touched(kept.token if kept else "")
        begun = min(touched.first.tolist(), default=None) if kept else None
        ended = instant(datetime.combine(report.end, time(), self.zone))
        same = kept is not None and not always and kept.state == state and len(kept.of(indicators)) == len(indicators)
        if kept is not None and same and (begun is None or begun >= ended.item()):
            found = replace(kept, checked_at=now, token=touched.token)
        else:
            values = self._values(indicators, report)
            found = KeptValues(
                report=report, made_at=now, checked_at=now, state=state, token=touched.token, values=tuple(values)
            )
        self.records.keep(f"{KEPT}{report}", msgspec.json.encode(to_json(found)).decode())
        return found

    def _values(self, indicators: Sequence[Indicator], report: ReportId) -> list[KeptValue]:
        told = self.evaluation().values(indicators, Scope(), report.first, report.end)
        return [
            KeptValue(value=replace(value, parts=()), digest=value_digest(value), made_for=_digest(one))
            for one, value in zip(indicators, told, strict=True)
        ]

    def _state(self, now: datetime) -> str:
        school = sorted(day.isoformat() for day in self.school)
        tables = digest_of(canonical({**tables_to_json(self.dated), "school": school}))
        return f"{now.astimezone(self.zone).date()} {self.records.version()} {tables}"


def keep_usual(keeper: ValueKeeper, now: datetime, stopped: Stopped) -> Mapping[ReportId, KeptValues]:
    """Keep the values of the usual reports ready, the nearest first."""
    found = {}
    for report in usual_reports(now.astimezone(keeper.zone).date()):
        if stopped():
            break
        found[report] = keeper.refresh(report, now)
    return found
