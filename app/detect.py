"""`odecet detect`: readings in a file to findings, as JSON lines."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from analytics.anomalies.every import every
from analytics.anomalies.finding import Finding
from analytics.anomalies.point import Watched, seen
from analytics.baseline.cleaning import Commodity
from app.curve import public_holidays
from config.school_holidays import load_school_holidays
from core.calendar import Longs, instant, micros, moment, zone
from core.errors import InputError
from core.readings import Readings
from core.units import Quantity
from ingest.any_series import Series, read_any

UNITS: Final = {Commodity.WATER: "m³"}
QUANTITIES: Final = {
    Commodity.WATER: {Quantity.VOLUME},
    Commodity.GAS: {Quantity.VOLUME, Quantity.ENERGY},
    Commodity.HEAT: {Quantity.ENERGY},
    Commodity.ELECTRICITY: {Quantity.ENERGY},
}
SCHOOLS: Final = "Europe/Prague"
"""The zone whose school holidays are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a file of readings; `start` and `end` are ISO 8601 days or instants, empty for all."""

    commodity: Commodity
    zone_name: str
    start: str = ""
    end: str = ""
    unit: str = ""
    kind: str = "auto"


def print_findings(out: BinaryIO, readings: Path, question: Question) -> None:
    """Write a JSON line per finding to `out`: by meter and register, in order of time.

    Nothing after `end` is looked at; `start` leaves out what ended before it, learning still sees it.
    """
    place = zone(question.zone_name)
    expected = question.unit or UNITS.get(question.commodity, "kWh")
    series = _of_commodity(readings, read_any(readings, place, expected, question.kind), question.commodity)
    now_us = _instant(question.end, place) if question.end else max(int(s.at_us[-1]) for s in series)
    since_us = _instant(question.start, place) if question.start else None
    encoder, off = msgspec.json.Encoder(), _days_off(series, question.zone_name)
    for one in sorted(series, key=lambda s: s.key):
        watched = _watched(one, place, off).until(now_us)
        if not len(watched.at_us):
            continue
        made = seen(watched, one.of, zero_is_gap=question.commodity is Commodity.ELECTRICITY)
        for found in every(made, question.commodity, now_us):
            if since_us is None or found.to_us is None or found.to_us > since_us:
                out.write(encoder.encode(_line(one, found, place)) + b"\n")


def _of_commodity(path: Path, series: list[Series], commodity: Commodity) -> list[Series]:
    fitting = [one for one in series if one.of.quantity in QUANTITIES[commodity]]
    if not fitting:
        found = ", ".join(sorted({one.of.canonical for one in series})) or "nothing"
        raise InputError(f"holds {found}, no {commodity}", place=str(path), remedy="check --commodity and --unit")
    return fitting


def _watched(one: Series, place: ZoneInfo, off: Longs) -> Watched:
    return Watched(
        at_us=one.at_us,
        value=one.value,
        dial=one.dial,
        unit=one.of.canonical,
        zone=place,
        length_us=one.length_us,
        quantum=one.quantum,
        off=off,
    )


def _days_off(series: list[Series], zone_name: str) -> Longs:
    """Return the public holidays, and in Prague's zone the school holidays, of the years of the readings."""
    at = np.array([edge for one in series for edge in (one.at_us[0], one.at_us[-1])]).astype("datetime64[us]")
    public = public_holidays(zone_name, Readings.of((), np.zeros(len(at), np.int32), at, np.zeros(len(at))))
    years = at.astype("datetime64[Y]").astype(int) + 1970
    school = load_school_holidays(range(years.min(), years.max() + 1)) if zone_name == SCHOOLS else frozenset()
    return np.array(sorted(_day(day) for day in public | school), np.int64)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _instant(text: str, place: ZoneInfo) -> int:
    """Return an instant [µs]; a day, or a time without offset, is on the zone's clock."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"{text!r} is no instant", remedy="write 2026-01-31 or 2026-01-31T12:00:00+01:00") from err
    return int(micros(instant(written if written.tzinfo else written.replace(tzinfo=place))))


def _line(one: Series, found: Finding, place: ZoneInfo) -> dict[str, Any]:
    def local(at_us: int) -> str:
        return moment(np.datetime64(at_us, "us")).astimezone(place).isoformat(timespec="seconds")

    return {
        "meter": one.key.meter,
        "register": one.key.register,
        "rule": found.rule.value,
        "from": local(found.from_us),
        "to": None if found.to_us is None else local(found.to_us),
        "raised": local(found.raised_us),
        "loss_per_day": found.loss_per_day,
        "unit": found.unit,
        "severity": found.severity.value,
        "check": found.check,
        "evidence": dict(found.evidence),
    }
