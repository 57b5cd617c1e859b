"""The public page: the region's few numbers as they were published, with targets, and how they are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import allowed
from api.indicator_texts import status_text
from api.pages.view import plain_page, words_of
from api.publication_texts import told
from api.reporting import reports_of
from api.room import InRoom
from api.texts import N_, NOTHING, Language
from core.indicators import ValueStatus
from core.people import Right
from core.plan import ReportKind
from core.publications import Publication
from core.report import Cell, IndicatorRow, Judgement, Report, YearValue
from services.open_data import nameless

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.PUBLISHED)])

MOST_CARDS: Final = 8
SHOWN_PUBLICATIONS: Final = 12
COUNTED: Final = frozenset({"", "počet", "ks"})
"""Units that are not said after a number."""
BAR_WIDTH: Final = 44
BAR_GAP: Final = 14
CHART_HEIGHT: Final = 96
TOP: Final = 18
JUDGEMENTS: Final = {
    Judgement.MET: N_("target met"),
    Judgement.NOT_MET: N_("target not met"),
    Judgement.UNDER_WAY: N_("on the way to the target"),
    Judgement.UNKNOWN: N_("cannot be judged"),
}
KINDS: Final = {
    ReportKind.ANNUAL: N_("Annual report"),
    ReportKind.MID_YEAR: N_("Monitoring report"),
    ReportKind.CLOSING: N_("Closing evaluation"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A year in a small chart: where its bar stands, how high it is, what it says."""

    left: float
    top: float
    height: float
    label: str
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small chart: its bars, its width and, where the target is of a shown height, its line."""

    bars: tuple[Bar, ...]
    width: float
    target: float | None
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An indicator as the public reads it."""

    id: str
    name: str
    figure: str
    value: str
    interval: str
    change: str
    target: str
    judgement: str
    state: str
    coverage: str
    definition: str
    why: str
    picture: Picture | None


@router.get("/verejne")
def public_page(request: Request, room: InRoom) -> Response:
    """Show what the last annual report told, and what can be downloaded."""
    words = words_of(request)
    publications = room.region.deps.records.publications()
    annual = [one for one in publications if one.report.kind is ReportKind.ANNUAL]
    report = reports_of(room).of_publication(annual[-1].id, room.deps.clock()) if annual else None
    cards = _cards(report, room.deps.publisher.headline, words) if report else []
    chosen = set(room.deps.publisher.headline) or {card.id for card in cards[:MOST_CARDS]}
    return plain_page(
        request,
        "public.html",
        title=room.deps.title,
        report=report,
        year=report.id.period if report else "",
        cards=[card for card in cards if card.id in chosen],
        others=[card for card in cards if card.id not in chosen],
        publications=[_document(one, words) for one in _newest(publications)][:SHOWN_PUBLICATIONS],
        mail=room.deps.publisher.mail,
    )


def _newest(publications: list[Publication]) -> list[Publication]:
    """Return the last version of each report, the latest period first."""
    last = {one.report: one for one in publications}
    return sorted(last.values(), key=lambda one: (one.report.end, one.at), reverse=True)


def _document(one: Publication, words: Language) -> dict[str, str]:
    address = f"/api/v1/reports/{one.report.kind}/{one.report.period}"
    return {
        "name": f"{words.text(KINDS[one.report.kind])} {one.report.period.replace('-', '–')}",
        "version": str(one.version),
        "day": words.day(one.at.date()),
        "why": one.note if one.version > 1 else "",
        "digest": one.digest,
        "address": address,
    }


def _cards(report: Report, headline: Sequence[str], words: Language) -> list[Card]:
    """Return all indicators: those at the head in their order, then those with a number, with a target first."""

    def rank(row: IndicatorRow) -> tuple[int, bool, bool]:
        place = headline.index(row.indicator) if row.indicator in headline else len(headline)
        return place, row.main.value is None, row.main.standing.target is None

    return [_card(row, words) for row in sorted(report.rows, key=rank)]


def _card(row: IndicatorRow, words: Language) -> Card:
    cell, standing = row.main, row.main.standing
    judged = JUDGEMENTS.get(standing.judgement, "")
    unknown = cell.value is None
    target = f"{_written(cell, standing.target, words)} ({standing.year})" if standing.target is not None else ""
    return Card(
        id=row.indicator,
        name=row.name,
        figure=cell.name if len(row.cells) > 1 else "",
        value=_written(cell, cell.value, words),
        interval=_interval(cell, words),
        change=_change(cell, words),
        target=target,
        judgement=words.text(judged) if judged else "",
        state=status_text(words, row.status) if row.status is ValueStatus.PROVISIONAL else "",
        coverage=_coverage(row, words),
        definition=row.definition,
        why="; ".join(dict.fromkeys(told(nameless(one), words) for one in row.reasons)) if unknown else "",
        picture=picture_of(row, words),
    )


def _written(cell: Cell, value: float | None, words: Language) -> str:
    text = words.number(value, cell.decimals)
    return text if text == NOTHING or cell.unit in COUNTED else f"{text}\u00a0{cell.unit}"


def _interval(cell: Cell, words: Language) -> str:
    if cell.low90 is None or cell.high90 is None:
        return ""
    return words.text(N_("{low} to {high} with 90% certainty")).format(
        low=words.number(cell.low90, cell.decimals), high=_written(cell, cell.high90, words)
    )


def _change(cell: Cell, words: Language) -> str:
    if cell.value is None or not cell.before or cell.unit == "%":
        return ""
    return words.change(100 * (cell.value - cell.before) / abs(cell.before))


def _coverage(row: IndicatorRow, words: Language) -> str:
    found = row.coverage
    if row.by_hand:
        return words.text(N_("Entered by the responsible department."))
    if found is None:
        return ""
    return words.text(N_("From %(points)s meters; %(known)s of the time is measured.")) % {
        "points": words.number(found.points, 0),
        "known": words.share(found.measured),
    }


def picture_of(row: IndicatorRow, words: Language) -> Picture | None:
    """Return the years as bars above zero; of values below zero, or of a single year, there is no chart."""
    first = next((place for place, one in enumerate(row.history) if one.value is not None), 0)
    shown = row.history[first:]
    known = [one for one in shown if one.value is not None]
    if len(known) < 2 or any((one.value or 0.0) < 0 for one in known):  # noqa: PLR2004 - one year is no course
        return None
    standing, decimals = row.main.standing, row.main.decimals
    goal = standing.target if standing.target is not None and standing.target >= 0 else None
    highest = max(*(one.value or 0.0 for one in known), goal or 0.0)
    if not highest:
        return None
    bars = tuple(_bar(place, one, highest, decimals, words) for place, one in enumerate(shown))
    line = None if goal is None else TOP + CHART_HEIGHT * (1 - goal / highest)
    said = "; ".join(f"{bar.year}: {bar.label}" for bar in bars)
    return Picture(bars=bars, width=len(bars) * (BAR_WIDTH + BAR_GAP), target=line, told=said)


def _bar(place: int, one: YearValue, highest: float, decimals: int, words: Language) -> Bar:
    height = CHART_HEIGHT * (one.value or 0.0) / highest
    return Bar(
        left=place * (BAR_WIDTH + BAR_GAP) + BAR_GAP / 2,
        top=TOP + CHART_HEIGHT - height,
        height=height,
        label=words.number(one.value, decimals),
        year=one.year,
    )
