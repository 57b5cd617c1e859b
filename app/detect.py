"""`odecet detect`: readings in a file to findings, as JSON lines."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from analytics.anomalies.every import against_each_other, against_expected, against_reserved, every
from analytics.anomalies.finding import Finding
from analytics.anomalies.foretold import foretold
from analytics.anomalies.hours import Hours
from analytics.anomalies.point import Seen, Watched, seen
from analytics.anomalies.waste import days_of
from analytics.baseline.cleaning import Commodity
from app.baseline import bridged
from app.baseline import days_of as calendar_days
from app.curve import public_holidays
from config.school_holidays import load_school_holidays
from core.calendar import Longs, instant, micros, moment, zone
from core.errors import InputError
from core.readings import Floats, Readings, SeriesKey
from core.units import Quantity
from ingest.any_series import Series, read_any
from ingest.daily_files import read_temperature

UNITS: Final = {Commodity.WATER: "m³"}
QUANTITIES: Final = {
    Commodity.WATER: {Quantity.VOLUME},
    Commodity.GAS: {Quantity.VOLUME, Quantity.ENERGY},
    Commodity.HEAT: {Quantity.ENERGY},
    Commodity.ELECTRICITY: {Quantity.ENERGY},
}
IMPORT: Final = "energy.import"
EXPORT: Final = "energy.export"
CALENDARS: Final = {"Europe/Prague": "cz", "Europe/London": "uk", "Europe/Oslo": "no"}
SCHOOLS: Final = "Europe/Prague"
"""The zone whose school holidays are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a file of readings; `start` and `end` are ISO 8601 days or instants, empty for all.

    `unit` holds where no column tells it. With `temperature` (a file) the baseline is asked too, with `reserved_kw` the
    quarter-hours.
    """

    commodity: Commodity
    zone_name: str
    start: str = ""
    end: str = ""
    unit: str = ""
    kind: str = "auto"
    reserved_kw: float | None = None
    temperature: Path | None = None


def print_findings(out: BinaryIO, readings: Path, question: Question) -> None:
    """Write a JSON line per finding to `out`: by meter and register, in order of time.

    Nothing after `end` is looked at; `start` leaves out what ended before it, learning still sees it.
    """
    place = zone(question.zone_name)
    expected = question.unit or UNITS.get(question.commodity, "kWh")
    series = _of_commodity(readings, read_any(readings, place, expected, question.kind), question.commodity)
    now_us = _instant(question.end, place) if question.end else max(int(s.at_us[-1]) for s in series)
    since_us = _instant(question.start, place) if question.start else None
    days_off = _days_off(series, question.zone_name)
    watched = [_watched(one, place, days_off).until(now_us) for one in sorted(series, key=lambda s: s.key)]
    cases = [
        _Case(series=one, seen=seen(what, one.of, zero_is_gap=question.commodity is Commodity.ELECTRICITY))
        for one, what in zip(sorted(series, key=lambda s: s.key), watched, strict=True)
        if len(what.at_us)
    ]
    encoder, more = msgspec.json.Encoder(), _together(cases, question, place, now_us)
    for case in cases:
        found = every(case.seen, question.commodity, now_us) + more.get(case.series.key, [])
        if question.reserved_kw is not None and question.commodity is Commodity.ELECTRICITY:
            found += against_reserved(case.seen, question.reserved_kw, now_us)
        for one in sorted(found, key=lambda f: (f.from_us, f.rule)):
            if since_us is None or one.to_us is None or one.to_us > since_us:
                out.write(encoder.encode(_line(case.series, one, place)) + b"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A series of the file and what is seen of it."""

    series: Series
    seen: Seen


def _together(cases: list[_Case], question: Question, place: ZoneInfo, now_us: int) -> dict[SeriesKey, list[Finding]]:
    """Return what needs more than one register: the baseline with the weather, import beside export."""
    found: dict[SeriesKey, list[Finding]] = {}
    hours = {case.series.key: case.seen.hours for case in cases if case.seen.hours is not None}
    for key, taken in hours.items():
        given = hours.get(SeriesKey(key.meter, EXPORT))
        if key.register == IMPORT and given is not None:
            found[key] = against_each_other(taken, given, "kWh")
    if question.temperature is None or not hours:
        return found
    day = np.arange(min(int(h.day[0]) for h in hours.values()), max(int(h.day[-1]) for h in hours.values()) + 1)
    temp_c = _temperature(question.temperature, place, day)
    expected = _expected(list(hours.values()), day, question, temp_c)
    for (key, mine), row in zip(hours.items(), expected, strict=True):
        span = slice(int(mine.day[0] - day[0]), int(mine.day[-1] - day[0]) + 1)
        unit = next(c.seen.watched.unit for c in cases if c.series.key == key)
        found.setdefault(key, []).extend(
            against_expected(mine, row[span], temp_c[span], question.commodity, unit, now_us=now_us)
        )
    return found


def _temperature(path: Path, place: ZoneInfo, day: Longs) -> Floats:
    """Return the daily mean temperature [°C] of days since 1970, NaN where the file has none."""
    table = read_temperature(path, place)
    known = table.day.astype(np.int64)
    at = np.clip(np.searchsorted(known, day), 0, len(known) - 1)
    return np.where(known[at] == day, table.values[0][at], np.nan)


def _expected(hours: list[Hours], day: Longs, question: Question, temp_c: Floats) -> Floats:
    """Return what the baseline expects of each series on each day (m, d)."""
    total = np.full((len(hours), len(day)), np.nan)
    for row, mine in zip(total, hours, strict=True):
        first = int(mine.day[0] - day[0])
        row[first : first + mine.days] = days_of(mine).total
    calendar = calendar_days(day.astype("datetime64[D]"), CALENDARS.get(question.zone_name, "none"), None)
    return foretold(total, calendar, question.commodity, bridged(temp_c))


def _of_commodity(path: Path, series: list[Series], commodity: Commodity) -> list[Series]:
    fitting = [one for one in series if one.of.quantity in QUANTITIES[commodity]]
    if not fitting:
        found = ", ".join(sorted({one.of.canonical for one in series})) or "nothing"
        raise InputError(f"holds {found}, no {commodity}", place=str(path), remedy="check --commodity and --unit")
    return fitting


def _watched(one: Series, place: ZoneInfo, days_off: tuple[Longs, Longs]) -> Watched:
    return Watched(
        at_us=one.at_us,
        value=one.value,
        dial=one.dial,
        unit=one.of.canonical,
        zone=place,
        length_us=one.length_us,
        quantum=one.quantum,
        off=days_off[1],
        holidays=days_off[0],
    )


def _days_off(series: list[Series], zone_name: str) -> tuple[Longs, Longs]:
    """Return the public holidays of the readings' years, and those with school holidays in Prague's zone."""
    at = np.array([edge for one in series for edge in (one.at_us[0], one.at_us[-1])]).astype("datetime64[us]")
    public = public_holidays(zone_name, Readings.of((), np.zeros(len(at), np.int32), at, np.zeros(len(at))))
    years = at.astype("datetime64[Y]").astype(int) + 1970
    school = load_school_holidays(range(years.min(), years.max() + 1)) if zone_name == SCHOOLS else frozenset()
    listed = [np.array(sorted(_day(day) for day in days), np.int64) for days in (public, public | school)]
    return listed[0], listed[1]


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
