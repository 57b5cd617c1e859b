"""Which work recurs in the worker."""

from datetime import date, timedelta
from functools import partial

from app.clock import now
from app.recurring import Recurring, Stopped
from app.wiring import Parts, temperature_archive
from core.weather import TemperatureArchive
from services.weather import fetch_all


def recurring_work(parts: Parts) -> list[Recurring]:
    """Return the work that these parts do."""
    archive = temperature_archive(parts.settings)
    work = []
    if archive is not None:
        act = partial(_fetch, parts, archive)
        work.append(Recurring(name="fetch temperatures", every=timedelta(hours=6), act=act))
    return work


def _fetch(parts: Parts, archive: TemperatureArchive, _stopped: Stopped) -> None:
    first = date(parts.settings.weather.since_year, 1, 1)
    fetch_all(parts.readings, parts.register.view(), archive, first=first, now=now())
