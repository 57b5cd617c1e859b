"""The sections of Odečet's settings: each field with its default, its bounds and, below it, what it means."""

from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from core.calendar import zone as named_zone
from core.errors import InputError

TOKEN_LENGTH: Final = 16
RECORD_SCHEMES: Final = ("sqlite", "postgresql", "postgresql+psycopg")


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")  # noqa: TRY004 - pydantic tells the place of a ValueError
    return value


def _words(value: object) -> object:
    """Return the words of a list that the environment writes as one text, parted by commas."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _text_of_number(value: object) -> object:
    return str(value) if type(value) is int else value


def _number_of_text(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _zone(name: str) -> str:
    try:
        named_zone(name)
    except InputError as err:
        raise ValueError(err.problem) from err
    return name


def _web_address(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("an address starts with http:// or https://")
    if "@" in text:
        raise ValueError("an address that holds a user or password would be shown: write them in their own settings")
    return text.rstrip("/")


def _record_address(text: str) -> str:
    scheme = text.partition("://")[0]
    if text and (scheme not in RECORD_SCHEMES or "://" not in text):
        raise ValueError(f"a record store's address starts with one of {', '.join(s + '://' for s in RECORD_SCHEMES)}")
    return text


def _long_tokens(tokens: dict[str, SecretStr]) -> dict[str, SecretStr]:
    short = [name for name, token in tokens.items() if len(token.get_secret_value()) < TOKEN_LENGTH]
    if short:
        raise ValueError(f"the token of {', '.join(short)} is shorter than {TOKEN_LENGTH} characters")
    return tokens


def _topic_filters(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        levels = topic.split("/")
        if "#" in levels[:-1] or any(len(level) > 1 and set(level) & {"#", "+"} for level in levels) or not topic:
            raise ValueError(f"{topic!r} is no topic filter: + stands for one whole level, # for all that follow")
    return topics


Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Count = Annotated[Whole, Field(ge=1)]
Seconds = Annotated[Number, Field(gt=0)]
Port = Annotated[Whole, Field(ge=1, le=65_535)]
Zone = Annotated[str, AfterValidator(_zone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
TopicFilters = Annotated[Words, AfterValidator(_topic_filters), Field(min_length=1)]
Tokens = Annotated[dict[str, SecretStr], AfterValidator(_long_tokens)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
InfluxVersion = Annotated[Literal["auto", "1", "2", "3"], BeforeValidator(_text_of_number)]
MqttVersion = Annotated[Literal[3, 5], BeforeValidator(_number_of_text)]


class Section(BaseModel):
    """A frozen group of settings that knows no others; the text below a field is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)


class DataSettings(Section):
    """Files that Odečet itself keeps."""

    folder: Path = Path("var")
    """Folder of the embedded stores and of resumable work; made where it is missing."""


class DuckDBSettings(Section):
    """The embedded store of readings: one file that belongs to one process."""

    path: Path | None = None
    """File of the store; without it, `readings.duckdb` in `data.folder`."""
    memory_limit_mb: Annotated[Whole, Field(ge=128)] = 2048
    """Most memory that the store takes [MB]; beyond it, it uses a folder beside its file."""
    threads: Count = 2
    """Threads of a query."""


class InfluxSettings(Section):
    """InfluxDB 1.x, 2.x or 3.x, that serves several processes and machines."""

    url: WebAddress = ""
    """Address of the server, such as http://127.0.0.1:8086."""
    api: InfluxVersion = "auto"
    """Major version that the server speaks; auto asks it."""
    bucket: str = ""
    """Bucket (2.x) or database (1.x, 3.x) of the readings."""
    org: str = ""
    """Organisation (2.x)."""
    token: SecretStr = SecretStr("")
    """Token that may read and write the bucket (2.x, 3.x)."""
    token_file: Path | None = None
    """File that holds the token, in place of `token`."""
    username: str = ""
    """User (1.x)."""
    password: SecretStr = SecretStr("")
    """Password of the user (1.x)."""
    password_file: Path | None = None
    """File that holds the password, in place of `password`."""
    gzip: bool = True
    """Compress what is written."""
    timeout_s: Seconds = 30.0
    """Longest wait for an answer [s]."""


class ReadingsSettings(Section):
    """Where readings and their roll-ups are kept."""

    store: Literal["duckdb", "influxdb"] = "duckdb"
    """Store of readings: duckdb is embedded and serves one process, influxdb serves many."""
    duckdb: DuckDBSettings = DuckDBSettings()
    """The embedded store."""
    influx: InfluxSettings = InfluxSettings()
    """The InfluxDB server."""


class RecordsSettings(Section):
    """Where the register, findings, dead letters and the audit trail are kept."""

    url: Annotated[str, AfterValidator(_record_address)] = ""
    """Address without a password, such as postgresql://odecet@db:5432/odecet; without it, SQLite in `data.folder`."""
    password: SecretStr = SecretStr("")
    """Password of the address's user."""
    password_file: Path | None = None
    """File that holds the password, in place of `password`."""


class TlsSettings(Section):
    """Encryption of the connection to the broker."""

    enabled: bool = False
    """Connect by TLS."""
    ca: Path | None = None
    """Certificates of the authorities to trust (PEM); without it, the system's."""
    cert: Path | None = None
    """Certificate by which Odečet makes itself known (PEM)."""
    key: Path | None = None
    """Key of that certificate (PEM)."""


class MqttSettings(Section):
    """The broker that meters publish to."""

    host: Name = "127.0.0.1"
    """Name or address of the broker; the embedded one listens here."""
    port: Port = 1883
    """Port of the broker; the embedded one listens here."""
    embedded: bool = False
    """Start a broker in this process, for trying out: it takes no password and keeps nothing over a restart."""
    client_id: Name = "odecet"
    """Name of the persistent session: one per topic partition; a standby has the same and takes over."""
    topics: TopicFilters = ("odecet/#",)
    """Topic filters that are subscribed at QoS 1."""
    username: str = ""
    """User at the broker."""
    password: SecretStr = SecretStr("")
    """Password of the user."""
    password_file: Path | None = None
    """File that holds the password, in place of `password`."""
    protocol: MqttVersion = 3
    """Version of MQTT: 3 (3.1.1) or 5."""
    session_expiry_s: Annotated[Whole, Field(ge=3600, le=4_294_967_295)] = 2_592_000
    """How long the broker keeps messages for us while we are away [s] (protocol 5; with 3 the broker's own limit)."""
    keepalive_s: Annotated[Whole, Field(ge=5, le=65_535)] = 30
    """Longest silence on the connection [s]."""
    tls: TlsSettings = TlsSettings()
    """Encryption."""


class IngestSettings(Section):
    """From messages to stored readings."""

    queue_messages: Annotated[Whole, Field(ge=1, le=65_535)] = 20_000
    """Most messages held un-acknowledged; the broker keeps the others. Not below the broker's in-flight limit."""
    queue_bytes: Annotated[Whole, Field(ge=1_048_576)] = 67_108_864
    """Most payload held un-acknowledged [bytes], exceeded by one message at the most."""
    batch_messages: Count = 10_000
    """Most messages that are stored together, and then acknowledged."""
    batch_ms: Count = 50
    """Longest wait of a message for others to be stored with [ms]."""
    max_payload_bytes: Annotated[Whole, Field(ge=1024)] = 1_048_576
    """Largest payload that is decoded [bytes]; a larger one becomes a dead letter, cut to this size."""
    future_tolerance_s: Annotated[Number, Field(ge=0)] = 3600.0
    """How far ahead of our clock a reading's instant may be [s]; one further ahead becomes a dead letter."""
    profiles_folder: Path | None = None
    """Folder of your own profiles (TOML); one with the name of a bundled profile takes its place."""
    profiles_off: Words = ()
    """Names of bundled profiles that are not used."""
    subscribe_profiles: bool = True
    """Whether the topics that profiles name are subscribed, beside mqtt.topics."""


class DiscoverySettings(Section):
    """Formats in which devices describe themselves; an empty setting switches one off."""

    home_assistant: str = "homeassistant"
    """Discovery prefix of Home Assistant."""
    zigbee2mqtt: Words = ("zigbee2mqtt",)
    """Base topics of Zigbee2MQTT."""
    homie: Words = ("homie",)
    """Base topics of Homie 3, 4 and 5."""


class CalendarSettings(Section):
    """Days, months and years."""

    zone: Zone = "Europe/Prague"
    """Time zone in which calendar periods begin and end."""

    def tz(self) -> ZoneInfo:
        """Return the time zone."""
        return named_zone(self.zone)


class TablesSettings(Section):
    """Dated tables of your own beside those that ship: they add rows and versions, and change none."""

    factors: Path | None = None
    """File of emission factors, gas conversions and supplies (as config/factors.toml)."""
    tariffs: Path | None = None
    """File of prices, contracts, connections and rules of reserved capacity (as config/tariffs.toml)."""
    populations: Path | None = None
    """File of inhabitants (as config/populations.toml)."""
    degree_days: Path | None = None
    """File of long-term degree days (as config/degree_days.toml)."""
    school_holidays: Path | None = None
    """File of school holidays (as config/school_holidays.toml), on which models know schools to be empty."""
    place: Name = "Liberecký kraj"
    """Place whose inhabitants emissions are divided by, as the populations name it."""


class HttpTlsSettings(Section):
    """Encryption of the pages and the API, where no proxy in front does it."""

    cert: Path | None = None
    """Certificate with its chain (PEM)."""
    key: Path | None = None
    """Key of that certificate (PEM)."""


class ApiSettings(Section):
    """The programming interface and the pages."""

    bind: Name = "127.0.0.1"
    """Address to listen on; 0.0.0.0 is every one."""
    port: Port = 8080
    """Port to listen on."""
    tokens: Tokens = Field(default_factory=dict)
    """Programs that may do everything: a name, which the audit trail shows, and its token of 16 characters or more."""
    tokens_file: Path | None = None
    """File with more tokens, each line `name=token`."""
    open_reading: bool = False
    """Whether strangers may look at everything, without a login or key; changes always need one."""
    proxies: Words = ()
    """Addresses of proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    tls: HttpTlsSettings = HttpTlsSettings()
    """Encryption."""
    title: Name = "Liberecký kraj"
    """Name of the region, at the head of the pages."""
    language: Literal["cs", "en"] = "cs"
    """Language of the pages where the browser asks for neither."""


class AccessSettings(Section):
    """Who comes in, and how long that holds."""

    open: bool = False
    """Whether whoever reaches the address may do everything without logging in: only on a loopback address."""
    password_shortest: Annotated[Whole, Field(ge=8, le=128)] = 10
    """Fewest characters of a password."""
    password_memory_kib: Annotated[Whole, Field(ge=8, le=4_194_304)] = 65_536
    """Memory that hashing a password takes (argon2id) [KiB]."""
    password_rounds: Annotated[Whole, Field(ge=1, le=100)] = 3
    """Rounds that hashing a password takes (argon2id)."""
    idle_hours: Annotated[Number, Field(gt=0, le=8_760)] = 12.0
    """After so long without a request somebody has to log in again [h]."""
    session_days: Annotated[Number, Field(gt=0, le=366)] = 14.0
    """After so long somebody has to log in again in any case [d]."""
    reset_minutes: Annotated[Whole, Field(ge=5, le=1_440)] = 30
    """So long the link of a mail to a new password holds [min]."""
    people_per_minute: Count = 1_200
    """Requests a minute of one person."""
    programs_per_minute: Count = 6_000
    """Requests a minute of one key."""
    strangers_per_minute: Count = 600
    """Requests a minute from one address without a login or key."""
    logins_per_minute: Count = 20
    """Tries to come in a minute from one address; failures are besides slowed down for each account and address."""


class OidcSettings(Section):
    """Somebody else's login (OpenID Connect); its button is on the login page where `issuer` is set."""

    issuer: WebAddress = ""
    """Address of the provider, as it stands in its tokens; /.well-known/openid-configuration is asked below it."""
    client: str = ""
    """What the provider knows us by."""
    secret: SecretStr = SecretStr("")
    """What proves to the provider that it is us; public clients have none."""
    secret_file: Path | None = None
    """File that holds the secret, in place of `secret`."""
    label: str = ""
    """What the button says; without it, the provider's name in the net."""
    scopes: Words = ("openid", "profile", "email")
    """What is asked for."""
    groups_claim: str = "groups"
    """Where the provider's token names the groups of a person."""
    roles: Words = ()
    """Roles by groups: group=role, or group=role@organisation; where one fits, they take the place of former roles."""
    admit: bool = False
    """Whether somebody who is not known here yet is added, where a rule of `roles` fits."""
    ca: Path | None = None
    """Certificates of the authorities to trust (PEM); without it, the usual ones."""


class WeatherSettings(Section):
    """Outdoor temperatures that somebody else's archive knows."""

    fetch: bool = False
    """Fetch, once a day, the temperatures of stations whose source is Open-Meteo's archive; needs the internet."""
    archive_url: WebAddress = "https://archive-api.open-meteo.com/v1/archive"
    """Address of the archive."""
    since_year: Annotated[Whole, Field(ge=1940, le=2100)] = 2021
    """First year that is fetched."""
    timeout_s: Seconds = 30.0
    """Longest wait for an answer [s]."""


class DetectorSettings(Section):
    """Detectors: how often points are looked at, and for how long at a time."""

    every_s: Annotated[Number, Field(ge=5, le=3600)] = 120.0
    """Rest between two looks at all points [s]: silence, leaks, stuck dials, and what a new day shows."""
    capacity_every_s: Annotated[Number, Field(ge=5, le=900)] = 30.0
    """Rest between two looks at the running quarter-hour of points with reserved capacity [s]."""
    learn_s: Annotated[Number, Field(gt=0, le=3600)] = 60.0
    """Longest time of one look for points that are learnt anew [s]; the others follow with the next."""


class WorkerSettings(Section):
    """Work by the clock."""

    rollup_every_s: Annotated[Number, Field(gt=0, le=60)] = 10.0
    """Rest between two looks for readings not yet rolled up [s]; late data must show within a minute."""


class BackupSettings(Section):
    """Backups that the worker makes by itself, while everything runs."""

    folder: Path | None = None
    """Folder that the backups go to, best on another disk; without it, none are made."""
    every_h: Annotated[Number, Field(gt=0, le=744)] = 24.0
    """How often one is made [h]."""
    keep: Count = 14
    """How many are kept; older ones of this folder are removed once a newer one is whole."""


class ReportSettings(Section):
    """Documents of the action plan."""

    templates: Path | None = None
    """Folder of your own Word templates; a file with the name of one that ships takes its place (docs/reports.md)."""


class OpenDataSettings(Section):
    """Open data: who publishes them, as the national catalogue wants to know it."""

    url: WebAddress = ""
    """Address of these pages as the public opens it, with https; without it, records hold the address of a request."""
    ico: Annotated[str, Field(pattern=r"^\d{8}$")] = "70891508"
    """Number (IČO) of the authority that publishes."""
    area: Annotated[str, Field(pattern=r"^[a-z]+/\d+$")] = "vusc/78"
    """Area that the data are of, as RÚIAN names it."""
    mail: str = ""
    """Address that answers questions about the data; without it, records name nobody."""
    headline: Words = ("E1", "E4", "E3", "W1", "W3", "G1", "G2", "R1")
    """Indicators at the head of the public page, in this order; the others follow in a table."""
    least_buildings: Annotated[Whole, Field(ge=3, le=50)] = 5
    """Kinds with fewer buildings are kept back from the export for comparison, so that none can be told."""


class MetricsSettings(Section):
    """Metrics at a port of their own: of processes that serve no API, or apart from it."""

    bind: Name = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[Whole, Field(ge=0, le=65_535)] = 0
    """Port to listen on for `/metrics`; 0 listens on none."""


class LogSettings(Section):
    """The log, written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important events that are written."""
    format: Literal["text", "json"] = "text"
    """One line an event, for people (text) or programs (json)."""
