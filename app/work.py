"""Which work recurs in the worker."""

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final

from app.alerting import Sending
from app.backup import Backups
from app.clock import now
from app.detecting import Detecting, RunningCapacity, keep_history
from app.indicator_values import keep_values
from app.outlook import work_out
from app.recurring import Recurring, Stopped
from app.reminding import Reminding
from app.rolling_up import RollingUp
from app.wiring import Parts, temperature_archive
from core.registry import Commodity, Measure, Point
from core.weather import TemperatureArchive
from services.models import refresh
from services.monthly_use import months_between
from services.peaks import KeptPeaks
from services.savings import Savings
from services.weather import fetch_all

FETCH_EVERY: Final = timedelta(hours=6)
MODELS_EVERY: Final = timedelta(hours=1)
HISTORY_EVERY: Final = timedelta(days=1)
VALUES_EVERY: Final = timedelta(minutes=15)
REMIND_EVERY: Final = timedelta(hours=3)
FOLLOW_EVERY: Final = timedelta(minutes=1)
FOLLOWED: Final = "tables/followed"


def recurring_work(parts: Parts) -> list[Recurring]:
    """Return the work that these parts do."""
    archive = temperature_archive(parts.settings)
    work = [Recurring(name="models", every=MODELS_EVERY, act=partial(_models, parts))]
    work.append(Recurring(name="peaks", every=MODELS_EVERY, act=partial(_peaks, parts)))
    work.append(Recurring(name="outlook", every=MODELS_EVERY, act=partial(work_out, parts)))
    work.append(Recurring(name="indicators", every=VALUES_EVERY, act=partial(keep_values, parts)))
    work.append(Recurring(name="tables", every=FOLLOW_EVERY, act=partial(follow_tables, parts), lane="tables"))
    work.append(Recurring(name="reminders", every=REMIND_EVERY, act=Reminding(parts).run))
    if archive is not None:
        fetched = partial(_fetch, parts, archive)
        work.insert(0, Recurring(name="temperatures", every=FETCH_EVERY, act=fetched))
    sending = Sending(parts.settings, parts.records)
    often = timedelta(seconds=parts.settings.alerts.send_every_s)
    alerts = Recurring(name="alerts", every=often, act=sending.run, lane="alerts")
    return [_rollups(parts), *work, *_detectors(parts), alerts, *_backups(parts)]


def follow_tables(parts: Parts, stopped: Stopped) -> None:
    """Work out anew what is kept ready for pages, where somebody entered a row of the dated tables since."""
    number = parts.tables.standing().number
    if parts.records.kept(FOLLOWED) == (str(number) if number else ""):
        return
    keep_values(parts, stopped)
    work_out(parts, stopped)
    if not stopped():
        parts.records.keep(FOLLOWED, str(number))


def _backups(parts: Parts) -> list[Recurring]:
    settings = parts.settings.backup
    if settings.folder is None:
        return []
    act = Backups(parts.settings, parts.readings, metrics=parts.metrics).run
    return [Recurring(name="backup", every=timedelta(hours=settings.every_h), act=act, lane="backup")]


def _detectors(parts: Parts) -> list[Recurring]:
    detectors = parts.settings.detectors
    every, often = timedelta(seconds=detectors.every_s), timedelta(seconds=detectors.capacity_every_s)
    return [
        Recurring(name="detectors", every=every, act=Detecting(parts).run, lane="detectors"),
        Recurring(name="capacity", every=often, act=RunningCapacity(parts).run, lane="capacity"),
        Recurring(name="history", every=HISTORY_EVERY, act=partial(keep_history, parts), lane="history"),
    ]


def _rollups(parts: Parts) -> Recurring:
    every = timedelta(seconds=parts.settings.worker.rollup_every_s)
    act = RollingUp(parts.rollups, metrics=parts.metrics).run
    return Recurring(name="rollups", every=every, act=act, lane="rollups", after=timedelta(0))


def _fetch(parts: Parts, archive: TemperatureArchive, _stopped: Stopped) -> None:
    first = date(parts.settings.weather.since_year, 1, 1)
    fetch_all(parts.readings, parts.register.view(), archive, first=first, now=now())


def _peaks(parts: Parts, stopped: Stopped) -> None:
    """Keep the highest quarter-hours of this year and the last, so that a report finds them ready."""
    zone, register = parts.facts.zone, parts.register.view()
    today = now().astimezone(zone).date()
    first, end = (datetime.combine(d, time(), zone) for d in (date(today.year - 1, 1, 1), today.replace(day=1)))
    reserved = [p for p in register.find(Point) if p.reserved_kw and p.commodity is Commodity.ELECTRICITY]
    peaks = KeptPeaks(readings=parts.readings, notes=parts.records, register=register, ask=parts.ask)
    peaks(reserved, months_between(first, end, zone), stopped=stopped)


def _models(parts: Parts, stopped: Stopped) -> None:
    """Fit what has changed of all points and measures, so that pages find their models ready."""
    register, baselines = parts.register.view(), parts.baselines()
    last = now().astimezone(parts.facts.zone).date() - timedelta(days=1)
    points, measures = register.find(Point), register.find(Measure)
    refresh(baselines, points, measures, last, stopped=stopped)
    Savings(baselines).shares({point.id: point for point in points}, measures, last, stopped=stopped)
