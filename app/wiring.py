"""The composition root: settings to stores, ingester, acts and API. Builds only; nothing is opened here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import holidays
from prometheus_client import CollectorRegistry, ProcessCollector

from analytics.baseline.placebo import Calibration
from app.alerting import alert_acts
from app.backup import pieces
from app.clock import now
from app.dated_tables import PresentTables, table_files
from app.deadlines import deadlines_of
from app.entrance import identities, sessions
from app.overview import overview
from app.profiles import fixed_profiles, speakers_of
from config.dated import HOLIDAY_YEARS
from config.placebos import load_placebos
from config.settings import Settings
from core.archive import ArchivedReadings
from core.gaps import DayTypes
from core.notes import DeadLetter
from core.ports import RecordStore, Taken
from core.region_tables import RegionTables
from core.simulations import Simulations
from core.weather import TemperatureArchive
from ingest.accept import Bounds
from ingest.backlog import Backlog
from ingest.intake import PayloadIntake
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttSource
from ingest.mqtt_connection import Connection, Tls
from ingest.pipeline import BatchSize, Ingester
from ingest.profile import Router, widest
from ingest.profiles.shelf import ProfileShelf
from ingest.reader import Reader
from ingest.reading_tables import FileReadingTables
from ingest.tables import FileTables
from ingest.weather_files import WeatherFiles
from services.baselines import Baselines, Facts
from services.consumption import Calendar, PointConsumption, Question, consumption
from services.held import HeldRegister
from services.open_data import Publisher
from services.rollup import RollUps
from services.weather import Weather
from storage.duckdb_readings import DuckDBReadingStore
from storage.records import SqlRecordStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.dependencies import IngestStatus as ShownStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the processes of Odečet are put together from; each runs those that its command names."""

    settings: Settings
    readings: ArchivedReadings
    records: RecordStore
    source: MqttSource
    ingester: Ingester
    intake: PayloadIntake
    rollups: RollUps
    metrics: CollectorRegistry
    calendar: Calendar
    register: HeldRegister
    shelf: ProfileShelf
    tables: PresentTables

    @property
    def dated(self) -> RegionTables:
        """Factors, tariffs, populations and normals as they stand now."""
        return self.tables.dated()

    @property
    def facts(self) -> Facts:
        """What models rest on besides readings, as it stands now."""
        return self.tables.facts()

    def api(self, *, ingesting: bool, open_access: bool = False, simulations: Simulations | None = None) -> "FastAPI":
        """Return the API; `ingesting` tells whether this process takes readings, which readiness then waits for.

        With `open_access`, and where the settings say so, whoever asks may do everything.
        """
        from api.application import Dependencies, build_api  # noqa: PLC0415 - only a process that serves loads it
        from api.dependencies import PerMinute, no_ingest  # noqa: PLC0415 - same

        settings = self.settings
        return build_api(
            Dependencies(
                readings=self.readings,
                records=self.records,
                intake=self.intake,
                tables=FileTables(),
                reading_tables=FileReadingTables(bounds(settings)),
                clock=now,
                version=version("odecet"),
                metrics=self.metrics,
                zone=settings.calendar.tz(),
                locale=settings.api.language,
                title=settings.api.title,
                ingest=self.shown_status if ingesting else no_ingest,
                tokens={name: token.get_secret_value() for name, token in settings.api.tokens.items()},
                sessions=sessions(settings, self.records),
                identities=identities(settings),
                open_reading=settings.api.open_reading,
                open_access=open_access or settings.access.open,
                links_at=settings.alerts.pages_url,
                per_minute=PerMinute(
                    people=settings.access.people_per_minute,
                    programs=settings.access.programs_per_minute,
                    strangers=settings.access.strangers_per_minute,
                    logins=settings.access.logins_per_minute,
                ),
                ask=self.ask,
                replay=self.replay,
                formats=self.shelf,
                replay_all=self.replay_all,
                dated_tables=self.tables,
                temperature_files=WeatherFiles(),
                archive=temperature_archive(settings),
                facts=self.tables.without_school,
                alerts=alert_acts(settings, self.records),
                report_templates=settings.reports.templates,
                publisher=publisher(settings),
                backup=partial(pieces, settings, self.readings),
                deadlines=deadlines_of(settings.deliveries),
                simulations=simulations,
                overview=partial(overview, settings),
            )
        )

    def ask(self, question: Question) -> list[PointConsumption]:
        """Answer a question of consumption."""
        return consumption(question, readings=self.readings, records=self.register.view(), calendar=self.calendar)

    def baselines(self) -> Baselines:
        """Return what fits and keeps the models of points."""
        facts = self.facts
        stations = Weather(self.readings, facts.zone)
        return Baselines(records=self.records, stations=stations, ask=self.ask, facts=facts)

    def replay(self, number: int) -> Taken:
        """Read a dead letter again with the profiles of today and mark it where it is read."""
        letter = self.records.letter(number)
        return self.replay_all([letter])

    def replay_all(self, letters: Sequence[DeadLetter]) -> Taken:
        """Read dead letters again; those that are read now are marked."""
        at = now()
        done = self.intake.replay(letters, at)
        self.records.mark_replayed(done.read, at)
        still = tuple((str(number), f"{reason}: {detail}") for number, reason, detail in done.still)
        return Taken(readings=done.readings, rejected=still)

    def shown_status(self) -> "ShownStatus":
        """Return whether readings can arrive."""
        from api.dependencies import IngestStatus as Shown  # noqa: PLC0415 - only a process that serves loads it

        status = self.ingester.status()
        source = status.source
        connected = status.running and source is not None and source.state == "connected"
        detail = status.trouble or ("" if source is None else f"{source.state} {source.detail}".strip())
        return Shown(connected=connected and not status.trouble, detail="" if connected else detail)


def build(settings: Settings) -> Parts:
    """Return the parts for these settings; none is opened."""
    readings, records = reading_store(settings), SqlRecordStore(settings.records_url())
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    metrics = IngestMetrics(registry)
    shelf = ProfileShelf(
        fixed_profiles(settings.discovery, without=settings.ingest.profiles_off),
        folder=settings.ingest.profiles_folder,
        site=settings.calendar.zone,
        clock=now,
        without=settings.ingest.profiles_off,
    )
    router = Router(shelf.profiles)
    reader = Reader(
        router,
        bounds=bounds(settings),
        size_limit=settings.ingest.max_payload_bytes,
    )
    shelf.users(reader.use)
    types = day_types(settings)
    backlog = Backlog(bound=settings.ingest.queue_messages, bound_bytes=settings.ingest.queue_bytes)
    source = MqttSource(
        connection(settings, topics_of(settings, router)), backlog=backlog, clock=now, speakers=speakers_of(shelf)
    )
    return Parts(
        settings=settings,
        readings=readings,
        records=records,
        source=source,
        ingester=Ingester(
            backlog=backlog,
            source=source,
            reader=reader,
            readings=readings,
            records=records,
            clock=now,
            metrics=metrics,
            batch=BatchSize(messages=settings.ingest.batch_messages, linger_s=settings.ingest.batch_ms / 1000),
        ),
        intake=PayloadIntake(reader=reader, readings=readings, records=records, metrics=metrics),
        rollups=RollUps(readings, records, types),
        metrics=registry,
        calendar=Calendar(day_types=types),
        register=HeldRegister(records),
        shelf=shelf,
        tables=PresentTables(table_files(settings), records, facts(settings, types)),
    )


def reading_store(settings: Settings) -> ArchivedReadings:
    """Return the store of readings that the settings name."""
    if settings.readings.store == "influxdb":
        from storage.influx_readings import InfluxReadingStore  # noqa: PLC0415 - only where it is used

        influx = settings.readings.influx
        return InfluxReadingStore(
            influx.url,
            bucket=influx.bucket,
            org=influx.org,
            token=influx.token.get_secret_value(),
            username=influx.username,
            password=influx.password.get_secret_value(),
            api=influx.api,
            gzip=influx.gzip,
            timeout_s=influx.timeout_s,
        )
    duckdb = settings.readings.duckdb
    return DuckDBReadingStore(
        settings.duckdb_path(), now, memory_limit_mb=duckdb.memory_limit_mb, threads=duckdb.threads
    )


def temperature_archive(settings: Settings) -> TemperatureArchive | None:
    """Return the archive that temperatures are fetched from, None where that is switched off."""
    from ingest.open_meteo import OpenMeteoArchive  # noqa: PLC0415 - only where it is used

    weather = settings.weather
    return OpenMeteoArchive(weather.archive_url, timeout_s=weather.timeout_s) if weather.fetch else None


def publisher(settings: Settings) -> Publisher:
    """Return who publishes open data."""
    open_data = settings.open_data
    return Publisher(
        url=open_data.url,
        ico=open_data.ico,
        area=open_data.area,
        name=settings.api.title,
        mail=open_data.mail,
        headline=open_data.headline,
        least_buildings=open_data.least_buildings,
    )


def bounds(settings: Settings) -> Bounds:
    """Return what a reading may be, at every door."""
    return Bounds(ahead=timedelta(seconds=settings.ingest.future_tolerance_s))


def day_types(settings: Settings) -> DayTypes:
    """Return which days are alike where the buildings stand."""
    czech = holidays.country_holidays("CZ", years=HOLIDAY_YEARS)
    return DayTypes(zone=settings.calendar.tz(), holidays=frozenset(day for day in czech if isinstance(day, date)))


def topics_of(settings: Settings, router: Router) -> tuple[str, ...]:
    """Return the topic filters to subscribe to: those of the settings, and those that profiles name."""
    named = router.filters if settings.ingest.subscribe_profiles else ()
    return widest([*settings.mqtt.topics, *named])


def facts(settings: Settings, types: DayTypes) -> Facts:
    """Return what models rest on besides readings and the dated tables."""
    return Facts(
        calibration=Calibration.from_json(load_placebos()), zone=settings.calendar.tz(), holidays=types.holidays
    )


def connection(settings: Settings, topics: tuple[str, ...]) -> Connection:
    """Return how to reach the broker of the meters."""
    mqtt = settings.mqtt
    tls = Tls(ca_file=_text(mqtt.tls.ca), cert_file=_text(mqtt.tls.cert), key_file=_text(mqtt.tls.key))
    return Connection(
        host=mqtt.host,
        port=mqtt.port,
        client_id=mqtt.client_id,
        topics=topics,
        follows=settings.ingest.subscribe_profiles,
        username=mqtt.username,
        password=mqtt.password.get_secret_value(),
        tls=tls if mqtt.tls.enabled else None,
        keepalive_s=mqtt.keepalive_s,
        v5=mqtt.protocol == 5,  # noqa: PLR2004 - the version of MQTT
        session_expiry_s=mqtt.session_expiry_s,
    )


def _text(path: object) -> str:
    return "" if path is None else str(path)
