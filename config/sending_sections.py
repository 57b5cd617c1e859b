"""The sections of alerts and of the ways by which they reach people: mail, webhooks."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from config.sections import Number, Port, Seconds, Section, WebAddress, Whole


class AlertSettings(Section):
    """Alerts: from which loss they are urgent, and how they are told."""

    medium_czk_per_day: Annotated[Number, Field(ge=0)] = 100.0
    """Loss from which an alert is of medium severity [Kč a day]."""
    high_czk_per_day: Annotated[Number, Field(ge=0)] = 1000.0
    """Loss from which an alert is of high severity [Kč a day]."""
    pages_url: WebAddress = ""
    """Address of these pages as people open it, for links in messages; without it, messages hold none."""
    send_every_s: Annotated[Number, Field(gt=0, le=3600)] = 15.0
    """Rest between two looks for messages that are due [s]."""
    digest_weekday: Annotated[Whole, Field(ge=0, le=6)] = 0
    """Weekday of the weekly digest: 0 Monday to 6 Sunday."""
    digest_hour: Annotated[Whole, Field(ge=0, le=23)] = 7
    """Hour of the weekly digest, by the calendar's zone."""
    mqtt: bool = False
    """Whether alerts may go to topics, at the broker of the meters."""
    mails_per_hour: Annotated[Whole, Field(ge=1, le=1000)] = 6
    """Mails to an address that go at once within an hour; further ones wait and go together."""
    mail_pause_min: Annotated[Number, Field(ge=1, le=60)] = 10.0
    """Pause between mails to an address beyond those [min]; what comes meanwhile goes in one."""
    calls_per_minute: Annotated[Whole, Field(ge=1, le=10_000)] = 120
    """Messages a minute to a webhook or a topic; further ones wait for their turn."""


class MailSettings(Section):
    """The server that takes our e-mail."""

    host: str = ""
    """Name or address of the server; without it, no e-mail is sent."""
    port: Port = 587
    """Port of the server."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """Encryption: starttls (port 587), tls from the first byte (port 465), or none, for a server on this machine."""
    ca: Path | None = None
    """Certificates of the authorities to trust (PEM); without it, the system's."""
    username: str = ""
    """User at the server."""
    password: SecretStr = SecretStr("")
    """Password of the user."""
    password_file: Path | None = None
    """File that holds the password, in place of `password`."""
    sender: str = ""
    """Address that our e-mail comes from."""
    timeout_s: Seconds = 30.0
    """Longest wait for an answer [s]; the end of a message is waited for 10 minutes."""


class WebhookSettings(Section):
    """Alerts posted to programs of others."""

    secret: SecretStr = SecretStr("")
    """Secret by which receivers know that it was us (HMAC-SHA256); without it, webhooks are not signed."""
    secret_file: Path | None = None
    """File that holds the secret, in place of `secret`."""
    timeout_s: Seconds = 30.0
    """Longest wait for an answer [s]."""
