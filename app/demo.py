"""`odecet demo`: a sample region on embedded parts, with three years of history and live meters over MQTT."""

import logging
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.clock import now
from app.entrance import login_link, sessions
from app.process import address_of, open_stores, serve, stopping
from app.progress import Progress
from app.simulating import RunningSimulations
from app.wiring import Parts, build
from config.sections import (
    AccessSettings,
    ApiSettings,
    MqttSettings,
    OidcSettings,
    ReadingsSettings,
    RecordsSettings,
)
from config.settings import Settings
from config.tables import FOLDER
from core.calendar import instant
from core.people import Grant, Person, Role
from core.registry import Entity, Measure, Organisation
from core.simulations import SimulationWish
from services.people import add_person
from services.register import By
from simulators.demo_faults import demo_faults
from simulators.demo_measures import demo_measures
from simulators.history import history
from simulators.plan import PlannedMeter, plan, recorded
from simulators.region import SampleRegion, sample_region
from simulators.session import Session
from simulators.stations import station_payloads, station_readings, stations

log = logging.getLogger(__name__)

BUILDINGS: Final = 12
YEARS: Final = 3
SEED: Final = 2026
FINE_DAYS: Final = 400
LAST_HOUR: Final = timedelta(hours=1)
CATCH_UP: Final = 7200.0
ENDED, CURSOR, LIVE = "demo/history-ended", "demo/cursor", "demo/live"
WEATHER: Final = "demo/weather"
WEATHER_EVERY_S: Final = 300.0
TARIFFS: Final = FOLDER / "demo_tariffs.toml"
FACTORS: Final = FOLDER / "demo_factors.toml"
FOUR: Final = (
    ("energetik", "Eva Horáková", Role.ENERGY_MANAGER, False),
    ("skolnik", "Karel Dušek", Role.FACILITY_STAFF, True),
    ("koordinator", "Jana Malá", Role.COORDINATOR, False),
    ("zkousec", "Petr Beran", Role.TESTER, False),
)
"""Sample people: id, name, role, and whether they see one organisation alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The sample region, what its meters send, what was done there, and the end of their history."""

    region: SampleRegion
    plans: tuple[PlannedMeter, ...]
    measures: tuple[Measure, ...]
    ended: datetime

    @property
    def weather(self) -> int:
        """The seed of the weather that all buildings share."""
        return self.plans[0].meter.load.weather


def demo(settings: Settings, *, folder: Path | None = None, buildings: int = BUILDINGS) -> None:
    """Run the demo until SIGINT or SIGTERM; what was made is used again by the next start."""
    parts = build(demo_settings(settings, folder))
    with stopping() as stop, ExitStack() as stack:
        open_stores(parts, stack, stop)
        sample = _sample(parts, buildings)
        _fill(parts, sample, stop)
        if stop.is_set():
            return
        _people(parts, sample)
        threading.Thread(target=_announce, args=(parts, stop), name="announce", daemon=True).start()
        live = _meters(parts, sample)
        live.start(SimulationWish(speed=CATCH_UP), by="demo")
        weather = threading.Thread(target=_weather, args=(parts, sample, stop), name="weather", daemon=True)
        stack.callback(weather.join, 15.0)
        weather.start()
        serve(parts, stack, stop, ingest=True, worker=True, api=True, simulations=live)


def demo_settings(settings: Settings, folder: Path | None = None) -> Settings:
    """Return settings of embedded parts: a folder of their own, loopback, ports that are free."""
    chosen, tables = folder or settings.data.folder / "demo", settings.tables
    port = _free(settings.mqtt.port)
    return settings.model_copy(
        update={
            "data": settings.data.model_copy(update={"folder": chosen}),
            "readings": ReadingsSettings(),
            "records": RecordsSettings(),
            "mqtt": MqttSettings(embedded=True, host="127.0.0.1", port=port, client_id="odecet-demo"),
            "api": ApiSettings(port=_free(settings.api.port), title=settings.api.title, language=settings.api.language),
            "access": AccessSettings(open=True),
            "tables": tables.model_copy(
                update={"tariffs": tables.tariffs or TARIFFS, "factors": tables.factors or FACTORS}
            ),
            "oidc": OidcSettings(),
        }
    )


def _free(port: int) -> int:
    """Return the port, or one that is free where something listens on it."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                return int(other.getsockname()[1])
    return port


def _sample(parts: Parts, buildings: int) -> Sample:
    """Return the sample region, the same for each start over the same folder."""
    kept = parts.records.kept(ENDED)
    ended = datetime.fromisoformat(kept) if kept else now().replace(minute=0, second=0, microsecond=0) - LAST_HOUR
    if not kept:
        parts.records.keep(ENDED, ended.isoformat())
    region, measures = demo_measures(sample_region(SEED, buildings), instant(ended))
    plans = plan(region, demo_faults(region, instant(ended)))
    return Sample(region=region, plans=plans, measures=measures, ended=ended)


def _fill(parts: Parts, sample: Sample, stop: threading.Event) -> None:
    """Store register and history where they are not stored yet, and roll up."""
    start = sample.ended.astimezone(UTC).replace(year=sample.ended.year - YEARS, day=1, hour=0)
    if not parts.records.count(Organisation):
        region = sample.region
        known, events = recorded(region, sample.plans)
        meters = [replace(m, mounted=start, first=None) if m.mounted < start else m for m in known]
        everything: list[Entity] = [*region.organisations, *region.buildings, *region.points, *meters, *events]
        everything += [*stations(), *sample.measures]
        parts.records.save(everything, by="demo", now=now(), why="sample region")
    if not parts.records.kept(WEATHER):
        parts.readings.write(station_readings(sample.weather, start, sample.ended))
        parts.records.keep(WEATHER, sample.ended.isoformat())
    cursor = parts.records.kept(CURSOR)
    fine = instant(sample.ended - timedelta(days=FINE_DAYS))
    told = Progress("history, batches of meters and months")
    for batch in history(sample.plans, instant(start), instant(sample.ended), fine_since=fine, cursor=cursor):
        if stop.is_set():
            return
        parts.readings.write(batch.readings)
        parts.records.keep(CURSOR, batch.cursor)
        told(batch.done, batch.total)
    parts.rollups.run(progress=Progress("roll-ups, points"), stopped=stop.is_set)


def _meters(parts: Parts, sample: Sample) -> RunningSimulations:
    """Return the demo's meters: they send first what is missing since the last run, then as time passes."""
    kept = parts.records.kept(LIVE)
    session = Session(
        key="demo",
        region=sample.region,
        began=sample.ended,
        reached=datetime.fromisoformat(kept) if kept else sample.ended,
        base=demo_faults(sample.region, instant(sample.ended)),
    )
    return RunningSimulations(
        parts.settings.mqtt,
        parts.readings,
        parts.records,
        fixed=session,
        ready=lambda: parts.shown_status().connected,  # the broker keeps nothing for a session that is not there yet
    )


def _weather(parts: Parts, sample: Sample, stop: threading.Event) -> None:
    """Post what the stations send, hour by hour, as a station would over HTTP."""
    since = datetime.fromisoformat(parts.records.kept(WEATHER))
    while True:
        until = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        for payload in station_payloads(sample.weather, since, until):
            parts.intake.take("odecet/meteo", payload, source="demo weather", now=now())
        parts.records.keep(WEATHER, until.isoformat())
        since = until
        if stop.wait(WEATHER_EVERY_S):
            return


def _people(parts: Parts, sample: Sample) -> None:
    """Store the four who look at the demo where they are not stored yet."""
    organisation = sample.region.organisations[0].id
    act = By(by="demo", now=now(), why="sample people")
    known = {person.id for person in parts.records.people()}
    for key, name, role, places in FOUR:
        if key not in known:
            grant = Grant(role=role, organisations=(organisation,) if places else ())
            add_person(parts.records, Person(id=key, name=name, grants=(grant,)), act)


def _announce(parts: Parts, stop: threading.Event) -> None:
    """Print the addresses once the pages answer."""
    settings = parts.settings
    while not stop.wait(0.1):
        with socket.socket() as sock:
            if sock.connect_ex((settings.api.bind, settings.api.port)) == 0:
                break
    if not stop.is_set():
        place, entrance = address_of(settings), sessions(settings, parts.records)
        sys.stdout.write(f"\nOdečet: {place}\nMQTT:   {settings.mqtt.host}:{settings.mqtt.port} (topics odecet/#)\n")
        sys.stdout.write("Whoever opens it on this machine may do everything. To look as one of its people:\n")
        for key, name, role, _ in FOUR:
            told = f"{name} ({role.replace('_', ' ')})"
            sys.stdout.write(f"  {told:<30} {login_link(entrance, key, place)}\n")
        sys.stdout.write("Ctrl+C ends it; the next start goes on from here.\n")
        sys.stdout.flush()
