"""What a detection shows besides numbers: series for a chart, as JSON can say, the same for detectors and charts.

In `Detection.evidence` stand beside each other:

    {"series": [{"name": "flow", "unit": "m³/h", "at": ["2026-01-31T12:00:00+00:00", ...], "value": [0.12, null, ...]}],
     "threshold": 0.05, "usual": 0.01, ...further numbers of the rule...}

`threshold` and `usual` are lines across the chart in the unit of the first series. What each rule shows is
written in docs/detectors.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from core.calendar import Longs, moment
from core.notes import JsonValue
from core.readings import Floats

MOST_VALUES: Final = 200
"""Values of a series in an alert: what a chart of a page's width can show."""
SERIES, THRESHOLD, USUAL = "series", "threshold", "usual"
DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A line of a chart: values at instants, None where nothing is known. `name` is the key of a text."""

    name: str
    unit: str
    at: tuple[datetime, ...]
    value: tuple[float | None, ...]


def trace(name: str, unit: str, at_us: Longs, value: Floats) -> dict[str, JsonValue]:
    """Return a series (n instants [µs since 1970], n values, NaN unknown) as evidence of MOST_VALUES at most.

    Of a longer one each value is the mean of as many neighbours, at the first of them.
    """
    width = -(-len(at_us) // MOST_VALUES) or 1
    first = np.arange(0, len(at_us), width)
    known = np.isfinite(value)
    count = np.add.reduceat(known.astype(float), first) if len(first) else first
    total = np.add.reduceat(np.where(known, value, 0.0), first) if len(first) else first
    shown = [round(float(t / c), DIGITS) if c else None for t, c in zip(total, count, strict=True)]
    told = [moment(np.datetime64(int(at), "us")).isoformat() for at in at_us[first]]
    return {"name": name, "unit": unit, "at": told, "value": shown}


def traces(evidence: Mapping[str, JsonValue]) -> tuple[Trace, ...]:
    """Return the series of evidence, none where it has none."""
    return tuple(
        Trace(
            name=str(one["name"]),
            unit=str(one["unit"]),
            at=tuple(datetime.fromisoformat(at) for at in one["at"]),
            value=tuple(None if v is None else float(v) for v in one["value"]),
        )
        for one in _listed(evidence.get(SERIES))
    )


def numbers(evidence: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the evidence without its series: what is said in words."""
    return {name: value for name, value in evidence.items() if name != SERIES}


def _listed(given: JsonValue) -> Sequence[Mapping[str, JsonValue]]:
    return given if isinstance(given, list | tuple) else ()
