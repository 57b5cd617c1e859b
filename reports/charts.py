"""Charts of reports as pictures: an indicator over the years against its target, and a change split by cause.

Drawings are made by Altair once and given their rows each time; vl-convert turns them to PNG and SVG. Numbers in them
are texts written by us or formatted by the Czech locale.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import altair as alt
import vl_convert

from core.indicators import ValueStatus
from core.report import IndicatorRow, Report, YearValue
from reports import czech, wording

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

INK: Final = "#22313a"
FAINT: Final = "#5d6f79"
GRID: Final = "#e4e9ec"
FINAL: Final = "#12706b"
OPEN: Final = "#8fc0bc"
TARGET: Final = "#a4432a"
LESS: Final = "#1d6f42"
WHOLE: Final = "#566872"
FONT: Final = "Liberation Sans, Arial, DejaVu Sans, sans-serif"
WIDTH: Final = 360
HEIGHT: Final = 225
SCALE: Final = 2.5
LEAST_YEARS: Final = 2
ROOM: Final = 0.13
"""The share of the highest bar that a number takes up."""
CAUSE: Final = "cause"
STATES: Final = ("zveřejněná konečná hodnota", "předběžná nebo nezveřejněná")
LOCALE: Final = "cs-CZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of an indicator: its drawing, and the words below it and for those who do not see it."""

    indicator: str
    caption: str
    described: str
    spec: Spec

    def png(self) -> bytes:
        """Return it for a document."""
        return bytes(vl_convert.vegalite_to_png(self.spec, scale=SCALE, format_locale=LOCALE))

    def svg(self) -> str:
        """Return it for a page."""
        return str(vl_convert.vegalite_to_svg(self.spec, format_locale=LOCALE))


def charts(report: Report, rows: Sequence[IndicatorRow]) -> list[Chart]:
    """Return the charts of indicators: their years where at least two are known, their split where there is one."""
    found = [_over_years(report, row) for row in rows]
    return [chart for chart in (*found, *map(_split, rows)) if chart is not None]


def _over_years(report: Report, row: IndicatorRow) -> Chart | None:
    known = [one.value for one in row.history if one.value is not None]
    if len(known) < LEAST_YEARS or not any(known):
        return None
    decimals, goal = row.main.decimals, _goal(row)
    begun = next(place for place, one in enumerate(row.history) if one.value is not None)
    highest = max(abs(number) for number in (goal.get("target", 0.0), *(one.value or 0.0 for one in row.history)))
    data = [_year(one, decimals, goal, room=ROOM * highest) for one in row.history[begun:]]
    if goal and goal["year"] not in {one["year"] for one in data}:
        if int(goal["year"]) < report.id.first.year:
            goal = {}
        else:
            data.append({**data[-1], "year": goal["year"], "value": None, "at": 0.0, "text": "", "above": True})
    told = "; ".join(f"{one.year}: {czech.number(one.value, decimals)}" for one in row.history[begun:])
    return Chart(
        indicator=row.indicator,
        caption=caption(row),
        described=f"{caption(row)}. {told}",
        spec=filled(
            _bars(several=len({one["state"] for one in data}) > 1),
            czech.line(f"{row.main.unit} · {goal['text']}" if goal else row.main.unit),
            values=data,
            target=[goal] if goal else [],
        ),
    )


def _year(one: YearValue, decimals: int, goal: Mapping[str, Any], *, room: float) -> dict[str, Any]:
    """Return a bar: its number stands beyond it, and beyond the target's line where that would strike it through."""
    at = one.value or 0.0
    if one.value is not None and goal.get("year") == str(one.year):
        beyond = (goal["target"] - at) * (1 if at >= 0 else -1)
        at = goal["target"] if 0 < beyond < room else at
    return {
        "year": str(one.year),
        "value": one.value,
        "at": at,
        "state": STATES[one.value is not None and not (one.published and one.status is ValueStatus.FINAL)],
        "text": czech.number(one.value, decimals),
        "above": at >= 0,
    }


def _goal(row: IndicatorRow) -> dict[str, Any]:
    standing = row.main.standing
    if standing.target is None or standing.year is None:
        return {}
    text = f"cíl {czech.number(standing.target, row.main.decimals)} v roce {standing.year}"
    return {"year": str(standing.year), "target": standing.target, "text": text}


def caption(row: IndicatorRow) -> str:
    """Return what stands below a chart."""
    cell = row.main
    figure = f" – {cell.name}" if len(row.cells) > 1 else ""
    unit = f" [{cell.unit}]" if cell.unit else ""
    return czech.line(f"{row.indicator} {row.name}{figure}{unit}")


def filled(spec: Spec, unit: str, **rows: Rows) -> Spec:
    """Return a drawing with its rows and its unit."""
    made = deepcopy(spec)
    made["datasets"] = {name: list(some) for name, some in rows.items()}
    made["title"] = {**made.get("title", {}), "text": unit}
    return made


def _named(name: str) -> alt.NamedData:
    return alt.NamedData(name=name)


def _finished(chart: Any) -> Spec:  # noqa: ANN401 - Altair's charts have no common type
    made: Spec = (
        chart.properties(width=WIDTH, height=HEIGHT, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=11, fontWeight="normal", color=FAINT, offset=6)
        .configure_axis(
            labelColor=INK, titleColor=FAINT, gridColor=GRID, domainColor=GRID, tickColor=GRID, labelFontSize=11
        )
        .configure_legend(orient="bottom", title=None, labelColor=INK, labelFontSize=11, symbolType="square")
        .to_dict()
    )
    made["title"] = {"text": ""}
    return made


def _amounts() -> alt.Axis:
    return alt.Axis(title=None, tickCount=4, format=",.12~g", domain=False, ticks=False)


@cache
def _bars(*, several: bool) -> Spec:
    """Return bars by year with their numbers, and the target as a line in its year; a legend where states differ."""
    x = alt.X("year:O", axis=alt.Axis(title=None, labelAngle=0, ticks=False), scale=alt.Scale(paddingInner=0.3))
    y = alt.Y("value:Q", axis=_amounts(), scale=alt.Scale(zero=True, nice=True))
    scale = alt.Scale(domain=list(STATES), range=[FINAL, OPEN])
    color = alt.Color("state:N", scale=scale, legend=alt.Legend(labelLimit=220) if several else None)
    values, target = alt.Chart(_named("values")), alt.Chart(_named("target"))
    bars = values.mark_bar().encode(x=x, y=y, color=color)
    line = target.mark_tick(color=TARGET, thickness=2.5, size=46).encode(x=x, y="target:Q")
    above = values.transform_filter("datum.above").mark_text(dy=-5, baseline="bottom", fontSize=11, color=INK)
    below = values.transform_filter("!datum.above").mark_text(dy=5, baseline="top", fontSize=11, color=INK)
    numbers = [texts.encode(x=x, y="at:Q", text="text:N") for texts in (above, below)]
    return _finished(alt.layer(bars, line, *numbers))


def _split(row: IndicatorRow) -> Chart | None:
    """Return a change by cause, each beginning where the one before ends."""
    causes = [piece for piece in row.pieces if piece.kind == CAUSE and piece.value is not None]
    if len(causes) < LEAST_YEARS:
        return None
    level, data = 0.0, []
    for piece in causes:
        value = piece.value or 0.0
        low, high = sorted((level, level + value))
        data.append({
            "name": wording.CAUSES.get(piece.name, czech.line(piece.name)),
            "low": low,
            "high": high,
            "text": czech.signed(value, row.main.decimals),
            "kind": "more" if value > 0 else "less",
        })  # fmt: skip
        level += value
    low, high = sorted((0.0, level))
    data.append(
        {"name": "celkem", "low": low, "high": high, "text": czech.signed(level, row.main.decimals), "kind": "all"}
    )
    told = "; ".join(f"{one['name']} {one['text']}" for one in data)
    title = czech.line(f"{row.indicator} {row.name}: rozklad podle příčin [{row.main.unit}]")
    spec = filled(_fall(), czech.line(row.main.unit), parts=data)
    return Chart(indicator=row.indicator, caption=title, described=f"{title}. {told}", spec=spec)


@cache
def _fall() -> Spec:
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelLimit=90)
    x = alt.X("name:N", sort=None, axis=axis, scale=alt.Scale(paddingInner=0.3))
    scale = alt.Scale(domain=["more", "less", "all"], range=[TARGET, LESS, WHOLE])
    data = alt.Chart(_named("parts"))
    color = alt.Color("kind:N", legend=None, scale=scale)
    bars = data.mark_bar().encode(x=x, y=alt.Y("low:Q", axis=_amounts()), y2="high:Q", color=color)
    texts = data.mark_text(dy=-4, baseline="bottom", fontSize=11, color=INK).encode(x=x, y="high:Q", text="text:N")
    return _finished(bars + texts)
