"""The acts on publications: what is open, what stands in the way, publishing, checking what was published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.deliveries import Delivery, DeliveryAct, DeliveryState
from core.errors import Conflict, InputError, NotFound, TimeError
from core.indicators import Because, Scope, Value
from core.notes import AuditEntry
from core.plan import Indicator
from core.publications import ENTITY, Publication
from core.report_periods import ReportId
from services.deliveries import area_plans, audited
from services.delivery_steps import stepped
from services.freezing import Opened, Sealed, frozen, opened, stand_of
from services.frozen import value_digest
from services.held import RegisterReader
from services.indicators import evaluate
from services.restatement import Restatement, restated, to_tell
from services.stands import Live, Stand, inputs_of, stand_now
from services.verification import Verified, broken_links, compared, recomputed

REGION: Final = (Scope(),)
AREA: Final = "area:"
INDICATOR: Final = "indicator:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A publication that somebody wants: `exceptions` say why what is not checked is published all the same.

    They are named `area:ID` and `indicator:ID`. `cutoff` is the instant up to which readings count (None: now).
    """

    report: ReportId
    by: str
    now: datetime
    note: str = ""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    cutoff: datetime | None = None

    def __post_init__(self) -> None:
        if self.cutoff is not None and self.cutoff.tzinfo is None:
            raise TimeError(
                f"cut-off {self.cutoff.isoformat()} has no offset",
                place="cutoff",
                remedy="write it as 2026-02-28T12:00:00+01:00",
            )


def indicators_of(register: RegisterReader, report: ReportId) -> list[Indicator]:
    """Return the indicators that a report holds, ordered by id."""
    return [one for one in register.find(Indicator) if report.kind in one.reports]


def open_values(
    live: Live, report: ReportId, now: datetime, *, scopes: Sequence[Scope] = REGION, cutoff: datetime | None = None
) -> list[Value]:
    """Return the values of a report as they would be published now."""
    return _values(stand_now(live, report, now, cutoff=cutoff), live, report, now, scopes)


def one_value(live: Live, report: ReportId, indicator: str, now: datetime) -> Value:
    """Return the value of one indicator as it would be published now; raise NotFound where the report holds none."""
    stand = stand_now(live, report, now)
    chosen = [one for one in indicators_of(stand.register, report) if one.id == indicator]
    if not chosen:
        raise NotFound(f"report {report} holds no indicator {indicator}")
    return evaluate(chosen, Scope(), report.first, report.end, inputs_of(stand, live), now)[0]


def _values(stand: Stand, live: Live, report: ReportId, now: datetime, scopes: Sequence[Scope]) -> list[Value]:
    inputs, indicators = inputs_of(stand, live), indicators_of(stand.register, report)
    return [value for scope in scopes for value in evaluate(indicators, scope, report.first, report.end, inputs, now)]


def hindrances(live: Live, report: ReportId, values: Sequence[Value]) -> tuple[Because, ...]:
    """Return what keeps a report from being published: areas and computed values that nobody checked as they are."""
    return hindered(live, report, {one.indicator: value_digest(one) for one in values if one.scope == Scope()})


def hindered(live: Live, report: ReportId, digests: Mapping[str, str]) -> tuple[Because, ...]:
    """Return what keeps a report from being published whose values of the region have these digests."""
    stored = {one.area: one for one in live.records.deliveries(report)}
    before = _last_values(live, report)
    found = []
    for plan in area_plans(live.records, report):
        delivery = stored.get(plan.area.id) or Delivery(report=report, area=plan.area.id)
        if delivery.state not in {DeliveryState.CHECKED, DeliveryState.PUBLISHED}:
            facts = {"area": plan.area.name, "state": delivery.state}
            found.append(Because(code="area_not_checked", facts=facts, subjects=(f"{AREA}{plan.area.id}",)))
        checks = {check.indicator: check.digest for check in delivery.checks}
        for indicator in (one for one in plan.indicators if not one.by_hand and one.id in digests):
            if digests[indicator.id] not in {checks.get(indicator.id), before.get(indicator.id)}:
                code = "value_changed_since_check" if indicator.id in checks else "value_not_checked"
                subjects = (f"{INDICATOR}{indicator.id}",)
                found.append(Because(code=code, facts={"indicator": indicator.id}, subjects=subjects))
    return tuple(found)


def _last_values(live: Live, report: ReportId) -> dict[str, str]:
    """Return the digests of the values that stand published, by indicator."""
    last = newest(live, report)
    return {value.indicator: value_digest(value) for value in last.values} if last else {}


def newest(live: Live, report: ReportId) -> Opened | None:
    """Return the publication of a report that holds, None where none was made."""
    heads = live.records.publications(report)
    return opened(live.records.publication(heads[-1].id)) if heads else None


def publish(live: Live, wish: Wish) -> Publication:
    """Freeze a report; raise Conflict naming what is not checked, or where nothing changed since the last version.

    A new version tells what changed and why; the former one stays.
    """
    stand = stand_now(live, wish.report, wish.now, cutoff=wish.cutoff)
    values = _values(stand, live, wish.report, wish.now, REGION)
    _check_wish(wish, hindrances(live, wish.report, values))
    last, every = newest(live, wish.report), live.records.publications()
    deliveries = _closed(live, wish)
    shown = [closed for _, closed in deliveries]
    sealed = Sealed(
        report=wish.report,
        version=1 if last is None else last.publication.version + 1,
        at=wish.now,
        by=wish.by,
        note=wish.note.strip(),
        code=live.code,
        replaces="" if last is None else last.publication.id,
        previous=every[-1].digest if every else "",
        exceptions=dict(wish.exceptions),
        restatement=None if last is None else to_tell(_restated(live, last, stand, wish.now)),
    )
    made = frozen(sealed, values, shown, stand)
    if last is not None:
        _check_restatement(last, made, wish)
    changed = [(before, after) for before, after in deliveries if before is not after]
    entries = [audited(before, after, DeliveryAct.PUBLISH) for before, after in changed]
    return live.records.publish(made, [after for _, after in changed], [*entries, _entry(made)])


def _check_wish(wish: Wish, found: Sequence[Because]) -> None:
    open_ones = [subject for because in found for subject in because.subjects]
    strange = [name for name in wish.exceptions if name not in open_ones]
    if strange:
        raise InputError(
            f"{strange[0]} needs no exception: it is checked, or not of {wish.report}",
            place=f"exceptions.{strange[0]}",
            remedy="leave it out",
        )
    bare = [name for name, why in wish.exceptions.items() if not why.strip()]
    if bare:
        raise InputError(f"exception {bare[0]} has no reason", place=f"exceptions.{bare[0]}", remedy="say why")
    unchecked = [name for name in open_ones if name not in wish.exceptions]
    if unchecked:
        raise Conflict(
            f"report {wish.report} cannot be published: {', '.join(unchecked)} not checked; check them, or publish "
            "with an exception that says why"
        )


def _closed(live: Live, wish: Wish) -> list[tuple[Delivery, Delivery]]:
    """Return the deliveries of a report before and after publishing; what is not checked stays as it is."""
    return [
        (
            one,
            stepped(one, DeliveryAct.PUBLISH, by=wish.by, now=wish.now, comment=wish.note.strip())
            if one.state is DeliveryState.CHECKED
            else one,
        )
        for one in live.records.deliveries(wish.report)
    ]


def _check_restatement(last: Opened, made: Publication, wish: Wish) -> None:
    before, after = last, opened(made)
    same = [value_digest(value) for value in before.values] == [value_digest(value) for value in after.values]
    told = [(one.area, one.texts, one.values) for one in before.deliveries]
    if same and told == [(one.area, one.texts, one.values) for one in after.deliveries]:
        raise Conflict(f"nothing has changed since {last.publication.id} was published")
    if not wish.note.strip():
        raise InputError(
            f"{made.id} would replace {last.publication.id}", place="note", remedy="say why it is published anew"
        )


def _entry(made: Publication) -> AuditEntry:
    names = ("id", "version", "digest", "previous", "replaces", "note", "code", "register", "audited")
    said: dict[str, Any] = {name: getattr(made, name) for name in names}
    return AuditEntry(
        at=made.at, by=made.by, entity=ENTITY, key=made.id, why=made.note or "publish", before=None, after=said
    )


def proposals(live: Live, now: datetime, report: ReportId | None = None) -> list[Restatement]:
    """Return, of each report that stands published (or of one), what has changed since; nothing where nothing has."""
    reports = [report] if report else list(dict.fromkeys(one.report for one in live.records.publications()))
    found = []
    for one in reports:
        last = newest(live, one)
        if last is not None:
            found.append(_restated(live, last, stand_now(live, one, now), now))
    return [one for one in found if one.changes]


def _restated(live: Live, last: Opened, now_stand: Stand, now: datetime) -> Restatement:
    return restated(last, stand_of(last, live.records), now_stand, live, now)


def verify(live: Live, key: str, now: datetime) -> Verified:
    """Compute what was published again, from its cut-off and versions, and compare; raise NotFound."""
    publication = live.records.publication(key)
    faults = broken_links(live.records, publication)
    if faults:
        return Verified(publication=publication, faults=tuple(faults))
    held = opened(publication)
    values, unrecoverable = recomputed(held, stand_of(held, live.records), live, now)
    return Verified(
        publication=publication,
        faults=tuple(unrecoverable),
        compared=sum(len(value.amounts) for value in held.values),
        differences=tuple(compared(held.values, values)),
    )
