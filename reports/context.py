"""A report as the templates read it: every number, day and state is written out, in Czech, and fit for a document.

The names are those that stand in the editable templates, Czech without diacritics (docs/reports.md lists them).
"""

from collections.abc import Mapping
from typing import Any, Final

from core.deliveries import Text
from core.indicators import ValueStatus
from core.plan import ReportKind
from core.report import ActivityRow, AreaPart, Cell, IndicatorRow, Judgement, Lack, Missing, Report
from reports import czech, wording
from reports.figures import Why, change, draft, interval, judged, names, notes, sentence, state, target, value
from reports.goals import goal_rows, strategic_rows
from reports.provenance import methods, provenance, used_values

Context = dict[str, Any]
BULLETS: Final = ("- ", "– ", "• ", "* ", "▪ ")
TEXTS_OF: Final[Mapping[ReportKind, tuple[Text, ...]]] = {
    ReportKind.ANNUAL: (Text.REALISED, Text.FULFILMENT),
    ReportKind.MID_YEAR: (Text.STATE_OF_WORK, Text.TRENDS, Text.COMMUNICATION, Text.PARTNERSHIP),
    ReportKind.CLOSING: (Text.REALISED, Text.FULFILMENT),
}
"""Which texts a report tells before its indicators; their evaluation stands below the table."""


def context(report: Report, why: Why) -> Context:
    """Return what the templates of a report may use, without charts."""
    published = report.publication
    return {
        "kraj": czech.line(report.region),
        "nazev": wording.title_of(report.id),
        "druh": wording.TITLES[report.id.kind],
        "obdobi": wording.period_of(report.id),
        "dny": czech.span(report.id.first, report.id.end),
        "navrh": published is None,
        "stav": _state(report),
        "sestaveno": czech.day_of(report.made_at),
        "uzaverka": czech.minute(report.cutoff) if report.cutoff else czech.NOTHING,
        "verze_evidence": czech.number(report.register, 0),
        "program": czech.line(f"Odečet {report.software}"),
        "zverejneni": _published(report),
        "uvod": _opening(report),
        "roky": years(report),
        "letos": _year_name(report, 0),
        "loni": _year_name(report, 1),
        "strategicke_cile": strategic_rows(report),
        "cile": goal_rows(report),
        "oblasti": [area(report, part, place, why) for place, part in enumerate(report.areas)],
        "chybi": [_missing(one, why) for one in report.missing],
        "metodika": methods(report),
        "hodnoty": used_values(report),
        "puvod": provenance(report),
    }


def years(report: Report) -> list[int]:
    """Return the years of a report."""
    return list(range(report.id.first.year, report.id.end.year + (report.id.end.month > 1)))


def _year_name(report: Report, before: int) -> str:
    """Return the heading of a column: the year, or its half."""
    year = report.id.end.year - (report.id.end.month == 1) - before
    return f"1.{czech.NBSP}pol.{czech.NBSP}{year}" if report.id.kind is ReportKind.MID_YEAR else str(year)


def _state(report: Report) -> str:
    if report.publication is None:
        return czech.typeset("NÁVRH: hodnoty nejsou zveřejněny a mohou se změnit")
    version = report.publication.version
    return "Zveřejněno" if version == 1 else f"Zveřejněno, {version}.{czech.NBSP}opravené vydání"


def _published(report: Report) -> Context | None:
    found = report.publication
    if found is None:
        return None
    return {
        "nazev": wording.publication(found.id),
        "verze": str(found.version),
        "kdy": czech.minute(found.at),
        "kdo": czech.line(found.by),
        "otisk": found.digest,
        "nahrazuje": wording.publication(found.replaces) if found.replaces else "",
        "duvod": czech.line(found.cause),
    }


def _opening(report: Report) -> list[str]:
    """Return what the report holds, in two or three sentences."""
    rows = report.rows
    known = [row for row in rows if row.origin and row.status is not ValueStatus.UNKNOWN and row.main.value is not None]
    final = sum(row.status is ValueStatus.FINAL for row in known)
    judged_rows = [row.main.standing.judgement for row in rows]
    met, judgeable = judged_rows.count(Judgement.MET), sum(j in {Judgement.MET, Judgement.NOT_MET} for j in judged_rows)
    areas = czech.counted(len(report.areas), "oblast", "oblasti", "oblastí")
    indicators = czech.counted(len(rows), "indikátor", "indikátory", "indikátorů")
    counts = [czech.number(count, 0) for count in (len(known), final, len(known) - final)]
    parts = f"u {counts[1]} konečná, u {counts[2]} předběžná"
    found = [
        f"Zpráva zahrnuje {areas} aktivit a {indicators}. Hodnota je stanovena u {counts[0]} z nich: {parts}.",
    ]
    if judgeable:
        found.append(
            f"Cíl stanovený pro hodnocené období je splněn u {czech.number(met, 0)}"
            f" z {czech.counted(judgeable, 'indikátoru', 'indikátorů', 'indikátorů')}, které lze posoudit."
        )
    found.append(
        "Započítává se jen to, čeho bylo aktivně dosaženo prováděním aktivit akčního plánu; vliv počasí, emisního"
        " faktoru nebo počtu uživatelů se uvádí odděleně."
    )
    return [czech.typeset(text) for text in found]


def area(report: Report, part: AreaPart, place: int, why: Why) -> Context:
    """Return an area of activity."""
    texts = [
        {"nadpis": wording.TEXTS[text], "odstavce": paragraphs(part.texts.get(text, ""))}
        for text in TEXTS_OF[report.id.kind]
    ]
    goal_names = {goal.id: goal.name for goal in report.goals}
    return {
        "poradi": place + 1,
        "id": part.id,
        "nazev": czech.line(part.name),
        "prioritni_oblast": czech.line(part.priority_area),
        "garant": czech.line(part.guarantor) or czech.NOTHING,
        "vize": czech.line(part.vision),
        "strategicke": ", ".join(wording.STRATEGIC[goal] for goal in part.strategic) or czech.NOTHING,
        "cile": [czech.line(f"{key} {goal_names.get(key, '')}") for key in part.goals] or [czech.NOTHING],
        "dodani": wording.DELIVERIES.get(part.state, part.state),
        "dodal": _delivered(part),
        "texty": texts,
        "vyhodnoceni": paragraphs(part.texts.get(Text.EVALUATION, "")),
        "aktivity": [activity(one) for one in part.activities],
        "indikatory": [row for one in part.rows for row in indicator_rows(report, one, why)],
        "poznamky": [_remarks(one, why) for one in part.rows if notes(one, why)],
        "ma_intervaly": any(cell.low90 is not None for one in part.rows for cell in one.cells),
        "grafy": [],
    }


def _delivered(part: AreaPart) -> str:
    if part.delivered_at is None:
        return ""
    return f"{czech.line(part.delivered_by)}, {czech.day_of(part.delivered_at)}"


def _remarks(row: IndicatorRow, why: Why) -> Context:
    return {"id": row.indicator, "nazev": czech.line(row.name), "text": " ".join(notes(row, why))}


def activity(found: ActivityRow) -> Context:
    """Return an activity with its projects."""
    return {
        "nazev": czech.line(found.name),
        "popis": czech.line(found.description),
        "garant": czech.line(found.guarantor),
        "odstavce": paragraphs(found.text),
        "projekty": [
            {
                "nazev": czech.line(one.name),
                "stav": wording.PROJECTS[one.state],
                "od": czech.day(one.begins) if one.begins else "",
                "do": czech.day(one.ends) if one.ends else "",
                "cena": czech.amount(one.cost_czk, 0, "Kč") if one.cost_czk is not None else "",
                "poznamka": czech.line(one.note),
            }
            for one in found.projects
        ],
    }


def indicator_rows(report: Report, row: IndicatorRow, why: Why) -> list[Context]:
    """Return a row of the table of indicators for each figure; the first names the indicator."""
    return [_figure(report, row, cell, first=place == 0, why=why) for place, cell in enumerate(row.cells)]


def _figure(report: Report, row: IndicatorRow, cell: Cell, *, first: bool, why: Why) -> Context:
    by_year = {one.year: one for one in row.history}
    return {
        "id": row.indicator,
        "oznaceni": czech.line(f"{row.indicator} {row.name}" if first else f"– {cell.name}"),
        "upresneni": ", ".join(_details(row, cell)) if first else "",
        "jednotka": czech.line(cell.unit),
        "hodnota": value(cell, row.status),
        "interval": interval(cell),
        "loni": czech.number(cell.before, cell.decimals) if cell.before is not None else "",
        "zmena": change(cell),
        "cil": target(cell),
        "plneni": judged(cell.standing, provisional=row.status is ValueStatus.PROVISIONAL),
        "stav": state(row) if first else "",
        "navrh": draft(row) if first else "",
        "po_letech": [
            {
                "rok": year,
                "hodnota": czech.number(by_year[year].figures.get(cell.key), cell.decimals)
                if year in by_year
                else czech.NOTHING,
            }
            for year in years(report)
        ],
        "duvod": "; ".join(dict.fromkeys(map(why, row.reasons))) if cell.value is None and first else "",
    }


def _details(row: IndicatorRow, cell: Cell) -> list[str]:
    named = [czech.line(cell.name)] if len(row.cells) > 1 else []
    return [*named, wording.BY_HAND] if row.by_hand else named


def paragraphs(text: str) -> list[Context]:
    """Return a text of a person as paragraphs, those of a list marked."""
    found: list[Context] = []
    for block in czech.fit(text).split("\n"):
        said = block.strip()
        if said:
            bullet = said.startswith(BULLETS)
            found.append({"text": czech.typeset(said[2:].strip() if bullet else said), "odrazka": bullet})
    return found


def _missing(one: Missing, why: Why) -> Context:
    reasons = [sentence(text) for text in dict.fromkeys(map(why, one.reasons))]
    return {
        "oblast": czech.line(one.area),
        "co": wording.LACKS[one.lack],
        "ceho": czech.line(one.subject),
        "proc": " ".join(reasons) or wording.REMEDIES.get(one.lack, czech.NOTHING),
        "tyka_se": names(_names_of(one)),
        "neznamo": one.lack in {Lack.VALUE, Lack.UNDELIVERED},
    }


def _names_of(one: Missing) -> list[str]:
    """Return names as people know them; texts and states are told by their codes."""
    if one.lack is Lack.TEXTS:
        return [wording.TEXTS[Text(code)] for code in one.names]
    if one.lack is Lack.UNCHECKED:
        return [wording.DELIVERIES.get(code, code) for code in one.names]
    return list(one.names)
