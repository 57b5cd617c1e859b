"""Charts as Vega-Lite specifications, made by Altair; the browser draws them as SVG from the bundle it was served.

Instants are given as local wall time and drawn on a UTC axis, so that a chart shows the building's clock on any
computer. What is missing is a grey band, never a bar of zero.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import altair as alt

from api.texts import Language
from core.calendar import Period

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

INK: Final = "#22313a"
FAINT: Final = "#5d6f79"
GRID: Final = "#e4e9ec"
MEASURED: Final = "#12706b"
ESTIMATED: Final = "#e0a030"
MISSING: Final = "#c9d1d6"
BEFORE: Final = "#8a6fb0"
COMMODITIES: Final = {
    "electricity": "#d39a12",
    "gas": "#b8602f",
    "heat": "#a8324a",
    "cold_water": "#2f7fb8",
    "hot_water": "#6a5aa8",
    "pv": "#5c8f2e",
}
EARLIER: Final = "#b9c4ca"
HEIGHT: Final = 260
SEEN: Final = 0.001
SEPARATE: Final = 150
"""So many bars have room for a gap between them."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def finished(chart: Any, description: str, unit: str) -> Spec:  # noqa: ANN401 - Altair's charts have no common type
    """Return the spec with the house's look, as wide as its place."""
    made: Spec = (
        chart.properties(width="container", height=HEIGHT, description=description, title=unit)
        .configure(font=FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=12, fontWeight="normal", color=FAINT, offset=6)
        .configure_axis(
            labelColor=FAINT, titleColor=FAINT, gridColor=GRID, domainColor=GRID, tickColor=GRID, labelFontSize=12
        )
        .configure_legend(orient="top", title=None, labelColor=INK, labelFontSize=12, symbolType="square")
        .to_dict()
    )
    return made


def data_of(rows: Rows) -> alt.Data:
    """Return rows as a chart's data."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # Altair leaves it untyped


def later(name: str) -> alt.NamedData:
    """Return data that are given to a drawing when it is shown (`shown`)."""
    return alt.NamedData(name=name)


def shown(drawing: Spec, description: str, **rows: Rows) -> Spec:
    """Return a drawing with its data. Drawings are kept: making one takes longer than most questions."""
    return {**drawing, "description": description, "datasets": {name: list(some) for name, some in rows.items()}}


def value_axis() -> alt.Axis:
    """Return the axis of amounts."""
    return alt.Axis(title=None, tickCount=5)


def _month_axis(words: Language, *, bars: bool = True) -> alt.X:
    names = [words.month(number) for number in range(1, 13)]
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelOverlap=True, labelSeparation=4)
    scale = alt.Scale(domain=names, paddingInner=0.25) if bars else alt.Scale(domain=names, padding=0.5)
    return alt.X("month:N", sort=names, axis=axis, scale=scale)


def by_month(rows: Rows, *, unit: str, labels: tuple[str, str], color: str, words: Language, title: str) -> Spec:
    """Return months of this year beside those of the year before: rows of month, series, amount, note."""
    return shown(_by_month(unit, labels, color, words), title, rows=rows)


@cache
def _by_month(unit: str, labels: tuple[str, str], color: str, words: Language) -> Spec:
    bars = (
        alt.Chart(later("rows"))
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=_month_axis(words),
            xOffset=alt.XOffset("series:N", sort=list(labels)),
            y=alt.Y("amount:Q", axis=value_axis(), scale=alt.Scale(zero=True)),
            color=alt.Color("series:N", scale=alt.Scale(domain=list(labels), range=[EARLIER, color])),
            tooltip=[
                alt.Tooltip("month:N", title=words.text("Month")),
                alt.Tooltip("series:N", title=words.text("Year")),
                alt.Tooltip("amount:Q", title=unit, format=",.1f"),
                alt.Tooltip("note:N", title=words.text("Quality")),
            ],
        )
    )
    return finished(bars, "", unit)


def stacked_by_month(rows: Rows, *, unit: str, names: Sequence[tuple[str, str]], words: Language, title: str) -> Spec:
    """Return months of this year by commodity, with the year before as a mark: rows of month, name, amount, before."""
    return shown(_stacked_by_month(unit, tuple(names), words), title, rows=rows)


@cache
def _stacked_by_month(unit: str, names: tuple[tuple[str, str], ...], words: Language) -> Spec:
    scale = alt.Scale(domain=[n for n, _ in names], range=[COMMODITIES[c] for _, c in names])
    bars = (
        alt.Chart(later("rows"))
        .mark_bar()
        .encode(
            x=_month_axis(words),
            y=alt.Y("amount:Q", stack="zero", axis=value_axis()),
            color=alt.Color("name:N", scale=scale),
            tooltip=[
                alt.Tooltip("month:N", title=words.text("Month")),
                alt.Tooltip("name:N", title=words.text("Commodity")),
                alt.Tooltip("amount:Q", title=unit, format=",.0f"),
                alt.Tooltip("note:N", title=words.text("Quality")),
            ],
        )
    )
    before = alt.Tooltip("before:Q", title=words.text("The year before"), format=",.0f")
    marks = (
        alt.Chart(later("rows"))
        .mark_tick(color=INK, thickness=2, opacity=0.8)
        .encode(x=_month_axis(words), y=alt.Y("before:Q"), tooltip=[before])
    )
    return finished(bars + marks, "", unit)


TIMES: Final = {
    Period.QUARTER_HOUR: ("%-d. %-m. %H:%M", "%-d %b %H:%M"),
    Period.HOUR: ("%-d. %-m. %H:%M", "%-d %b %H:%M"),
    Period.DAY: ("%-d. %-m.", "%-d %b"),
    Period.WEEK: ("%-d. %-m. %Y", "%-d %b %Y"),
    Period.MONTH: ("%-m/%Y", "%b %Y"),
    Period.YEAR: ("%Y", "%Y"),
}
"""How the axis of time is written, in Czech and in English."""


TICKS: Final = {
    Period.MONTH: alt.TimeIntervalStep(interval="month", step=1),
    Period.YEAR: alt.TimeIntervalStep(interval="year", step=1),
}
"""Ticks stand at whole periods where a format would otherwise repeat itself."""


def over_time(rows: Rows, *, period: Period, unit: str, words: Language, title: str) -> Spec:
    """Return a point's periods: rows of start, end (wall time), measured, total, missing share, before, texts.

    The measured part of a period's amount stands below its estimated part, from `measured` to `total`; behind them
    is a band where data are missing. The year before is a dashed line, what the weather let expect a dotted one.
    """
    lost = [row for row in rows if row["missing"] > SEEN]
    has = {"lost": bool(lost), "before": _any(rows, "before"), "expected": _any(rows, "expected")}
    return shown(_over_time(period, unit, words, apart=len(rows) <= SEPARATE, **has), title, rows=rows, lost=lost)


def _any(rows: Rows, name: str) -> bool:
    return any(row.get(name) is not None for row in rows)


@cache
def _over_time(
    period: Period, unit: str, words: Language, *, apart: bool, lost: bool, before: bool, expected: bool
) -> Spec:
    form = TIMES.get(period, TIMES[Period.DAY])[words.code != "cs"]
    axis = alt.Axis(title=None, labelOverlap=True, grid=False, format=form, tickCount=TICKS.get(period, alt.Undefined))
    x = alt.X("start:T", scale=alt.Scale(type="utc"), axis=axis)
    layers = []
    if lost:
        shade = alt.Opacity("missing:Q", scale=alt.Scale(domain=[0, 1], range=[0.15, 0.8]), legend=None)
        band = alt.Chart(later("lost")).mark_rect(color=MISSING)
        layers.append(band.encode(x=x, x2="end:T", opacity=shade, tooltip=_tooltips(unit, words)))
    low = alt.Y("zero:Q", axis=value_axis())
    parts = (("zero", "measured", MEASURED), ("measured", "total", ESTIMATED))
    for bottom, top, color in parts:
        y = low if bottom == "zero" else alt.Y(f"{bottom}:Q")
        bar = alt.Chart(later("rows")).mark_rect(color=color, stroke="white", strokeWidth=0.5 if apart else 0)
        layers.append(bar.encode(x=x, x2="end:T", y=y, y2=f"{top}:Q", tooltip=_tooltips(unit, words)))
    if before:
        line = alt.Chart(later("rows")).mark_line(
            color=BEFORE, strokeWidth=2, interpolate="step-after", strokeDash=[5, 3]
        )
        layers.append(line.encode(x=x, y="before:Q"))
    if expected:
        line = alt.Chart(later("rows")).mark_line(color=INK, strokeWidth=2, interpolate="step-after", strokeDash=[1, 3])
        layers.append(line.encode(x=x, y="expected:Q"))
    return finished(alt.layer(*layers), "", unit)


def _tooltips(unit: str, words: Language) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title=words.text("Period")),
        alt.Tooltip("text:N", title=unit),
        alt.Tooltip("was:N", title=words.text("The year before")),
        alt.Tooltip("weather:N", title=words.text("By the weather")),
        alt.Tooltip("note:N", title=words.text("Quality")),
    ]


def typical_day(rows: Rows, *, names: Sequence[str], unit: str, words: Language, title: str) -> Spec:
    """Return the mean day of each type: rows of hour (0 to 23), type, value."""
    return shown(_typical_day(tuple(names), unit, words), title, rows=rows)


KINDS_OF_DAY: Final = (MEASURED, BEFORE, ESTIMATED)


@cache
def _typical_day(names: tuple[str, ...], unit: str, words: Language) -> Spec:
    scale = alt.Scale(domain=list(names), range=list(KINDS_OF_DAY[: len(names)]))
    lines = (
        alt.Chart(later("rows"))
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(
            x=alt.X(
                "hour:Q",
                axis=alt.Axis(
                    title=words.text("hour of the day"), tickCount=12, grid=False, labelOverlap=True, labelSeparation=6
                ),
                scale=alt.Scale(domain=[0, 24], nice=False),
            ),
            y=alt.Y("value:Q", axis=value_axis(), scale=alt.Scale(zero=True)),
            color=alt.Color("type:N", scale=scale),
            strokeDash=alt.StrokeDash("type:N", scale=alt.Scale(domain=list(names))),
            tooltip=[
                alt.Tooltip("type:N", title=words.text("Day")),
                alt.Tooltip("hour:Q", title=words.text("Hour")),
                alt.Tooltip("value:Q", title=unit, format=",.2f"),
            ],
        )
    )
    return finished(lines, "", unit)


def years(rows: Rows, *, names: Sequence[str], color: str, unit: str, words: Language, title: str) -> Spec:
    """Return months of several years as lines, the last of them strong: rows of month, series, amount, note."""
    return shown(_years(tuple(names), color, unit, words), title, rows=rows)


EARLIER_YEARS: Final = ("#cdb9dd", "#a9b8c0", "#7f98a5", "#8a6fb0")


@cache
def _years(names: tuple[str, ...], color: str, unit: str, words: Language) -> Spec:
    earlier = EARLIER_YEARS[len(EARLIER_YEARS) - len(names) + 1 :]
    strong = alt.condition(alt.datum.series == names[-1], alt.value(3.5), alt.value(1.75))
    lines = (
        alt.Chart(later("rows"))
        .mark_line(point=alt.OverlayMarkDef(size=28))
        .encode(
            x=_month_axis(words, bars=False),
            y=alt.Y("amount:Q", axis=value_axis(), scale=alt.Scale(zero=True)),
            color=alt.Color("series:N", scale=alt.Scale(domain=list(names), range=[*earlier, color])),
            strokeWidth=strong,
            tooltip=[
                alt.Tooltip("month:N", title=words.text("Month")),
                alt.Tooltip("series:N", title=words.text("Year")),
                alt.Tooltip("amount:Q", title=unit, format=",.1f"),
                alt.Tooltip("note:N", title=words.text("Quality")),
            ],
        )
    )
    return finished(lines, "", unit)
