"""Charts of emissions, demand and ranks, with the look of the house."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from api.pages.charts import COMMODITIES, FAINT, INK, MEASURED, MISSING, Rows, Spec, data_of, finished, value_axis
from api.texts import Language

CARRIER_COLORS: Final = {
    "electricity": COMMODITIES["electricity"],
    "gas": COMMODITIES["gas"],
    "heat": COMMODITIES["heat"],
    "lpg": "#d98a5f",
    "heating_oil": "#7a4a2c",
    "hard_coal": "#3d3d3d",
    "lignite": "#6b5344",
    "briquettes": "#8a7360",
    "coke": "#555b61",
    "wood": "#8d9f4a",
}
MORE: Final = "#a4432a"
LESS: Final = "#1d6f42"
BREACH: Final = "#b3372f"
WHOLE: Final = "#566872"
THIN: Final = 0.3
"""Below this share of the whole a part is hardly seen on an axis from zero."""


def by_carrier(
    rows: Rows, *, names: Sequence[tuple[str, str]], order: Sequence[str], words: Language, title: str
) -> Spec:
    """Return emissions by period and carrier [t]: rows of period, name, amount, note."""
    scale = alt.Scale(domain=[n for n, _ in names], range=[CARRIER_COLORS[c] for _, c in names])
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelOverlap=True)
    bars = (
        alt.Chart(data_of(rows))
        .mark_bar(size=46 if len(order) <= 8 else alt.Undefined)  # noqa: PLR2004 - few bars would be too wide
        .encode(
            x=alt.X("period:N", sort=list(order), axis=axis, scale=alt.Scale(domain=list(order), paddingInner=0.25)),
            y=alt.Y("amount:Q", stack="zero", axis=value_axis()),
            color=alt.Color("name:N", scale=scale),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("period:N", title=words.text("Period")),
                alt.Tooltip("name:N", title=words.text("Carrier")),
                alt.Tooltip("amount:Q", title="t CO₂", format=",.1f"),
                alt.Tooltip("note:N", title=words.text("Factor")),
            ],
        )
    )
    return finished(bars, title, "t CO₂")


def floor_of(rows: Rows) -> float:
    """Return where a waterfall's axis begins: at zero, unless the parts would be too thin to be seen."""
    levels = [float(row["top"]) for row in rows] + [float(row["high"]) for row in rows]
    low, high = min(levels), max(levels)
    return max(low - 0.6 * (high - low), 0.0) if 0 < high - low < THIN * high else 0.0


def waterfall(rows: Rows, *, unit: str, words: Language, title: str) -> Spec:
    """Return a change by cause as a waterfall: rows of label, low, high, top, kind (whole, more, less), text."""
    order = [str(row["label"]) for row in rows]
    kinds = ("whole", "more", "less")
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=list(kinds), range=[WHOLE, MORE, LESS]))
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelLimit=160)
    x = alt.X("label:N", sort=order, axis=axis, scale=alt.Scale(paddingInner=0.35))
    tips = [alt.Tooltip("label:N", title=words.text("Cause")), alt.Tooltip("text:N", title=unit)]
    floor, top = floor_of(rows), max(float(row["top"]) for row in rows)
    scale = alt.Scale(domain=[floor, top + 0.08 * (top - floor)], nice=False) if floor else alt.Scale(zero=True)
    data = data_of([{**row, "low": max(float(row["low"]), floor)} for row in rows])
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("low:Q", axis=value_axis(), scale=scale),
            y2="high:Q",
            color=color,
            tooltip=tips,
        )
    )
    texts = alt.Chart(data).mark_text(dy=-9, fontSize=12, color=INK).encode(x=x, y="top:Q", text="text:N")
    return finished(bars + texts, title, unit)


def duration(rows: Rows, reserved: Rows, *, words: Language, title: str) -> Spec:
    """Return a duration curve [kW]: rows of hours, power; beside it lines at what is reserved: rows of power, name."""
    x = alt.X("hours:Q", axis=alt.Axis(title=words.text("hours"), grid=False), scale=alt.Scale(zero=True, nice=False))
    curve = (
        alt.Chart(data_of(rows))
        .mark_area(line={"color": MEASURED, "strokeWidth": 2}, color=MEASURED, opacity=0.25, interpolate="monotone")
        .encode(
            x=x,
            y=alt.Y("power:Q", axis=value_axis()),
            tooltip=[
                alt.Tooltip("hours:Q", title=words.text("hours"), format=",.1f"),
                alt.Tooltip("power:Q", title="kW", format=",.1f"),
            ],
        )
    )
    if not reserved:
        return finished(curve, title, "kW")
    line = (
        alt.Chart(data_of(reserved))
        .mark_rule(color=BREACH, strokeWidth=2, strokeDash=[6, 3])
        .encode(y="power:Q", tooltip=[alt.Tooltip("name:N"), alt.Tooltip("power:Q", title="kW")])
    )
    name = (
        alt.Chart(data_of(reserved))
        .mark_text(align="right", dx=-4, dy=-7, color=BREACH, fontSize=12)
        .encode(y="power:Q", text="name:N", x=alt.value("width"))
    )
    return finished(alt.layer(curve, line, name), title, "kW")


def peaks(rows: Rows, *, order: Sequence[str], words: Language, title: str) -> Spec:
    """Return monthly maxima against what was reserved [kW]: rows of month, peak, reserved, kind, note."""
    axis = alt.Axis(title=None, labelAngle=0, ticks=False, labelOverlap=True)
    x = alt.X("month:N", sort=list(order), axis=axis, scale=alt.Scale(domain=list(order), paddingInner=0.25))
    data = data_of(rows)
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["below", "above"], range=[MEASURED, BREACH]))
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("peak:Q", axis=value_axis(), scale=alt.Scale(zero=True)),
            color=color,
            tooltip=[
                alt.Tooltip("month:N", title=words.text("Month")),
                alt.Tooltip("peak:Q", title=words.text("Maximum kW"), format=",.1f"),
                alt.Tooltip("reserved:Q", title=words.text("Reserved kW"), format=",.1f"),
                alt.Tooltip("note:N", title=words.text("Quality")),
            ],
        )
    )
    if all(row["reserved"] is None for row in rows):
        return finished(bars, title, "kW")
    marks = alt.Chart(data).mark_tick(color=INK, thickness=2).encode(x=x, y="reserved:Q")
    return finished(bars + marks, title, "kW")


def standing(rows: Rows, bands: Rows, *, unit: str, words: Language, title: str) -> Spec:
    """Return buildings of each kind on one scale: rows of kind, value, name; bands of kind, lower, upper, median."""
    y = alt.Y("kind:N", axis=alt.Axis(title=None, labelLimit=160, ticks=False))
    x = alt.X("value:Q", axis=alt.Axis(title=None, tickCount=6), scale=alt.Scale(zero=True))
    layers = []
    if bands:
        band = alt.Chart(data_of(bands))
        layers.append(band.mark_bar(color=MISSING, opacity=0.6, height=26).encode(y=y, x="lower:Q", x2="upper:Q"))
        layers.append(band.mark_tick(color=FAINT, thickness=3, size=26).encode(y=y, x="median:Q"))
    dots = (
        alt.Chart(data_of(rows))
        .mark_circle(size=70, color=MEASURED, opacity=0.75)
        .encode(
            y=y,
            x=x,
            tooltip=[
                alt.Tooltip("name:N", title=words.text("Building")),
                alt.Tooltip("value:Q", title=unit, format=",.1f"),
            ],
        )
    )
    return finished(alt.layer(*layers, dots), title, unit)
