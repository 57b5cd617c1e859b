"""Deliveries: the board of a report, and the form in which a guarantor tells of an area and it is checked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.access import MOST_FIELDS, allowed
from api.indicator_values import Standing, standing_values, told_of
from api.pages.delivery_forms import FIELDS, Written, files_of, texts_of, values_of, written
from api.pages.forms import count_of
from api.pages.indicators import Line, line_of
from api.pages.reports import Chosen, board_of, choice, deliveries_of, delivers, held_of, report_name
from api.pages.view import Seen, Viewer, back
from api.problems import Refused
from api.publication_texts import ACTS, STATES, TEXTS, told
from api.texts import N_
from core.deliveries import ACTIVITY_TEXT, Delivery, DeliveryAct, HandValue, Text
from core.errors import Conflict, InputError
from core.indicators import Scope
from core.people import Right
from core.report_periods import ReportId
from services.deliveries import REQUIRED, AreaPlan, Deliveries, Part, area_plan, lacking
from services.delivery_steps import WANTS_COMMENT
from services.delivery_steps import allowed as allowed_acts
from services.report_content import Imprint, assembled

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.INDICATORS)])
DELIVERING: Final = [allowed(Right.DELIVER)]
CHECKING: Final = [allowed(Right.PUBLISH)]

OF_COORDINATOR: Final = (DeliveryAct.CHECK, DeliveryAct.RETURN, DeliveryAct.REOPEN)
BUTTONS: Final[Mapping[str, str]] = {
    DeliveryAct.RECALL: N_("Take it back"),
    DeliveryAct.CHECK: N_("It is right: checked"),
    DeliveryAct.RETURN: N_("Return it to be completed"),
    DeliveryAct.REOPEN: N_("Open it again"),
    DeliveryAct.COMMENT: N_("Add a comment"),
}
HELP: Final[Mapping[str, str]] = {
    Text.REALISED: N_("What was done in the area in the period: projects, steps, results. A paragraph is enough."),
    Text.FULFILMENT: N_("How the activities of the area were fulfilled; or write it below activity by activity."),
    Text.EVALUATION: N_("What the values of the indicators say and why they are so."),
    Text.STATE_OF_WORK: N_("How far the work is and what comes next."),
    Text.TRENDS: N_("What is new in the field that touches the area."),
    Text.COMMUNICATION: N_("How the area was told of: events, articles, web."),
    Text.PARTNERSHIP: N_("With whom the area works together."),
}
SAVED, SENT = "saved", "sent"


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_fields=MOST_FIELDS) as form:
        yield form


Sent = Annotated[FormData, Depends(_form)]


@router.get("/deliveries")
def deliveries(v: Seen, report: Chosen) -> Response:
    """Show how far the areas of a report are."""
    board = board_of(v, report)
    mine = [row for row in board.rows if row.mine]
    return v.page("deliveries.html", choice=choice(v, report), report=report, board=board, mine=mine)


@router.get("/deliveries/{kind}/{period}/{area}")
def delivery(v: Seen, kind: str, period: str, area: str) -> Response:
    """Show what an area delivers for a report."""
    found = deliveries_of(v).get(ReportId.parse(kind, period), area)
    return _page(v, found, Written.of(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A text that is asked for."""

    key: str
    name: str
    help: str
    needed: bool


def _page(v: Viewer, found: Delivery, form: Written, *, status: int = 200, notice: str = "") -> Response:
    plan = area_plan(v.room.region.deps.records, found.report, found.area)
    mine, acts = delivers(v, found.area), allowed_acts(found)
    coordinates = v.may("check_and_publish")
    standing = standing_values(v.room, held_of(v), found.report)
    lines = _lines(v, found.report, plan)
    return v.page(
        "delivery.html",
        status=status,
        notice=notice,
        report=found.report,
        report_title=report_name(found.report, v.words),
        plan=plan,
        delivery=found,
        form=form,
        edits=mine and found.editable,
        mine=mine,
        row=next(row for row in board_of(v, found.report).rows if row.area == found.area),
        state_text=v.words.text(STATES[found.state]),
        fields=_fields(v, found.report),
        missing=[told(one, v.words) for one in lacking(found, plan)] if found.editable else [],
        acts=_offered(acts, mine=mine, coordinates=coordinates),
        wants_comment=WANTS_COMMENT,
        buttons=BUTTONS,
        act_names=ACTS,
        lines=lines,
        unchecked=_unchecked(found, plan, standing),
        checks={one.indicator: one for one in found.checks},
        digests=standing.digests,
        coordinates=coordinates,
        activity_text=ACTIVITY_TEXT,
        may_deliver=mine and DeliveryAct.DELIVER in acts,
    )


def _fields(v: Viewer, report: ReportId) -> list[Field]:
    needed = REQUIRED[report.kind]
    return [
        Field(key=one, name=v.words.text(TEXTS[one]), help=v.words.text(HELP[one]), needed=one in needed)
        for one in FIELDS[report.kind]
    ]


def _offered(acts: tuple[DeliveryAct, ...], *, mine: bool, coordinates: bool) -> list[DeliveryAct]:
    """Return the buttons that somebody is shown beside the form."""
    found: list[DeliveryAct] = [one for one in acts if one is DeliveryAct.RECALL and mine]
    found += [one for one in OF_COORDINATOR if one in acts and coordinates]
    return [*found, DeliveryAct.COMMENT] if mine or coordinates else []


def _lines(v: Viewer, report: ReportId, plan: AreaPlan) -> list[Line]:
    """Return the area's computed values as they stand."""
    source, beside, _ = told_of(v.room, held_of(v), report, Scope())
    made = assembled(source, beside, Imprint(region="", software=""), v.now)
    part = next(one for one in made.areas if one.id == plan.area.id)
    return [line_of(row, v.words, None, frozenset()) for row in part.rows if not row.by_hand]


def _unchecked(found: Delivery, plan: AreaPlan, standing: Standing) -> list[str]:
    """Return the computed indicators whose value, as it is now, nobody took yet."""
    checks = {one.indicator: one.digest for one in found.checks}
    computed = [one.id for one in plan.indicators if not one.by_hand]
    return [key for key in computed if checks.get(key) != standing.digests.get(key)]


def _part(v: Viewer, kind: str, period: str, area: str, version: int | None) -> Part:
    if not delivers(v, area):
        raise Refused(403, f"Area {area} is delivered by somebody else.")
    return Part(report=ReportId.parse(kind, period), area=area, by=v.name, now=v.now, version=version)


def _version(form: FormData) -> int | None:
    said = str(form.get("version", ""))
    return count_of(said)


@router.post("/deliveries/{kind}/{period}/{area}", dependencies=DELIVERING)
def save(v: Seen, kind: str, period: str, area: str, sent: Sent) -> Response:
    """Store what was written; with `deliver` hand it to the coordinator, where it is whole."""
    part, form = _part(v, kind, period, area, _version(sent)), written(sent)
    doing, plan = deliveries_of(v), area_plan(v.room.region.deps.records, ReportId.parse(kind, period), area)
    found = doing.get(part.report, area)
    if found.version != (part.version or 0):
        return _page(v, found, form, status=409, notice="meanwhile")
    values, troubles = values_of(form, plan)
    if troubles:
        return _page(v, found, _with(form, troubles), status=422, notice="troubles")
    try:
        found = _saved(doing, part, texts_of(form, plan, part.report.kind), values, sent)
    except (InputError, Conflict) as err:
        return _page(v, doing.get(part.report, area), form, status=422, notice=v.told(err))
    if "deliver" not in sent:
        return back(f"/deliveries/{kind}/{period}/{area}?done={SAVED}")
    if lacking(found, plan):
        return _page(v, found, Written.of(found), status=422, notice="lacking")
    doing.deliver(_at(part, found), str(sent.get("comment", "")))
    return back(f"/deliveries/{kind}/{period}/{area}?done={SENT}")


def _with(form: Written, troubles: Mapping[str, str]) -> Written:
    return replace(form, troubles=troubles)


def _at(part: Part, found: Delivery) -> Part:
    return replace(part, version=found.version)


def _saved(
    doing: Deliveries, part: Part, texts: Mapping[str, str], values: Sequence[HandValue], sent: FormData
) -> Delivery:
    """Store what differs from what is stored, then the files that came with it."""
    before = doing.get(part.report, part.area)
    texts = {key: text for key, text in texts.items() if text != before.texts.get(key, "")}
    told = {value.indicator for value in values}
    changed = [one for one in values if not _same(before.value(one.indicator), one)]
    emptied = [one.indicator for one in before.values if one.indicator not in told and one.indicator in _asked(sent)]
    found = doing.edit(part, texts=texts, values=changed) if texts or changed else before
    for key in emptied:
        found = doing.drop_value(_at(part, found), key)
    for indicator, file in files_of(sent):
        content = file.file.read()
        found = doing.attach(_at(part, found), indicator, file.filename or "", content)
    return found


def _asked(sent: FormData) -> frozenset[str]:
    """Return the indicators that the form asked for."""
    return frozenset(name.removeprefix("comment:") for name in sent if name.startswith("comment:"))


def _same(before: HandValue | None, after: HandValue) -> bool:
    return before is not None and (before.amounts, before.comment) == (after.amounts, after.comment)


@router.post("/deliveries/{kind}/{period}/{area}/acts", dependencies=DELIVERING)
def act(v: Seen, kind: str, period: str, area: str, sent: Sent) -> Response:
    """Take it back or comment; of the coordinator: check, return, open again."""
    said = str(sent.get("act", ""))
    if said not in set(DeliveryAct):
        raise InputError(f"{said!r} is no act", place="act", remedy="use a button of the page")
    wish = DeliveryAct(said)
    if wish in OF_COORDINATOR and not v.access.may(Right.PUBLISH):
        raise Refused(403, f"The coordinator alone may {wish} a delivery.")
    part, doing, comment = _part(v, kind, period, area, _version(sent)), deliveries_of(v), str(sent.get("comment", ""))
    found = doing.get(part.report, area)
    if wish in WANTS_COMMENT and not comment.strip():
        return _page(v, found, Written.of(found), status=422, notice="comment")
    if part.version != found.version:
        return _page(v, found, Written.of(found), status=409, notice="meanwhile")
    doing.act(part, wish, comment)
    return back(f"/deliveries/{kind}/{period}/{area}?done={wish}")


@router.post("/deliveries/{kind}/{period}/{area}/values", dependencies=CHECKING)
def check_values(v: Seen, kind: str, period: str, area: str, sent: Sent) -> Response:
    """Take computed values as they were shown: each by the digest that stood in the form."""
    part = _part(v, kind, period, area, None)
    digests = {n.removeprefix("digest:"): str(d) for n, d in sent.multi_items() if n.startswith("digest:")}
    deliveries_of(v).check_values(part, digests, str(sent.get("note", "")))
    return back(f"/deliveries/{kind}/{period}/{area}?done=values#computed")


@router.post("/deliveries/{kind}/{period}/{area}/detach", dependencies=DELIVERING)
def detach(v: Seen, kind: str, period: str, area: str, sent: Sent) -> Response:
    """Take a file away."""
    part = _part(v, kind, period, area, _version(sent))
    deliveries_of(v).detach(part, str(sent.get("indicator", "")), str(sent.get("evidence", "")))
    return back(f"/deliveries/{kind}/{period}/{area}?done={SAVED}#values")
