"""What the API is given: ports, acts and settings. Only app fills it in; nothing here opens anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from core.calendar import PRAGUE
from core.formats import FormatShelf
from core.notes import DeadLetter
from core.ports import Clock, Intake, ReadingStore, RecordStore, Tables, Taken
from core.reading_tables import ReadingTables
from core.region_tables import RegionTables
from core.weather import TemperatureArchive, TemperatureFiles
from services.alerts import Alerts
from services.baselines import Facts
from services.consumption import PointConsumption, Question

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
class Dependencies:
    """Everything that the API needs.

    `tokens` are secrets by the name of who holds them: where there are any, writing needs one, and reading too unless
    `open_reading`. `ask` answers a question of consumption (None: the service over these stores). `replay` reads a
    dead letter again by its number (None: through `intake`), `replay_all` several. `formats` are the
    profiles (None: this process does not know them). `ingest` returns None where another process ingests.
    `dated` are emission factors, prices, rules and populations.
    `temperature_files` reads files of temperatures, `archive` is where they are fetched (None: it is switched off).
    `facts` are what models rest on besides readings (None: this process makes none).
    `alerts` are the acts on alerts (None: with the usual limits).
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
    open_reading: bool = True
    topic: str = INTAKE_TOPIC
    ask: Callable[[Question], Sequence[PointConsumption]] | None = None
    replay: Callable[[int], Taken] | None = None
    replay_all: Callable[[Sequence[DeadLetter]], Taken] | None = None
    formats: FormatShelf | None = None
    dated: RegionTables = field(default_factory=RegionTables)
    temperature_files: TemperatureFiles | None = None
    archive: TemperatureArchive | None = None
    facts: Facts | None = None
    alerts: Alerts | None = None
