"""Settings of one process: read from a TOML file and the environment, checked, frozen.

The file is the one named on the command line, else by ODECET_CONFIG, else `odecet.toml` in the working folder
where there is one. A variable ODECET_SECTION__KEY outdoes the file; an empty one counts as not set. Relative
paths are relative to the working folder. Whatever is wrong is told at once, each with its place and remedy.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from config.delivery_sections import DeliverySettings
from config.describe import Row, closest, describe, environment_name
from config.sections import (
    AccessSettings,
    ApiSettings,
    BackupSettings,
    CalendarSettings,
    DataSettings,
    DetectorSettings,
    DiscoverySettings,
    IngestSettings,
    LogSettings,
    MetricsSettings,
    MqttSettings,
    OidcSettings,
    OpenDataSettings,
    ReadingsSettings,
    RecordsSettings,
    ReportSettings,
    Section,
    TablesSettings,
    WeatherSettings,
    WorkerSettings,
)
from config.sending_sections import AlertSettings, MailSettings, WebhookSettings
from core.errors import ConfigError

FILE_NAME: Final = "odecet.toml"
PREFIX: Final = "ODECET_"
FILE_VARIABLE: Final = "ODECET_CONFIG"
TEST_PREFIX: Final = "ODECET_TEST_"
"""Variables of the test suite; they are no settings."""

Tree = dict[str, object]


class Settings(Section):
    """Everything that an operator may set."""

    data: DataSettings = DataSettings()
    """Files that Odečet itself keeps."""
    readings: ReadingsSettings = ReadingsSettings()
    """Where readings and their roll-ups are kept."""
    records: RecordsSettings = RecordsSettings()
    """Where the register, findings, dead letters and the audit trail are kept."""
    mqtt: MqttSettings = MqttSettings()
    """The broker that meters publish to."""
    ingest: IngestSettings = IngestSettings()
    """From messages to stored readings."""
    discovery: DiscoverySettings = DiscoverySettings()
    """Formats in which devices describe themselves."""
    calendar: CalendarSettings = CalendarSettings()
    """Days, months and years."""
    tables: TablesSettings = TablesSettings()
    """Emission factors, prices, populations and normals of your own."""
    api: ApiSettings = ApiSettings()
    """The programming interface and the pages."""
    access: AccessSettings = AccessSettings()
    """Who comes in, and how long that holds."""
    oidc: OidcSettings = OidcSettings()
    """Somebody else's login (OpenID Connect)."""
    weather: WeatherSettings = WeatherSettings()
    """Outdoor temperatures that somebody else's archive knows."""
    alerts: AlertSettings = AlertSettings()
    """Alerts: from which loss they are urgent, and how they are told."""
    mail: MailSettings = MailSettings()
    """The server that takes our e-mail."""
    webhook: WebhookSettings = WebhookSettings()
    """Alerts posted to programs of others."""
    detectors: DetectorSettings = DetectorSettings()
    """How often points are looked at."""
    worker: WorkerSettings = WorkerSettings()
    """Work by the clock."""
    backup: BackupSettings = BackupSettings()
    """Backups that the worker makes by itself, while everything runs."""
    deliveries: DeliverySettings = DeliverySettings()
    """Until when guarantors deliver their parts of reports, and when they are reminded."""
    reports: ReportSettings = ReportSettings()
    """Documents of the action plan."""
    open_data: OpenDataSettings = OpenDataSettings()
    """Open data: who publishes them, as the national catalogue wants to know it."""
    metrics: MetricsSettings = MetricsSettings()
    """Metrics at a port of their own: of processes that serve no API, or apart from it."""
    log: LogSettings = LogSettings()
    """The log, written to standard error."""

    def duckdb_path(self) -> Path:
        """Return the file of the embedded store of readings."""
        return self.readings.duckdb.path or self.data.folder / "readings.duckdb"

    def records_url(self) -> str:
        """Return the address of the record store with its password in it: not to be shown."""
        url = self.records.url or f"sqlite:///{self.data.folder / 'records.sqlite'}"
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        secret = self.records.password.get_secret_value()
        return url.replace("@", f":{quote(secret, safe='')}@", 1) if secret else url

    def shown(self) -> list[tuple[str, str]]:
        """Return the path and value of every setting, secrets hidden."""
        return [(row.path, _shown(self.at(row.path))) for row in describe(Settings)]

    def at(self, path: str) -> object:
        """Return the value of the setting of a path such as mqtt.tls.ca."""
        value: object = self
        for name in path.split("."):
            value = getattr(value, name)
        return value


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(value)
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A setting that is wrong: its path, what is wrong, what to do."""

    path: str
    problem: str
    remedy: str


@dataclass(slots=True)
class _Source:
    """What file and environment say, and which of them says it."""

    file: Path | None
    tree: Tree = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: str) -> str:
        """Return where a setting is written, or would be."""
        if path in self.variables or self.file is None:
            return f"environment {self.variables.get(path) or environment_name(path)}"
        return f"{self.file}: {path}"

    def value(self, path: str) -> object:
        """Return what is written at a path, None where nothing is."""
        node: object = self.tree
        for name in path.split("."):
            node = node.get(name) if isinstance(node, dict) else None
        return node

    def put(self, path: str, value: object) -> None:
        """Write a value at a path."""
        *above, name = path.split(".")
        node = self.tree
        for step in above:
            below = node.get(step)
            if not isinstance(below, dict):
                below = node[step] = {}
            node = below
        node[name] = value

    def refuse(self, path: str, problem: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(path=path, problem=problem, remedy=remedy))

    def refusal(self) -> ConfigError:
        """Return the error of all problems noted, one a line."""
        lines = dict.fromkeys(f"{self.place(p.path)}: {p.problem}; {p.remedy}" for p in self.problems)
        return ConfigError("\n".join(lines))

    def check(self) -> None:
        """Raise if a problem was noted."""
        if self.problems:
            raise self.refusal()


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file and an environment (None: of the process); raise ConfigError."""
    variables = os.environ if environ is None else environ
    file = _file(path, variables)
    source = _Source(file=file, tree=_read_toml(file) if file else {})
    rows = describe(Settings)
    _take_variables(source, variables, {row.path: row for row in rows})
    _take_secret_files(source, rows)
    source.check()
    try:
        settings = Settings.model_validate(source.tree)
    except ValidationError as err:
        _note_invalid(source, err, rows)
        raise source.refusal() from err
    _cross_check(source, settings)
    source.check()
    return settings


def _file(path: Path | None, variables: Mapping[str, str]) -> Path | None:
    named = path or (Path(variables[FILE_VARIABLE]) if variables.get(FILE_VARIABLE) else None)
    if named is None:
        return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None
    if not named.is_file():
        teller = "--config" if path else f"environment {FILE_VARIABLE}"
        raise ConfigError(f"{teller}: there is no file {named}; name one that exists, or none")
    return named


def _read_toml(file: Path) -> Tree:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{file}: {err}; write it as TOML, see config/odecet.example.toml") from err
    except UnicodeDecodeError as err:
        raise ConfigError(f"{file}: byte {err.start} is no UTF-8; save the file as UTF-8") from err
    except OSError as err:
        raise ConfigError(f"{file}: {err.strerror}; let Odečet's user read it") from err


def _take_variables(source: _Source, variables: Mapping[str, str], rows: Mapping[str, Row]) -> None:
    """Put what the environment says over what the file says."""
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE or variable.startswith(TEST_PREFIX):
            continue
        path = variable.removeprefix(PREFIX).lower().replace("__", ".")
        source.variables[path] = variable
        if path not in rows and not path.startswith("api.tokens."):
            near = closest(path, rows)
            source.refuse(path, "there is no such setting", f"did you mean {environment_name(near)}?")
        elif text:
            source.put(path, text)


def _take_secret_files(source: _Source, rows: tuple[Row, ...]) -> None:
    """Put the content of each `..._file` in the place of the secret that it holds."""
    for row in rows:
        path, name = row.path, source.value(row.path)
        if not path.endswith("_file") or not isinstance(name, str) or not name:
            continue
        secret = path.removesuffix("_file")
        text = _secret_text(source, path, Path(name))
        if path == "api.tokens_file":
            _take_tokens(source, path, text)
        elif source.value(secret):
            source.refuse(path, f"{secret} is set too", "keep one of them")
        elif text:
            source.put(secret, text)


def _secret_text(source: _Source, path: str, file: Path) -> str:
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, ValueError) as err:
        source.refuse(path, f"{str(file)!r} cannot be read ({err})", "name a text file that Odečet's user may read")
        return ""
    if not text:
        source.refuse(path, f"{str(file)!r} is empty", "write the secret into it")
    return text


def _take_tokens(source: _Source, path: str, text: str) -> None:
    given = source.value("api.tokens")
    tokens = dict(given) if isinstance(given, dict) else {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, token = (part.strip() for part in line.partition("="))
        if not line.strip() or line.startswith("#"):
            continue
        if not (name and equals and token):
            source.refuse(path, f"line {number} is not understood", "write name=token")
        elif name in tokens:
            source.refuse(path, f"line {number} names {name} again", "give each token a name of its own")
        else:
            tokens[name] = token
    if tokens:
        source.put("api.tokens", tokens)


def _note_invalid(source: _Source, err: ValidationError, rows: tuple[Row, ...]) -> None:
    """Note each of pydantic's errors in our words; a secret's value is never told."""
    known = {row.path: row for row in rows}
    for error in err.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            source.refuse(path, "there is no such setting", f"did you mean {closest(path, known)}?")
            continue
        row = _row_of(path, known)
        message = error["msg"].removeprefix("Value error, ")
        plain = error["type"] == "value_error" or (row is not None and row.secret)
        told = "" if plain else f"{error['input']!r} cannot be: "
        source.refuse(path, f"{told}{message[:1].lower()}{message[1:]}", row.remedy if row else "write it as a table")


def _row_of(path: str, known: Mapping[str, Row]) -> Row | None:
    """Return the row of a setting, also for a place inside its list or table."""
    while path and path not in known:
        path = path.rpartition(".")[0]
    return known.get(path)


def _cross_check(source: _Source, settings: Settings) -> None:
    """Note what each setting alone allows and all together do not."""
    if settings.readings.store == "influxdb":
        _check_influx(source, settings)
    _check_records(source, settings)
    _check_broker(source, settings)
    _check_tls(source, settings)
    _check_mail(source, settings)
    _check_told(source, settings)
    _check_access(source, settings)
    ingest = settings.ingest
    if ingest.batch_messages > ingest.queue_messages:
        limit = f"write at most ingest.queue_messages ({ingest.queue_messages})"
        source.refuse("ingest.batch_messages", f"{ingest.batch_messages} messages are more than the queue holds", limit)


def _check_access(source: _Source, settings: Settings) -> None:
    api, oidc = settings.api, settings.oidc
    if settings.access.open and not _is_loopback(api.bind):
        source.refuse("access.open", f"everybody at {api.bind} could change everything", "write false, or api.bind")
    if settings.access.open and api.proxies:
        source.refuse("access.open", "a proxy would let everybody change everything", "write false")
    for name, file in (("api.tls.cert", api.tls.cert), ("api.tls.key", api.tls.key), ("oidc.ca", oidc.ca)):
        if file is not None and not file.is_file():
            source.refuse(name, f"there is no file {str(file)!r}", "name the PEM file")
    if (api.tls.cert is None) != (api.tls.key is None):
        missing = "cert" if api.tls.cert is None else "key"
        source.refuse(f"api.tls.{missing}", "certificate and key go together", "name both, or neither")
    if oidc.issuer and not oidc.client:
        source.refuse("oidc.client", "oidc.issuer is set, and this is not", "write what the provider knows us by")
    if oidc.issuer and not settings.alerts.pages_url and not _is_loopback(api.bind):
        source.refuse("alerts.pages_url", "the provider leads people back to it", "write the address of these pages")


def _is_loopback(address: str) -> bool:
    return address in {"localhost", "::1"} or address.startswith("127.")


def _check_influx(source: _Source, settings: Settings) -> None:
    influx = settings.readings.influx
    needs = {"url": "write the server's address", "bucket": "name the bucket or database"}
    if influx.api == "2":
        needs |= {"org": "name the organisation"}
    for name, remedy in needs.items():
        if not getattr(influx, name):
            source.refuse(f"readings.influx.{name}", "readings.store is influxdb, and this is not set", remedy)
    if influx.token.get_secret_value() and influx.password.get_secret_value():
        source.refuse("readings.influx.token", "a password is set too", "keep the one that the server's version knows")


def _check_records(source: _Source, settings: Settings) -> None:
    url, secret = settings.records.url, settings.records.password.get_secret_value()
    if not url:
        if secret:
            source.refuse("records.password", "there is no address that it belongs to", "set records.url")
        return
    try:
        parts = urlsplit(url)
        told, user, _ = parts.password, parts.username, parts.port
    except ValueError as err:
        source.refuse("records.url", str(err), "write it as postgresql://user@host:5432/database")
        return
    if told is not None:
        source.refuse("records.url", "it holds a password, which would be shown", "move it to records.password")
    elif secret and not user:
        source.refuse("records.password", "the address in records.url names no user", "write it as user@host")


def _check_broker(source: _Source, settings: Settings) -> None:
    mqtt = settings.mqtt
    if not mqtt.embedded:
        return
    if not _is_loopback(mqtt.host):
        source.refuse("mqtt.host", f"the embedded broker would be open to all at {mqtt.host}", "write 127.0.0.1")
    if mqtt.protocol != 3:  # noqa: PLR2004 - a version, named by its number
        source.refuse("mqtt.protocol", "the embedded broker speaks MQTT 3.1.1 alone", "write 3")
    if mqtt.tls.enabled:
        source.refuse("mqtt.tls.enabled", "the embedded broker does not encrypt", "write false, or use Mosquitto")
    if mqtt.username:
        source.refuse("mqtt.username", "the embedded broker knows no users", "leave it out, or use Mosquitto")


def _check_mail(source: _Source, settings: Settings) -> None:
    mail, alerts = settings.mail, settings.alerts
    if mail.host and "@" not in mail.sender.strip("@"):
        source.refuse("mail.sender", "mail.host is set, and this is no address", "write it as odecet@example.cz")
    if mail.ca is not None and not mail.ca.is_file():
        source.refuse("mail.ca", f"there is no file {str(mail.ca)!r}", "name the PEM file")
    if mail.username and mail.security == "none" and not _is_loopback(mail.host):
        source.refuse("mail.security", "the password would be sent unencrypted", "write starttls or tls")
    if alerts.medium_czk_per_day > alerts.high_czk_per_day:
        limit = f"write at least alerts.medium_czk_per_day ({alerts.medium_czk_per_day})"
        source.refuse("alerts.high_czk_per_day", "it is below the limit of medium severity", limit)


def _check_told(source: _Source, settings: Settings) -> None:
    templates, mail = settings.reports.templates, settings.open_data.mail
    if templates is not None and not templates.is_dir():
        source.refuse(
            "reports.templates", f"there is no folder {str(templates)!r}", "name the folder of your templates"
        )
    if mail and "@" not in mail.strip("@"):
        source.refuse("open_data.mail", f"{mail!r} is no address", "write it as data@example.cz")


def _check_tls(source: _Source, settings: Settings) -> None:
    tls = settings.mqtt.tls
    for name in ("ca", "cert", "key"):
        file: Path | None = getattr(tls, name)
        if file is not None and not file.is_file():
            source.refuse(f"mqtt.tls.{name}", f"there is no file {str(file)!r}", "name the PEM file")
        elif file is not None and not tls.enabled:
            source.refuse(f"mqtt.tls.{name}", "it has no effect while mqtt.tls.enabled is false", "write true there")
    if (tls.cert is None) != (tls.key is None):
        missing = "cert" if tls.cert is None else "key"
        source.refuse(f"mqtt.tls.{missing}", "certificate and key go together", "name both, or neither")
