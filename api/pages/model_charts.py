"""Charts of models, savings and stations: use against temperature, foretold and actual, the band of a saving."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from api.pages.charts import BEFORE, ESTIMATED, INK, MEASURED, MISSING, Rows, Spec, data_of, finished, value_axis
from api.texts import Language

FREE: Final = "#8a6fb0"
BAND: Final = "#12706b"
COLD: Final = "#2f7fb8"
NEXT: Final = "#e0a030"


def _time(words: Language, field: str = "at") -> alt.X:
    form = "%-d. %-m. %Y" if words.code == "cs" else "%-d %b %Y"
    axis = alt.Axis(title=None, labelOverlap=True, grid=False, format=form)
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc"), axis=axis)


def against_temperature(
    days: Rows, lines: Rows, *, names: Sequence[str], unit: str, words: Language, title: str
) -> Spec:
    """Return days (temp_c, actual, type, label) as points, and the model's lines (temp_c, amount, type)."""
    scale = alt.Scale(domain=list(names), range=[MEASURED, FREE, COLD, NEXT, "#a8324a", "#5c8f2e"][: len(names)])
    x = alt.X("temp_c:Q", axis=alt.Axis(title="°C", grid=False), scale=alt.Scale(zero=False, nice=True))
    tips = [
        alt.Tooltip("label:N", title=words.text("Day")),
        alt.Tooltip("type:N", title=words.text("Type of day")),
        alt.Tooltip("temp_c:Q", title="°C", format=".1f"),
        alt.Tooltip("actual:Q", title=unit, format=",.1f"),
    ]
    dots = (
        alt.Chart(data_of(days))
        .mark_circle(size=22, opacity=0.45)
        .encode(x=x, y=alt.Y("actual:Q", axis=value_axis()), color=alt.Color("type:N", scale=scale), tooltip=tips)
    )
    fitted = (
        alt.Chart(data_of(lines))
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y="amount:Q", color=alt.Color("type:N", scale=scale))
    )
    return finished(dots + fitted, title, unit)


def foretold(rows: Rows, *, cut: str, unit: str, words: Language, title: str) -> Spec:
    """Return weeks (at, actual, predicted, label): consumption, what the model foretold, the end of training."""
    data = data_of(rows)
    tips = [
        alt.Tooltip("label:N", title=words.text("Week")),
        alt.Tooltip("actual:Q", title=words.text("Consumption"), format=",.1f"),
        alt.Tooltip("predicted:Q", title=words.text("Model"), format=",.1f"),
    ]
    actual = (
        alt.Chart(data)
        .mark_line(color=MEASURED, strokeWidth=2)
        .encode(x=_time(words), y=alt.Y("actual:Q", axis=value_axis()), tooltip=tips)
    )
    model = (
        alt.Chart(data)
        .mark_line(color=BEFORE, strokeWidth=2, strokeDash=[5, 3])
        .encode(x=_time(words), y="predicted:Q", tooltip=tips)
    )
    end = alt.Chart(data_of([{"at": cut}])).mark_rule(color=INK, strokeDash=[2, 3]).encode(x=_time(words))
    return finished(alt.layer(actual, model, end), title, unit)


def saving_so_far(rows: Rows, *, unit: str, words: Language, title: str) -> Spec:
    """Return months (at, saving, low68, high68, low90, high90, label): the saving so far in its two bands."""
    data, x = data_of(rows), _time(words)
    tips = [
        alt.Tooltip("label:N", title=words.text("Until the end of")),
        alt.Tooltip("saving:Q", title=words.text("Saving"), format=",.0f"),
        alt.Tooltip("low90:Q", title=words.text("90 % from"), format=",.0f"),
        alt.Tooltip("high90:Q", title=words.text("to"), format=",.0f"),
    ]
    wide = (
        alt.Chart(data)
        .mark_area(color=BAND, opacity=0.14)
        .encode(x=x, y=alt.Y("low90:Q", axis=value_axis()), y2="high90:Q")
    )
    narrow = alt.Chart(data).mark_area(color=BAND, opacity=0.22).encode(x=x, y="low68:Q", y2="high68:Q")
    middle = alt.Chart(data).mark_line(color=BAND, strokeWidth=2.5, point=True).encode(x=x, y="saving:Q", tooltip=tips)
    zero = alt.Chart(data_of([{"zero": 0}])).mark_rule(color=INK).encode(y="zero:Q")
    return finished(alt.layer(wide, narrow, zero, middle), title, unit)


def saving_by_month(rows: Rows, *, unit: str, words: Language, title: str) -> Spec:
    """Return months (label, place, saving, low90, high90): bars with the 90 % interval as whiskers."""
    data = data_of(rows)
    order = [row["label"] for row in rows]
    x = alt.X("label:N", sort=order, axis=alt.Axis(title=None, labelAngle=0, labelOverlap=True))
    tips = [
        alt.Tooltip("label:N", title=words.text("Month")),
        alt.Tooltip("saving:Q", title=words.text("Saving"), format=",.0f"),
        alt.Tooltip("low90:Q", title=words.text("90 % from"), format=",.0f"),
        alt.Tooltip("high90:Q", title=words.text("to"), format=",.0f"),
    ]
    color = alt.condition("datum.significant", alt.value(MEASURED), alt.value(MISSING))
    bars = alt.Chart(data).mark_bar().encode(x=x, y=alt.Y("saving:Q", axis=value_axis()), color=color, tooltip=tips)
    whiskers = alt.Chart(data).mark_rule(color=INK, opacity=0.6).encode(x=x, y="low90:Q", y2="high90:Q")
    return finished(alt.layer(bars, whiskers), title, unit)


def temperatures(rows: Rows, *, words: Language, title: str, names: Mapping[str, str]) -> Spec:
    """Return days (at, temp_c, own, next, label): a station's own, and those from the next station."""
    data, x = data_of(rows), _time(words)
    tips = [
        alt.Tooltip("label:N", title=words.text("Day")),
        alt.Tooltip("temp_c:Q", title="°C", format=".1f"),
        alt.Tooltip("from:N", title=words.text("Station")),
    ]
    scale = alt.Scale(domain=list(names.values()), range=[COLD, NEXT])
    line = (
        alt.Chart(data)
        .mark_line(color=COLD, strokeWidth=1, opacity=0.7)
        .encode(x=x, y=alt.Y("temp_c:Q", axis=value_axis()))
    )
    dots = (
        alt.Chart(data)
        .mark_circle(size=14)
        .encode(x=x, y="temp_c:Q", color=alt.Color("kind:N", scale=scale), tooltip=tips)
    )
    return finished(alt.layer(line, dots), title, "°C")


def degree_bars(rows: Rows, *, words: Language, title: str, normal: float | None) -> Spec:
    """Return heating seasons or years (label, amount, complete) as bars, the normal as a line."""
    data = data_of(rows)
    x = alt.X("label:N", sort=[row["label"] for row in rows], axis=alt.Axis(title=None, labelAngle=0))
    tips = [alt.Tooltip("label:N", title=words.text("Period")), alt.Tooltip("amount:Q", title="K·d", format=",.0f")]
    color = alt.condition("datum.complete", alt.value(COLD), alt.value(MISSING))
    layers: list[Any] = [
        alt.Chart(data).mark_bar().encode(x=x, y=alt.Y("amount:Q", axis=value_axis()), color=color, tooltip=tips)
    ]
    if normal is not None:
        layers.append(
            alt.Chart(data_of([{"normal": normal}])).mark_rule(color=ESTIMATED, strokeWidth=2).encode(y="normal:Q")
        )
    return finished(alt.layer(*layers), title, "K·d")
