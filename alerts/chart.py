"""The chart of an alert's evidence: as a specification that browsers draw, and as a picture for mail.

Instants stand on the local clock of the buildings and are drawn on a UTC axis, so that a chart is the same on any
computer. What is not known is a break in the line, never zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import altair as alt

from alerts.evidence_words import in_language, number, told, trace_name, unit_name
from core.alerts import Alert
from core.evidence import THRESHOLD, USUAL, Trace, traces

Spec = dict[str, Any]

INK: Final = "#1f2d36"
FAINT: Final = "#566872"
GRID: Final = "#e4e9ec"
LINES: Final = ("#12706b", "#8a6fb0", "#2f7fb8", "#6a5aa8")
BESIDE: Final = "#b8602f"
LIMIT: Final = "#b3372f"
SPAN: Final = "#fdf4df"
HEIGHT: Final = 240
WIDTH: Final = 460
"""Width of the picture: narrow, for on a phone it is shrunk to the screen, letters and all."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
FONT_SIZE: Final = 13
DAY_S: Final = 86_400
LONG_DAYS: Final = 4
FLAT: Final = 0.2
"""Values that differ by less of their height are drawn without zero: a dial that stands at thousands."""
SCALE: Final = 2.0
"""Points of the picture to a point of the page, for sharp letters on phones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart and what it shows in words."""

    spec: Spec
    text: str


def evidence_chart(
    alert: Alert, *, zone: ZoneInfo, language: str, title: str, width: int | str = WIDTH
) -> Chart | None:
    """Return the chart of an alert's evidence, None where it has no series with two values or more.

    `title` says what the alert is; the chart shades the time of the fault and draws the limit and the usual.
    """
    shown = [one for one in traces(alert.evidence) if sum(v is not None for v in one.value) > 1]
    if not shown:
        return None
    unit = shown[0].unit
    same = [one for one in shown if one.unit == unit]
    x = _axis_of_time(shown, zone, language)
    layers = [*_span(alert, same, zone), _lines(same, zone, language, x), *_levels(alert, language)]
    made = alt.layer(*layers)
    if beside := [one for one in shown if one.unit != unit][:1]:
        made = alt.layer(made, _lines(beside, zone, language, x, right=True)).resolve_scale(
            y="independent", color="independent"
        )
    text = _in_words(alert, shown, title, language)
    return Chart(spec=_finished(made, unit_name(unit, language), text, width), text=text)


def _axis_of_time(shown: Sequence[Trace], zone: ZoneInfo, language: str) -> alt.X:
    at = [moment for one in shown for moment in one.at]
    long = (max(at) - min(at)).total_seconds() > LONG_DAYS * DAY_S
    form = ("%-d. %-m." if language == "cs" else "%-d %b") if long else "%-d. %-m. %H:%M"
    ends = [_wall(min(at), zone), _wall(max(at), zone)]
    axis = alt.Axis(title=None, labelOverlap=True, grid=False, format=form, tickCount=5)
    return alt.X("at:T", scale=alt.Scale(type="utc", domain=ends), axis=axis)


def _wall(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _lines(shown: Sequence[Trace], zone: ZoneInfo, language: str, x: alt.X, *, right: bool = False) -> Any:  # noqa: ANN401 - Altair's charts have no common type
    """Return the lines of one unit; those on the right have an axis of their own there."""
    names = [trace_name(one.name, language) for one in shown]
    rows = [
        {"at": _wall(at, zone), "value": value, "name": name}
        for one, name in zip(shown, names, strict=True)
        for at, value in zip(one.at, one.value, strict=True)
    ]
    colors = [BESIDE] if right else list(LINES[: len(names)])
    axis = alt.Axis(title=shown[0].unit, orient="right", grid=False) if right else alt.Axis(title=None, tickCount=5)
    return (
        alt.Chart(_data(rows))
        .mark_line(strokeWidth=1.8, invalid="break-paths-show-domains")
        .encode(
            x=x,
            y=alt.Y("value:Q", axis=axis, scale=alt.Scale(zero=_from_zero(shown))),
            color=alt.Color("name:N", scale=alt.Scale(domain=names, range=colors)),
        )
    )


def _from_zero(shown: Sequence[Trace]) -> bool:
    """Return whether zero belongs into the chart: not where a dial stands at thousands."""
    known = [v for one in shown for v in one.value if v is not None]
    return min(known) <= 0 or max(known) - min(known) > FLAT * max(known)


def _span(alert: Alert, shown: Sequence[Trace], zone: ZoneInfo) -> list[Any]:
    """Return the shade over the time of the fault, as far as the chart reaches; the axis is that of the lines."""
    first, last = min(one.at[0] for one in shown), max(one.at[-1] for one in shown)
    begin, end = max(alert.at_from, first), min(max(alert.seen_to, alert.at_from), last)
    if begin >= end:
        return []
    data = _data([{"at": _wall(begin, zone), "to": _wall(end, zone)}])
    return [alt.Chart(data).mark_rect(color=SPAN).encode(x=alt.X("at:T", scale=alt.Scale(type="utc")), x2="to:T")]


def _levels(alert: Alert, language: str) -> list[Any]:
    """Return the limit and the usual as lines across, each with its name and number."""
    given = (
        (THRESHOLD, ("mez", "limit"), LIMIT, "right"),
        (USUAL, ("obvykle", "usual"), FAINT, "left"),
    )
    layers = []
    for key, name, color, side in given:
        value = alert.evidence.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        data = _data([{"value": value, "name": f"{in_language(name, language)} {number(value, language)}"}])
        layers.append(alt.Chart(data).mark_rule(color=color, strokeDash=[5, 3], strokeWidth=1.5).encode(y="value:Q"))
        text = alt.Chart(data)
        label = (
            text.mark_text(
                color=color, fontSize=FONT_SIZE - 1, align="right", baseline="bottom", x="width", dx=-4, dy=-3
            )
            if side == "right"
            else text.mark_text(color=color, fontSize=FONT_SIZE - 1, align="left", baseline="bottom", x=0, dx=4, dy=-3)
        )
        layers.append(label.encode(y="value:Q", text="name:N"))
    return layers


def _in_words(alert: Alert, shown: Sequence[Trace], title: str, language: str) -> str:
    lines = ", ".join(trace_name(one.name, language) for one in shown)
    said = "; ".join(f"{name} {text}" for name, text in told(alert.evidence, alert.unit, language))
    return f"{title}: {lines}, {unit_name(shown[0].unit, language)}. {said}".strip()


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.Data:
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # Altair leaves it untyped


def _finished(chart: Any, unit: str, text: str, width: int | str) -> Spec:  # noqa: ANN401 - same
    made: Spec = (
        chart.properties(width=width, height=HEIGHT, description=text, title=unit)
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=FONT_SIZE, fontWeight="normal", color=FAINT, offset=6)
        .configure_axis(
            labelColor=FAINT,
            titleColor=FAINT,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelFontSize=FONT_SIZE,
        )
        .configure_legend(orient="top", title=None, labelColor=INK, labelFontSize=FONT_SIZE, symbolType="stroke")
        .to_dict()
    )
    return made


def picture(chart: Chart, language: str) -> bytes:
    """Return a chart as a PNG picture (0.2 s, the first one a second); raise ValueError where it cannot be drawn."""
    import vl_convert  # noqa: PLC0415 - starts a JavaScript engine, which only who sends mail needs

    locale: Literal["cs-CZ", "en-GB"] = "cs-CZ" if language == "cs" else "en-GB"
    drawn = vl_convert.vegalite_to_png(
        chart.spec,
        scale=SCALE,
        allowed_base_urls=[],  # nothing is ever fetched
        format_locale=locale,
        time_format_locale=locale,
    )
    return bytes(drawn)
