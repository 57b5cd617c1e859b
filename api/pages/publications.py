"""Publications: what stands published and whether it holds, what changed since by cause, publishing step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from api.access import allowed
from api.delivery_rows import RestatementDocument, VerifiedDocument
from api.indicator_values import Differing, Standing, differing, published_of, standing_values, usual_report
from api.pages.deliveries import Sent
from api.pages.reports import FORMS, Chosen, choice, held_of, report_name
from api.pages.view import Seen, Viewer, back
from api.publication_texts import CAUSES as CAUSE_NAMES
from api.publication_texts import told
from api.publishing import live_of
from api.texts import NOTHING
from core.deliveries import DeliveryState
from core.errors import Conflict, InputError
from core.indicators import Because, ValueStatus
from core.people import Right
from core.plan import Area, Figure, Indicator
from core.publications import Publication
from core.report_periods import ReportId
from services.frozen import to_json
from services.publishing import AREA, INDICATOR, Wish, hindered, proposals, publish, verify

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.INDICATORS)])
PUBLISHING: Final = [allowed(Right.PUBLISH, everywhere=True)]
CAUSES: Final = "indicators/causes/"
"""Where the causes of what changed since a report was published are kept, once somebody asked for them."""
EXCEPTION: Final = "exception:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A publication as listed; `last` tells whether it is the one that holds."""

    head: Publication
    name: str
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A figure that is another now than it was published."""

    indicator: str
    name: str
    figure: str
    old: str
    new: str
    difference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What changed in a report since it was published, and its causes where somebody asked for them."""

    report: ReportId
    name: str
    publication: str
    moved: list[Moved]
    causes: RestatementDocument | None
    asked_at: str


class _Causes(msgspec.Struct):
    """Causes as they are kept: of which publication, when they were worked out."""

    publication: str
    at: str
    language: str
    found: RestatementDocument | None


@router.get("/publications")
def publications(v: Seen) -> Response:
    """Show what stands published, newest first, and what has changed since."""
    heads = v.room.region.deps.records.publications()
    last = {one.report: one.id for one in heads}
    versions = [
        Version(head=one, name=report_name(one.report, v.words), last=last[one.report] == one.id)
        for one in reversed(heads)
    ]
    return v.page(
        "publications.html",
        versions=versions,
        proposals=[one for report in last if (one := _proposal(v, report)) is not None],
        number=lambda key, figure, text: _decimal(v, key, figure, text),
        names=_names(v),
        causes_text=_cause_names(v),
        forms=FORMS,
        choice=choice(v, next(iter(reversed(last)), None) or _usual(v)),
    )


def _usual(v: Viewer) -> ReportId:
    return usual_report(v.now.astimezone(v.room.deps.zone).date())


def _names(v: Viewer) -> Mapping[str, str]:
    return {one.id: one.name for one in v.room.region.deps.records.find(Indicator)}


def _figures(v: Viewer) -> Mapping[tuple[str, str], Figure]:
    return {(one.id, f.key): f for one in v.room.region.deps.records.find(Indicator) for f in one.figures}


def _proposal(v: Viewer, report: ReportId) -> Proposal | None:
    """Return what is another now of a report; the causes are those that were worked out last, if they are of it."""
    held = held_of(v)
    published, standing = published_of(v.room, held, report), standing_values(v.room, held, report)
    found = differing(published, standing) if published else []
    kept = _kept(v, report, published.publication.id) if published else None
    if published is None or not found:
        return None
    return Proposal(
        report=report,
        name=report_name(report, v.words),
        publication=published.publication.id,
        moved=[_moved(v, one) for one in found],
        causes=kept.found if kept else None,
        asked_at=kept.at if kept else "",
    )


def _kept(v: Viewer, report: ReportId, publication: str) -> _Causes | None:
    text = v.room.region.deps.records.kept(f"{CAUSES}{report}/{v.words.code}")
    try:
        found = msgspec.json.decode(text, type=_Causes) if text else None
    except msgspec.ValidationError:  # of a former shape: it is worked out anew
        return None
    return found if found is not None and found.publication == publication else None


def _moved(v: Viewer, one: Differing) -> Moved:
    figure = _figures(v).get((one.indicator, one.figure))
    lost = one.old is None or one.new is None
    return Moved(
        indicator=one.indicator,
        name=_names(v).get(one.indicator, one.indicator),
        figure=figure.name if figure else one.figure,
        old=_shown(v, figure, one.old),
        new=_shown(v, figure, one.new),
        difference=NOTHING if lost else _shown(v, figure, (one.new or 0.0) - (one.old or 0.0), sign=True),
    )


def _shown(v: Viewer, figure: Figure | None, value: float | None, *, sign: bool = False) -> str:
    text = v.words.number(value, figure.decimals if figure else None)
    if sign and value is not None and value > 0:
        text = f"+{text}"
    return text if text == NOTHING or figure is None or not figure.unit else f"{text}\u00a0{figure.unit}"


def _decimal(v: Viewer, indicator: str, figure: str, text: str | None) -> str:
    """Return an exact decimal with all the digits that it has, in the way of the language."""
    found = _figures(v).get((indicator, figure))
    if text is None:
        return NOTHING
    shown = v.words.exact(float(Decimal(text)))
    return f"{shown}\u00a0{found.unit}" if found and found.unit else shown


@router.post("/publications/causes", dependencies=PUBLISHING)
def causes(v: Seen, report: Annotated[str, Form()]) -> Response:
    """Work out why a published report's values are others now; it takes a while and is kept for the page."""
    kind, _, period = report.partition("/")
    asked = ReportId.parse(kind, period)
    published = published_of(v.room, held_of(v), asked)
    if published is None:
        raise Conflict(f"report {asked} is not published")
    standing_values(v.room, held_of(v), asked, fresh=True)
    found = proposals(live_of(v.room), v.now, asked)
    document = RestatementDocument.of(found[0], v.words) if found else None
    kept = _Causes(published.publication.id, v.now.isoformat(), v.words.code, document)
    v.room.region.deps.records.keep(f"{CAUSES}{asked}/{v.words.code}", msgspec.json.encode(to_json(kept)).decode())
    return back(f"/publications?done=causes#since-{asked.kind}-{asked.period}")


@router.get("/publications/new", dependencies=PUBLISHING)
def prepare(v: Seen, report: Chosen) -> Response:
    """Show what publishing a report would freeze, and what is unchecked or missing."""
    return _prepared(v, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Something unchecked: what an exception for it is called, and where it can be checked."""

    subject: str
    text: str
    address: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What a publication would hold: an indicator's value as it is now."""

    indicator: str
    name: str
    value: str
    status: str
    checked: bool


def _prepared(
    v: Viewer, report: ReportId, *, said: Mapping[str, str] | None = None, note: str = "", status: int = 200
) -> Response:
    standing = standing_values(v.room, held_of(v), report)
    published = published_of(v.room, held_of(v), report)
    found = _hindrances(v, report, standing, said or {})
    return v.page(
        "publish.html",
        status=status,
        choice=choice(v, report),
        report=report,
        name=report_name(report, v.words),
        hindrances=found,
        bare=status != 200,  # noqa: PLR2004 - it was refused
        note=note,
        lines=_lines(v, report, standing, {one.subject for one in found}),
        published=published,
        moved=[_moved(v, one) for one in differing(published, standing)] if published else [],
        standing=standing,
        forms=FORMS,
    )


def _hindrances(v: Viewer, report: ReportId, standing: Standing, said: Mapping[str, str]) -> list[Hindrance]:
    areas = {one.id: one.area for one in v.room.region.deps.records.find(Indicator)}
    found = hindered(live_of(v.room), report, standing.digests)
    return [_hindrance(v, report, one, areas, said) for one in found]


def _hindrance(
    v: Viewer, report: ReportId, one: Because, areas: Mapping[str, str], said: Mapping[str, str]
) -> Hindrance:
    subject = one.subjects[0]
    area = subject.removeprefix(AREA)
    if subject.startswith(INDICATOR):
        area = areas.get(subject.removeprefix(INDICATOR), "")
    return Hindrance(
        subject=subject,
        text=told(one, v.words),
        address=f"/deliveries/{report}/{area}",
        why=said.get(subject, ""),
    )


def _lines(v: Viewer, report: ReportId, standing: Standing, unchecked: set[str]) -> list[Frozen]:
    records = v.room.region.deps.records
    done = {
        one.area for one in records.deliveries(report) if one.state in {DeliveryState.CHECKED, DeliveryState.PUBLISHED}
    }
    found = []
    for one in (i for i in records.find(Indicator) if report.kind in i.reports):
        value = standing.values.get(one.id)
        amount = value.amounts[0].value if value else None
        checked = one.area in done if one.by_hand else f"{INDICATOR}{one.id}" not in unchecked
        found.append(
            Frozen(
                indicator=one.id,
                name=one.name,
                value=_shown(v, one.figures[0], amount),
                status=value.status if value else ValueStatus.UNKNOWN,
                checked=checked,
            )
        )
    return found


@router.post("/publications/confirm", dependencies=PUBLISHING)
def confirm(v: Seen, sent: Sent) -> Response:
    """Show once more what will be frozen; what has no reason to be published unchecked goes back."""
    report, said = _report(sent), _exceptions(sent)
    standing = standing_values(v.room, held_of(v), report)
    published = published_of(v.room, held_of(v), report)
    found, note = _hindrances(v, report, standing, said), str(sent.get("note", "")).strip()
    if [one for one in found if not one.why] or (published and not note):
        return _prepared(v, report, said=said, note=note, status=422)
    records = v.room.region.deps.records
    return v.page(
        "publish_confirm.html",
        report=report,
        name=report_name(report, v.words),
        note=note,
        exceptions=found,
        lines=_lines(v, report, standing, {one.subject for one in found}),
        areas=_areas(v, report),
        files=sum(len(value.evidence) for one in records.deliveries(report) for value in one.values),
        published=published,
        version=published.publication.version + 1 if published else 1,
    )


def _areas(v: Viewer, report: ReportId) -> list[tuple[str, int, int]]:
    """Return the areas with how many texts and values of theirs would be frozen."""
    records = v.room.region.deps.records
    stored = {one.area: one for one in records.deliveries(report)}
    return [
        (one.name, len(stored[one.id].texts), len(stored[one.id].values))
        for one in records.find(Area)
        if one.id in stored
    ]


def _report(sent: Sent) -> ReportId:
    kind, _, period = str(sent.get("report", "")).partition("/")
    return ReportId.parse(kind, period)


def _exceptions(sent: Sent) -> dict[str, str]:
    said = {n.removeprefix(EXCEPTION): str(text).strip() for n, text in sent.multi_items() if n.startswith(EXCEPTION)}
    return {name: text for name, text in said.items() if text}


@router.post("/publications", dependencies=PUBLISHING)
def publish_it(v: Seen, sent: Sent) -> Response:
    """Freeze the report; where something changed meanwhile, the way begins again with what lacks now."""
    report, said, note = _report(sent), _exceptions(sent), str(sent.get("note", ""))
    wish = Wish(report=report, by=v.name, now=v.now, note=note, exceptions=said)
    try:
        made = publish(live_of(v.room), wish)
    except (Conflict, InputError):
        standing = standing_values(v.room, held_of(v), report, fresh=True)
        lacking = [one for one in _hindrances(v, report, standing, said) if not one.why]
        if not lacking:
            raise
        return _prepared(v, report, said=said, note=note, status=409)
    return back(f"/publications/{made.id}?done=published")


@router.get("/publications/{key}")
def publication(v: Seen, key: str, check: Annotated[str, Query()] = "") -> Response:
    """Show a publication; with `check` it is computed again and compared."""
    found = v.room.region.deps.records.publication(key)
    held = published_of(v.room, held_of(v), found.report, key)
    verified = VerifiedDocument.of(verify(live_of(v.room), key, v.now), v.words) if check else None
    content = found.opened()
    shown = Standing(
        report=found.report, values=held.values if held else {}, digests={}, made_at=found.at, checked_at=found.at
    )
    return v.page(
        "publication.html",
        found=found,
        name=report_name(found.report, v.words),
        lines=_lines(v, found.report, shown, set()),
        exceptions=_told_exceptions(content.get("exceptions", {})),
        restatement=content.get("restatement"),
        number=lambda one, figure, text: _decimal(v, one, figure, text),
        names=_names(v),
        causes_text=_cause_names(v),
        verified=verified,
        forms=FORMS,
        last=v.room.region.deps.records.publications(found.report)[-1].id == found.id,
    )


def _told_exceptions(said: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    return [(subject.partition(":")[2], why) for subject, why in said.items()]


def _cause_names(v: Viewer) -> Mapping[str, str]:
    return {key: v.words.text(text) for key, text in CAUSE_NAMES.items()}
