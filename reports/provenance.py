"""Where the numbers of a report come from: methods, dated values that were used, and the origin of each value."""

from typing import Any

from core.indicators import Used
from core.report import IndicatorRow, Origin, Report
from reports import czech, wording

Rows = list[dict[str, Any]]
EXACT_DECIMALS = 6


def exact(value: float | None) -> str:
    """Return a number with the decimals that it has, up to six."""
    if value is None:
        return czech.NOTHING
    text = czech.number(value, EXACT_DECIMALS)
    return text.rstrip("0").rstrip(",") if "," in text else text


def methods(report: Report) -> Rows:
    """Return for each indicator what it is and how it was come by."""
    return [
        {
            "id": row.indicator,
            "nazev": czech.line(row.name),
            "definice": czech.line(row.definition) or czech.NOTHING,
            "zpusob": _method(row),
            "mez": czech.share(row.least_measured) if not row.by_hand else "",
            "smer": wording.DIRECTIONS[row.direction],
        }
        for row in report.rows
    ]


def _method(row: IndicatorRow) -> str:
    if row.by_hand:
        return wording.BY_HAND
    if row.origin is None:
        return "výpočet, hodnota není"
    return f"výpočet, verze metody {row.origin.version}"


def used_values(report: Report) -> Rows:
    """Return the dated values that any of the figures was computed with, each once."""
    found = {_key(used): used for row in report.rows if row.origin for used in row.origin.used}
    return [
        {
            "druh": wording.USED_KINDS.get(used.kind, "vstupní hodnota"),
            "klic": czech.line(used.key),
            "verze": str(used.version),
            "od": _since(used.since),
            "hodnota": exact(used.value),
            "zdroj": czech.line(used.source),
        }
        for used in sorted(found.values(), key=lambda one: (one.kind, one.key, one.since))
    ]


def _key(used: Used) -> tuple[str, str, int, str]:
    return used.kind, used.key, used.version, used.since


def _since(text: str) -> str:
    """Return a day as it is written in Czech; a year or anything else stays as it is."""
    parts = text.split("-")
    dated = len(parts) == 3 and all(part.isdigit() for part in parts)  # noqa: PLR2004 - year, month, day
    return f"{parts[2]}.{parts[1]}.{parts[0]}" if dated else czech.line(text)


def provenance(report: Report) -> Rows:
    """Return the origin of each indicator's value."""
    return [_origin(row, row.origin) for row in report.rows if row.origin is not None]


def _origin(row: IndicatorRow, origin: Origin) -> dict[str, Any]:
    return {
        "id": row.indicator,
        "nazev": czech.line(row.name),
        "dny": czech.span(row.first, row.end),
        "zpusob": _method(row),
        "uzaverka": czech.minute(origin.cutoff),
        "vypocteno": czech.minute(origin.computed_at),
        "evidence": czech.number(origin.register, 0),
        "pokryti": wording.coverage(row.coverage) or czech.NOTHING,
        "publikace": wording.publication(origin.publication) or "nezveřejněno",
        "otisk": origin.digest,
    }
