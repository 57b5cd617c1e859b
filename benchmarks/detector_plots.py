"""The pictures of docs/detectors.md: the findings in the real homes that may be a person, made from the shared data.

`python -m benchmarks.detector_plots` writes docs/detectors/*.svg; each shows the flow by hour around a finding, when it
was told, and the 95th percentile of the point's own nights.
"""

from pathlib import Path

import numpy as np

from analytics.anomalies.burst import bursts
from analytics.anomalies.finding import Finding, Rule
from analytics.anomalies.hours import HOUR_US, Hours
from analytics.anomalies.leak import leaks, never_zero
from benchmarks.score import DATA, homes

FOLDER = Path(__file__).parents[1] / "docs" / "detectors"
STEADY = {"home-04", "home-09", "home-12"}
"""Homes in which a steady flow comes and goes for days: a fault, not a person."""
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 150, 44, 22, 24
BEFORE_H, AFTER_H = 60, 36
RULES = {Rule.LEAK: "leak", Rule.BURST: "burst", Rule.NEVER_ZERO: "flow without a pause"}


def doubtful(name: str, found: list[Finding]) -> list[Finding]:
    """Return the findings of a home that a person might call a guest, a bath or the garden."""
    return [one for one in found if name not in STEADY or one.rule is Rule.BURST]


def picture(name: str, hours: Hours, one: Finding) -> str:
    """Return a picture of the hours around a finding as SVG."""
    begin = int(np.searchsorted(hours.start_us, one.from_us))
    end = int(np.searchsorted(hours.start_us, one.to_us or hours.start_us[-1]))
    first, last = max(begin - BEFORE_H, 0), min(max(end, begin + 2) + AFTER_H, len(hours) - 1)
    litres = hours.amount[first:last] * 1000
    count = len(litres)
    top = max(float(np.nanmax(litres, initial=1.0)), 1.0) * 1.05
    step = (WIDTH - LEFT - 8) / count

    def x(place: float) -> float:
        return LEFT + step * place

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

    known = np.flatnonzero(np.isfinite(litres)).tolist()
    bars = "".join(f"M{x(n):.1f} {y(0):.1f}V{y(litres[n]):.1f}h{max(step - 0.4, 0.5):.1f}V{y(0):.1f}z" for n in known)
    nights = float(one.evidence.get("own_nights_p95") or one.evidence.get("own_largest") or 0.0) * 1000
    told = x((one.raised_us - int(hours.start_us[first])) / HOUR_US)
    label = "95 % of own nights" if one.rule is Rule.LEAK else "largest hour before"
    when = np.datetime64(one.from_us, "us").astype("datetime64[D]").astype(str)
    days = [n for n in range(count) if hours.hour[first + n] == 0]
    ticks = "".join(f'<path d="M{x(n):.1f} {y(0):.1f}v4" class="a"/>' for n in days)
    names = "".join(f'<text x="{x(n):.1f}" y="{HEIGHT - 8}">{_day(int(hours.day[first + n]))}</text>' for n in days)
    width, floor = step * max(end - begin, 1), y(0)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">
<style>text{{font:11px sans-serif;fill:#45565f}}.a{{stroke:#9aa8b0}}</style>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<path d="M{x(begin - first):.1f} {TOP}h{width:.1f}V{floor:.1f}H{x(begin - first):.1f}z" fill="#fdf0d5"/>
<path d="{bars}" fill="#12706b"/>
<path d="M{LEFT} {y(min(nights, top)):.1f}H{WIDTH - 8}" stroke="#b3372f" stroke-dasharray="4 3"/>
<path d="M{told:.1f} {TOP}V{floor:.1f}" stroke="#1f2d36" stroke-dasharray="2 2"/>
<path d="M{LEFT} {floor:.1f}H{WIDTH - 8}" class="a"/>{ticks}{names}
<text x="{LEFT}" y="14">{name}, {RULES[one.rule]} {when}: flow [l/h]; red: {label}; dotted: told</text>
<text x="4" y="{TOP + 10}">{top:.0f}</text><text x="4" y="{floor:.1f}">0</text>
</svg>
"""


def _day(day: int) -> str:
    moment = np.datetime64(day, "D").astype(object)
    return f"{moment.day}.{moment.month}."


def run() -> None:
    """Write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("home-*.svg"):
        old.unlink()
    written = 0
    for series, hours in homes():
        name, now_us = series.key.meter, int(hours.known_us[-1])
        found = [*leaks(hours, now_us), *never_zero(hours, now_us), *bursts(hours, now_us)]
        for one in sorted(doubtful(name, found), key=lambda f: f.from_us):
            day = str(np.datetime64(one.from_us, "us").astype("datetime64[D]"))
            (FOLDER / f"{name}-{one.rule.value}-{day}.svg").write_text(picture(name, hours, one), "utf-8")
            written += 1
            print(f"{name} {one.rule} {day}")
    print(f"{written} pictures in {FOLDER}")


if __name__ == "__main__":
    if DATA.is_dir():
        run()
    else:
        print(f"the real data are not there: {DATA}")
