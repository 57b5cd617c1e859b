"""The acts on deliveries: guarantors write and deliver, the coordinator returns or checks, every step is audited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

import msgspec

from core.deliveries import ACTIVITY_TEXT, ENTITY, Delivery, DeliveryAct, Evidence, HandValue, Text
from core.deliveries import ValueCheck as Check
from core.errors import Conflict, InputError, NotFound
from core.indicators import Because, Value
from core.notes import AuditEntry, JsonValue
from core.plan import Activity, Area, Indicator, ReportKind
from core.ports import RecordStore
from core.report_periods import ReportId
from services.delivery_steps import allowed, edited, stepped, values_checked, without_value
from services.evidence_files import examined
from services.frozen import value_digest
from services.held import RegisterReader

REQUIRED: Final[Mapping[ReportKind, tuple[Text, ...]]] = {
    ReportKind.ANNUAL: (Text.REALISED, Text.FULFILMENT),
    ReportKind.MID_YEAR: (Text.STATE_OF_WORK, Text.TRENDS, Text.COMMUNICATION, Text.PARTNERSHIP),
    ReportKind.CLOSING: (Text.REALISED, Text.FULFILMENT, Text.EVALUATION),
}
"""Texts without which nothing is delivered; fulfilment may be told activity by activity instead."""
MOST_EVIDENCE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Until when parts are delivered: (month, day) of the year after a report's years, of mid-year in the same year.

    Guarantors are reminded `remind_days` before, each of them once.
    """

    annual: tuple[int, int] = (2, 28)
    mid_year: tuple[int, int] = (7, 31)
    closing: tuple[int, int] = (2, 28)
    remind_days: tuple[int, ...] = (21, 7, 1)

    def of(self, report: ReportId) -> date:
        """Return the last day on which parts of a report are in time."""
        month, day = {
            ReportKind.ANNUAL: self.annual,
            ReportKind.MID_YEAR: self.mid_year,
            ReportKind.CLOSING: self.closing,
        }[report.kind]
        return date(report.end.year, month, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPlan:
    """What the plan says of an area for a report: who answers for it, its activities and its indicators."""

    area: Area
    activities: tuple[Activity, ...]
    indicators: tuple[Indicator, ...]

    @property
    def by_hand(self) -> tuple[Indicator, ...]:
        """The indicators whose values its guarantor enters."""
        return tuple(one for one in self.indicators if one.by_hand)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """An area's delivery on the coordinator's board: what lacks, until when it is due, what may be done with it."""

    area: Area
    delivery: Delivery
    due: date
    overdue: bool
    missing: tuple[Because, ...]
    allowed: tuple[DeliveryAct, ...]
    by_hand: tuple[Indicator, ...] = ()
    computed: tuple[Indicator, ...] = ()


def area_plans(register: RegisterReader, report: ReportId) -> list[AreaPlan]:
    """Return all areas of the plan with what they tell in a report, ordered by id."""
    indicators = [one for one in register.find(Indicator) if report.kind in one.reports]
    activities = register.find(Activity)
    return [
        AreaPlan(
            area=area,
            activities=tuple(one for one in activities if one.area == area.id),
            indicators=tuple(one for one in indicators if one.area == area.id),
        )
        for area in register.find(Area)
    ]


def area_plan(register: RegisterReader, report: ReportId, key: str) -> AreaPlan:
    """Return one area; raise NotFound."""
    register.get(Area, key)
    return next(plan for plan in area_plans(register, report) if plan.area.id == key)


def lacking(delivery: Delivery, plan: AreaPlan) -> tuple[Because, ...]:
    """Return what is to be filled in before a delivery can be delivered."""
    told = delivery.texts
    each = [f"{ACTIVITY_TEXT}{one.id}" for one in plan.activities]
    one_by_one = bool(each) and all(key in told for key in each)
    texts = [
        text
        for text in REQUIRED[delivery.report.kind]
        if text not in told and not (text is Text.FULFILMENT and one_by_one)
    ]
    found = [Because(code="text_missing", facts={"text": text}, subjects=(plan.area.id,)) for text in texts]
    for indicator in plan.by_hand:
        value = delivery.value(indicator.id)
        given = {amount.figure for amount in value.amounts} if value else set()
        gaps = [figure.key for figure in indicator.figures if figure.key not in given]
        if gaps:
            facts = {"indicator": indicator.id, "figures": ", ".join(gaps)}
            found.append(Because(code="value_missing", facts=facts, subjects=(indicator.id,)))
    return tuple(found)


def board(
    records: RecordStore, register: RegisterReader, report: ReportId, *, deadlines: Deadlines, today: date
) -> list[BoardRow]:
    """Return how far each area is with its part of a report."""
    stored = {one.area: one for one in records.deliveries(report)}
    due = deadlines.of(report)
    return [
        _row(plan, stored.get(plan.area.id) or Delivery(report=report, area=plan.area.id), due, today)
        for plan in area_plans(register, report)
    ]


def _row(plan: AreaPlan, delivery: Delivery, due: date, today: date) -> BoardRow:
    return BoardRow(
        area=plan.area,
        delivery=delivery,
        due=due,
        overdue=today > due and delivery.editable,
        missing=lacking(delivery, plan) if delivery.editable else (),
        allowed=allowed(delivery),
        by_hand=plan.by_hand,
        computed=tuple(one for one in plan.indicators if not one.by_hand),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A delivery that somebody acts on; `version` is the one that they saw (None: whichever there is)."""

    report: ReportId
    area: str
    by: str
    now: datetime
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The acts on deliveries over a record store and the register that holds the plan."""

    records: RecordStore
    register: RegisterReader
    deadlines: Deadlines = field(default_factory=Deadlines)

    def get(self, report: ReportId, area: str) -> Delivery:
        """Return a delivery, an empty draft where nothing was written; raise NotFound for an unknown area."""
        self.register.get(Area, area)
        return self.records.delivery(report, area)

    def edit(
        self,
        part: Part,
        *,
        texts: Mapping[str, str] | None = None,
        values: Sequence[HandValue] | None = None,
        comment: str = "",
    ) -> Delivery:
        """Put texts and values in the place of those of the same name; the evidence of a value stays with it."""
        plan = area_plan(self.register, part.report, part.area)
        for value in values or ():
            _check_value(value, plan)
        _check_texts(texts or {}, plan)

        def act(delivery: Delivery) -> Delivery:
            kept = tuple(replace(one, evidence=_evidence(delivery, one.indicator)) for one in values or ())
            return edited(delivery, by=part.by, now=part.now, texts=texts, values=kept, comment=comment)

        return self._do(part, DeliveryAct.EDIT, act)

    def drop_value(self, part: Part, indicator: str) -> Delivery:
        """Take the value of an indicator out again, with its evidence."""
        return self._do(
            part, DeliveryAct.EDIT, lambda d: without_value(d, _known(d, indicator).indicator, by=part.by, now=part.now)
        )

    def attach(self, part: Part, indicator: str, name: str, content: bytes) -> Delivery:
        """Keep a file as evidence of a value; the same file again changes nothing but its name."""
        file = examined(name, content)
        evidence = Evidence(
            id=file.digest[:16],
            name=file.name,
            media_type=file.media_type,
            size=len(content),
            digest=file.digest,
            by=part.by,
            at=part.now,
        )
        self._check_version(part, self.get(part.report, part.area))
        self.records.keep_evidence(file.digest, content)
        return self._with_evidence(
            part, indicator, lambda had: (*(one for one in had if one.id != evidence.id), evidence)
        )

    def detach(self, part: Part, indicator: str, evidence: str) -> Delivery:
        """Take a file away from a value; published reports that name it keep it."""
        return self._with_evidence(part, indicator, lambda had: _without(had, evidence))

    def _with_evidence(
        self, part: Part, indicator: str, change: Callable[[tuple[Evidence, ...]], tuple[Evidence, ...]]
    ) -> Delivery:
        def act(delivery: Delivery) -> Delivery:
            value = _known(delivery, indicator)
            evidence = change(value.evidence)
            if len(evidence) > MOST_EVIDENCE:
                raise InputError(f"{indicator} has {MOST_EVIDENCE} files already", remedy="put them together")
            values = (replace(value, evidence=evidence),)
            return edited(delivery, by=part.by, now=part.now, values=values, comment=indicator)

        return self._do(part, DeliveryAct.EDIT, act)

    def deliver(self, part: Part, comment: str = "") -> Delivery:
        """Hand it to the coordinator; raise Conflict naming what is not filled in."""
        plan = area_plan(self.register, part.report, part.area)

        def act(delivery: Delivery) -> Delivery:
            after = stepped(delivery, DeliveryAct.DELIVER, by=part.by, now=part.now, comment=comment)
            if missing := lacking(delivery, plan):
                raise Conflict(f"delivery {delivery.id} lacks {', '.join(map(_named, missing))}")
            return after

        return self._do(part, DeliveryAct.DELIVER, act)

    def act(self, part: Part, act: DeliveryAct, comment: str = "") -> Delivery:
        """Recall, return, check, reopen, or comment."""
        if act is DeliveryAct.DELIVER:
            return self.deliver(part, comment)
        if act in {DeliveryAct.EDIT, DeliveryAct.CHECK_VALUE, DeliveryAct.PUBLISH}:
            raise InputError(f"{act} is not done by itself", place="act", remedy="write the values, or publish")
        return self._do(part, act, lambda d: stepped(d, act, by=part.by, now=part.now, comment=comment))

    def check_value(self, part: Part, value: Value, note: str = "") -> Delivery:
        """Note that the coordinator takes a computed value as it is now; another value later wants another look."""
        return self.check_values(part, {value.indicator: value_digest(value)}, note)

    def check_values(self, part: Part, digests: Mapping[str, str], note: str = "") -> Delivery:
        """Note that computed values were taken as they were shown, by the digest of each; publishing compares them."""
        plan = area_plan(self.register, part.report, part.area)
        known = {one.id for one in plan.indicators if not one.by_hand}
        for indicator in digests:
            if indicator not in known:
                raise NotFound(f"area {part.area} has no computed indicator {indicator} in {part.report}")
        checks = [Check(indicator=i, digest=d, by=part.by, at=part.now, note=note) for i, d in digests.items()]
        if not checks:
            raise InputError("no value was chosen", place="values", remedy="choose what was looked at")
        return self._do(part, DeliveryAct.CHECK_VALUE, lambda d: values_checked(d, checks))

    def _do(self, part: Part, act: DeliveryAct, change: Callable[[Delivery], Delivery]) -> Delivery:
        before = self.get(part.report, part.area)
        self._check_version(part, before)
        after = change(before)
        self.records.change_deliveries([after], [audited(before, after, act)])
        return after

    @staticmethod
    def _check_version(part: Part, delivery: Delivery) -> None:
        if part.version not in {None, delivery.version}:
            raise Conflict(f"delivery {delivery.id} was changed meanwhile; look at it again and repeat what you did")


def audited(before: Delivery, after: Delivery, act: DeliveryAct) -> AuditEntry:
    """Return the entry of the audit trail that tells of an act."""
    step = after.steps[-1]
    said = f"{act}: {step.comment}" if step.comment else str(act)
    return AuditEntry(
        at=step.at,
        by=step.by,
        entity=ENTITY,
        key=after.id,
        why=said,
        before=document(before) if before.version else None,
        after=document(after),
    )


def document(delivery: Delivery) -> dict[str, JsonValue]:
    """Return a delivery as JSON, without its steps, which are the audit trail itself."""
    found: dict[str, JsonValue] = msgspec.to_builtins(replace(delivery, texts=dict(delivery.texts), steps=()))
    del found["steps"]
    return found


def _named(because: Because) -> str:
    return " ".join(str(fact) for fact in because.facts.values())


def _evidence(delivery: Delivery, indicator: str) -> tuple[Evidence, ...]:
    value = delivery.value(indicator)
    return value.evidence if value else ()


def _known(delivery: Delivery, indicator: str) -> HandValue:
    value = delivery.value(indicator)
    if value is None:
        raise NotFound(f"delivery {delivery.id} has no value of indicator {indicator}; write the value first")
    return value


def _without(had: tuple[Evidence, ...], key: str) -> tuple[Evidence, ...]:
    if key not in {one.id for one in had}:
        raise NotFound(f"no evidence {key} is attached")
    return tuple(one for one in had if one.id != key)


def _check_value(value: HandValue, plan: AreaPlan) -> None:
    indicator = next((one for one in plan.by_hand if one.id == value.indicator), None)
    if indicator is None:
        raise NotFound(f"area {plan.area.id} has no indicator {value.indicator} whose value is entered by hand")
    known = {figure.key for figure in indicator.figures}
    strange = [amount.figure for amount in value.amounts if amount.figure not in known]
    if strange:
        raise InputError(
            f"indicator {indicator.id} has no figure {strange[0]!r}",
            place=f"values.{indicator.id}",
            remedy=f"write one of {', '.join(sorted(known))}",
        )


def _check_texts(texts: Mapping[str, str], plan: AreaPlan) -> None:
    known = {one.id for one in plan.activities}
    for key in texts:
        activity = key.removeprefix(ACTIVITY_TEXT)
        if key.startswith(ACTIVITY_TEXT) and activity not in known:
            raise InputError(
                f"area {plan.area.id} has no activity {activity!r}", place=f"texts.{key}", remedy="name one of its own"
            )
