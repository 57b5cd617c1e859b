"""Alerts put together from the settings: the acts, the channels that are set up, and the work that sends."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from alerts.bounds import PEOPLE, PROGRAMS, Bound
from alerts.channels.mail import MailChannel, MailServer
from alerts.channels.mqtt import Broker, MqttChannel
from alerts.channels.webhook import WebhookChannel
from alerts.dispatch import Dispatcher
from alerts.grouping import LossLimits
from app.clock import now
from app.recurring import Stopped
from config.settings import Settings
from core.ports import RecordStore
from core.sending import Channel, ChannelKind
from services.alert_charts import Charts
from services.alerts import Alerts, Policy


def alert_acts(settings: Settings, records: RecordStore) -> Alerts:
    """Return the acts on alerts."""
    alerts = settings.alerts
    policy = Policy(
        limits=LossLimits(medium_czk_per_day=alerts.medium_czk_per_day, high_czk_per_day=alerts.high_czk_per_day),
        address=alerts.pages_url,
        zone=settings.calendar.tz(),
        digest_weekday=alerts.digest_weekday,
        digest_hour=alerts.digest_hour,
        channels=frozenset(channels(settings)),
    )
    return Alerts(records, policy)


def channels(settings: Settings) -> dict[ChannelKind, Channel]:
    """Return the ways out that are set up: webhooks always, mail and topics where there is a server for them."""
    webhook = settings.webhook
    ways: dict[ChannelKind, Channel] = {
        ChannelKind.WEBHOOK: WebhookChannel(webhook.secret.get_secret_value(), clock=now, timeout_s=webhook.timeout_s)
    }
    if settings.mail.host:
        ways[ChannelKind.MAIL] = MailChannel(_mail_server(settings))
    if settings.alerts.mqtt:
        ways[ChannelKind.MQTT] = MqttChannel(_broker(settings))
    return ways


def bounds(settings: Settings) -> dict[ChannelKind, Bound]:
    """Return how many messages an address gets."""
    alerts, pause = settings.alerts, timedelta(minutes=settings.alerts.mail_pause_min)
    programs = replace(PROGRAMS, most=alerts.calls_per_minute)
    return {
        ChannelKind.MAIL: replace(PEOPLE, most=alerts.mails_per_hour, pause=pause),
        ChannelKind.WEBHOOK: programs,
        ChannelKind.MQTT: programs,
    }


def _mail_server(settings: Settings) -> MailServer:
    mail = settings.mail
    return MailServer(
        host=mail.host,
        sender=mail.sender,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=mail.password.get_secret_value(),
        ca_file="" if mail.ca is None else str(mail.ca),
        timeout_s=mail.timeout_s,
    )


def _broker(settings: Settings) -> Broker:
    mqtt = settings.mqtt
    return Broker(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=mqtt.password.get_secret_value(),
        tls=mqtt.tls.enabled,
        ca_file="" if mqtt.tls.ca is None else str(mqtt.tls.ca),
        cert_file="" if mqtt.tls.cert is None else str(mqtt.tls.cert),
        key_file="" if mqtt.tls.key is None else str(mqtt.tls.key),
    )


class Sending:
    """The work of alerts by the clock: rests that end, the digest, and what the outbox holds."""

    def __init__(self, settings: Settings, records: RecordStore) -> None:
        self._acts = alert_acts(settings, records)
        charts = Charts(records.alert, zone=settings.calendar.tz())
        self._dispatcher = Dispatcher(
            records, channels(settings), name=uuid4().hex, clock=now, attach=charts, bounds=bounds(settings)
        )

    def run(self, stopped: Stopped) -> None:
        """Do what is due now."""
        self._acts.tick(now())
        self._dispatcher.run(stopped)
