"""What a report lacks and why: values, texts, checks; nothing that is missing goes unsaid."""

from collections.abc import Iterator, Sequence

from core.deliveries import DeliveryState, Text
from core.indicators import ValueStatus
from core.plan import ReportKind
from core.report import AreaPart, IndicatorRow, Lack, Missing
from services.deliveries import REQUIRED

SETTLED = frozenset({DeliveryState.CHECKED, DeliveryState.PUBLISHED})


def missing_of(kind: ReportKind, areas: Sequence[AreaPart]) -> tuple[Missing, ...]:
    """Return what lacks, area by area: first values, then texts, then checks."""
    return tuple(one for area in areas for one in _of_area(kind, area))


def _of_area(kind: ReportKind, area: AreaPart) -> Iterator[Missing]:
    for row in area.rows:
        lack = _lack(row)
        if lack is not None:
            subject = f"{row.indicator} {row.name}"
            reasons = () if lack is Lack.UNDELIVERED else row.reasons
            yield Missing(lack=lack, area=area.name, subject=subject, reasons=reasons, names=row.lacking)
    texts = [text for text in REQUIRED[kind] if not _told(area, text)]
    if texts:
        yield Missing(lack=Lack.TEXTS, area=area.name, names=tuple(texts))
    elif area.state not in SETTLED:
        yield Missing(lack=Lack.UNCHECKED, area=area.name, names=(area.state,))


def _lack(row: IndicatorRow) -> Lack | None:
    if row.origin is None and row.by_hand:
        return Lack.UNDELIVERED
    return {ValueStatus.UNKNOWN: Lack.VALUE, ValueStatus.PROVISIONAL: Lack.PROVISIONAL}.get(row.status)


def _told(area: AreaPart, text: Text) -> bool:
    if text is Text.FULFILMENT and area.activities and all(one.text.strip() for one in area.activities):
        return True
    return bool(area.texts.get(text, "").strip())
