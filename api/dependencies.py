"""What the API is given: ports, acts and settings. Only app fills it in; nothing here opens anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from core.calendar import PRAGUE
from core.formats import FormatShelf
from core.notes import DeadLetter
from core.overview import Overview
from core.own_rows import DatedTables
from core.ports import Clock, Intake, ReadingStore, RecordStore, Tables, Taken
from core.reading_tables import ReadingTables
from core.region_tables import RegionTables
from core.simulations import Simulations
from core.weather import TemperatureArchive, TemperatureFiles
from services.alerts import Alerts
from services.baselines import Facts
from services.consumption import PointConsumption, Question
from services.deliveries import Deadlines
from services.open_data import Publisher
from services.people_identity import Identities
from services.sessions import Sessions

INTAKE_TOPIC = "odecet/"
"""The topic under which a payload posted over HTTP meets the profiles: it names no meter, so the payload must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestStatus:
    """Whether readings can arrive: `detail` says why not, `last_message` when the last one came."""

    connected: bool
    detail: str = ""
    last_message: datetime | None = None


def no_ingest() -> IngestStatus | None:
    """Tell that this process takes no readings itself, so that readiness does not wait for a broker."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMinute:
    """Requests a minute: of a person, a program, an address of strangers; and tries to come in from an address."""

    people: int = 1_200
    programs: int = 6_000
    strangers: int = 600
    logins: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the API needs.

    `tokens` are secrets of programs that may do everything, by name. `sessions` is how people and other programs come
    in, `identities` somebody else's login; `open_reading` lets strangers look. Where neither tokens nor sessions are
    given, or with `open_access`, whoever shows none may do everything. `links_at` is the address that links in mails
    begin with (empty: none are sent).
    `ask` answers a question of consumption (None: the service over these stores). `replay` reads a dead letter again by
    its number (None: through `intake`), `replay_all` several. `formats` are the profiles (None: this process does not
    know them). `ingest` returns None where another process ingests.
    `dated_tables` tell which emission factors, prices, rules, populations and school holidays count now; of them each
    request is given `dated`, `facts` and their `edition` (without them: `dated` and `facts` as they stand here).
    `temperature_files` reads files of temperatures, `archive` is where they are fetched (None: it is switched off).
    `facts` are what models rest on besides readings (None: this process makes none).
    `alerts` are the acts on alerts (None: with the usual limits). `backup` gives an archive of all stores piece by
    piece (None: it is not made here). `report_templates` is the folder of the region's own templates of documents,
    `publisher` who publishes open data. `simulations` are the simulated meters of this process (None: it runs none).
    `overview` tells how the process is set and kept (None: it is not told).
    """

    readings: ReadingStore
    records: RecordStore
    intake: Intake
    tables: Tables
    reading_tables: ReadingTables
    clock: Clock
    version: str
    metrics: CollectorRegistry
    zone: ZoneInfo = PRAGUE
    locale: str = "cs"
    title: str = "Liberecký kraj"
    ingest: Callable[[], IngestStatus | None] = no_ingest
    tokens: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sessions: Sessions | None = None
    identities: Identities | None = None
    open_reading: bool = False
    open_access: bool = False
    links_at: str = ""
    per_minute: PerMinute = PerMinute()
    topic: str = INTAKE_TOPIC
    ask: Callable[[Question], Sequence[PointConsumption]] | None = None
    replay: Callable[[int], Taken] | None = None
    replay_all: Callable[[Sequence[DeadLetter]], Taken] | None = None
    formats: FormatShelf | None = None
    dated_tables: DatedTables | None = None
    dated: RegionTables = field(default_factory=RegionTables)
    edition: int = 0
    temperature_files: TemperatureFiles | None = None
    archive: TemperatureArchive | None = None
    facts: Facts | None = None
    alerts: Alerts | None = None
    report_templates: Path | None = None
    publisher: Publisher = field(default_factory=Publisher)
    backup: Callable[[], Iterator[bytes]] | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    simulations: Simulations | None = None
    overview: Callable[[], Overview] | None = None

    @property
    def open_to_all(self) -> bool:
        """Whether whoever shows nothing may do everything."""
        return self.open_access or (self.sessions is None and not self.tokens)
