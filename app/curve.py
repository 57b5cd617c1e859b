"""`odecet curve`: dial readings in a file to consumption by period, as JSON lines."""

from datetime import date
from pathlib import Path
from typing import BinaryIO

import holidays
import msgspec

from analytics.dial_lines import Meter, lines
from app.clock import now
from core.calendar import Period, zone
from core.gaps import DayTypes
from core.mounting import Rules, moduli
from core.readings import Readings
from ingest.dial_files import MeterFacts, read_events, read_meters
from ingest.series_files import read_series

COUNTRIES = {"Europe/Prague": "CZ", "Europe/London": "GB", "Europe/Oslo": "NO", "Europe/Bratislava": "SK"}


def print_curve(
    out: BinaryIO, *, readings: Path, meters: Path | None, events: Path | None, period: Period, zone_name: str
) -> None:
    """Write a JSON line per meter, register and period of the readings file to `out`."""
    series = read_series(readings)
    facts = read_meters(meters) if meters else {}
    happened = read_events(events, series.units) if events else []
    types = DayTypes(zone=zone(zone_name), holidays=public_holidays(zone_name, series.readings))
    known = {}
    for key, dial in series.units.items():
        fact = facts.get(key.meter, MeterFacts())
        modulus = None if fact.digits is None else 10.0**fact.digits * dial.scale / dial.divisor
        rate = fact.max_rate(dial.canonical)
        rules = Rules(unit=dial.canonical, max_rate=rate, allowed_gap_h=fact.allowed_gap_h, day_types=types)
        known[key] = Meter(modulus=modulus, moduli=moduli(dial), rules=rules)
    encoder = msgspec.json.Encoder()
    made = lines(series.readings, known, happened, period, now())
    out.writelines(encoder.encode(line) + b"\n" for line in made)


def public_holidays(zone_name: str, readings: Readings) -> frozenset[date]:
    """Return the public holidays of the zone's country in the years of the readings."""
    country = COUNTRIES.get(zone_name)
    if country is None or not len(readings):
        return frozenset()
    years = readings.at.astype("datetime64[Y]").astype(int) + 1970
    return frozenset(
        holidays.country_holidays(country, years=range(max(years.min(), 1990), min(years.max(), 2100) + 1))
    )
