"""Values of indicators kept ready for pages: worked out by the worker where something that they rest on changed."""

from app.clock import now
from app.recurring import Stopped
from app.wiring import Parts
from core.region_tables import RegionTables
from services.indicator_sources import HeardReadings
from services.indicators import Evaluation, Inputs
from services.kept_values import ValueKeeper, keep_usual
from services.peaks import KeptPeaks
from services.stands import DeliveredValues
from services.weather import Weather


def keep_values(parts: Parts, stopped: Stopped) -> None:
    """Keep the values of the usual reports."""
    tables, facts = parts.dated, parts.facts
    keeper = ValueKeeper(
        records=parts.records,
        readings=parts.readings,
        dated=tables,
        school=facts.school,
        zone=facts.zone,
        evaluation=lambda: _evaluation(parts, tables),
    )
    keep_usual(keeper, now(), stopped)


def _evaluation(parts: Parts, tables: RegionTables) -> Evaluation:
    at, records, register = now(), parts.records, parts.register.view()
    zone = parts.facts.zone
    inputs = Inputs(
        register=register,
        version=register.version,
        ask=parts.ask,
        cutoff=at,
        dated=tables,
        baselines=parts.baselines(),
        stations=Weather(parts.readings, zone),
        heard=HeardReadings(readings=parts.readings, register=register),
        alerts=records,
        peaks=KeptPeaks(readings=parts.readings, notes=records, register=register, ask=parts.ask),
        hand=DeliveredValues(records.deliveries()),
        zone=zone,
    )
    return Evaluation(inputs, at)
