"""Which broker is spoken to, and as whom."""

import ssl
from dataclasses import dataclass, field

from core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files of an encrypted connection (PEM): the broker's authority (empty: the system's), our certificate and key."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def context(self) -> ssl.SSLContext:
        """Return the context; raise OSError where a file cannot be read."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file or None)
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Which broker, and as whom. The client id names the session that the broker keeps: one ingester at a time.

    `follows` is whether topics that come later are subscribed too. `former_topics` are unsubscribed: a persistent
    session keeps filters that are not asked for any more. With `v5` the session expires after `session_expiry_s`, and
    the broker sends at most `receive_maximum` ahead.
    """

    host: str
    port: int = 1883
    client_id: str = "odecet-ingest"
    topics: tuple[str, ...] = ("odecet/#",)
    former_topics: tuple[str, ...] = ()
    follows: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Tls | None = None
    keepalive_s: int = 60
    v5: bool = False
    session_expiry_s: int = 30 * 86400
    receive_maximum: int = 10_000

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ConfigError("the MQTT client id is empty: a persistent session needs one")
        for topic in self.topics:
            levels = topic.split("/")
            if not topic or "#" in "".join(levels[:-1]) or any(len(x) > 1 and set(x) & {"+", "#"} for x in levels):
                raise ConfigError(f"{topic!r} is no MQTT topic filter: write one such as odecet/#")
