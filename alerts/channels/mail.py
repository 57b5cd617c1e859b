"""E-mail over SMTP (RFC 5321) with TLS: text, HTML and attachments, one message to one address."""

import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import Final, Literal

from alerts.wording import chart_place
from core.sending import Attachment, Outgoing, Sent

DATA_PATIENCE_S: Final = 600.0
"""Wait for the answer to a message's end [s]: RFC 5321 (4.5.3.2.6) asks for 10 minutes, so that none is doubled."""
MESSAGE_ID: Final = "Odecet-Key"
YES: Final = 2
"""The hundreds of an answer that agrees."""
_PASSING: Final = range(400, 500)

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes mail, and who we are to it. `ca_file` names authorities to trust (empty: the system's)."""

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_s: float = 30.0


class MailChannel:
    """Sends mail. A mail server does not know a message again, so one of unknown fate is not sent a second time."""

    repeatable = False

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def send(self, message: Outgoing, attachments: Sequence[Attachment], begin: Callable[[], None]) -> Sent:
        """Send a message; its point of no return is the end of its data."""
        try:
            written = written_mail(message, attachments, self._server.sender).as_bytes(policy=SMTP)
        except (MessageError, ValueError, UnicodeError) as err:
            return Sent(error=f"the mail cannot be written: {err}")
        try:
            with self._session() as session:
                _address(session, self._server.sender, message.address)
                begin()
                return _data(session, written)
        except _ReceiverRefusedError as err:
            return _refused(err.smtp_code, err.smtp_error)
        except (OSError, smtplib.SMTPException) as err:  # before the data: nothing went out
            return Sent(recoverable=True, error=f"{self._server.host}: {err}")

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        session = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=self._tls())
            if server.security == "tls"
            else smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
        )
        try:
            session.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                session.starttls(context=self._tls())
            if server.username:
                _log_in(session, server)
            yield session
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the message's fate is known already
                session.quit()
            session.close()

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file or None)


class _ReceiverRefusedError(smtplib.SMTPResponseException):
    """The server refuses this one address; whatever else it refuses, the operator may mend."""


def _log_in(session: smtplib.SMTP, server: MailServer) -> None:
    try:
        session.login(server.username, server.password)
    except smtplib.SMTPAuthenticationError as err:
        # The operator can mend a password, and the messages are still to go out then.
        raise smtplib.SMTPException(f"it refuses our password: {_plain(err.smtp_error)}") from err


def _address(session: smtplib.SMTP, sender: str, receiver: str) -> None:
    session.ehlo_or_helo_if_needed()
    code, answer = session.mail(sender)
    if code // 100 != YES:
        raise smtplib.SMTPException(f"it refuses our sender {sender}: {code} {_plain(answer)}")
    code, answer = session.rcpt(receiver)
    if code // 100 != YES:
        raise _ReceiverRefusedError(code, answer)


def _data(session: smtplib.SMTP, written: bytes) -> Sent:
    if session.sock is not None:
        session.sock.settimeout(DATA_PATIENCE_S)
    try:
        code, answer = session.data(written)
    except smtplib.SMTPDataError as err:  # the word DATA itself was refused
        return _refused(err.smtp_code, err.smtp_error)
    except (OSError, smtplib.SMTPException) as err:
        return Sent(uncertain=True, error=f"it broke off while the message went out: {err}")
    return Sent() if code // 100 == YES else _refused(code, answer)


def _refused(code: int, answer: bytes | str) -> Sent:
    return Sent(recoverable=code in _PASSING or code < 0, error=f"{code} {_plain(answer)}")


def _plain(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:300]


def written_mail(message: Outgoing, attachments: Sequence[Attachment], sender: str) -> EmailMessage:
    """Return the mail of a message: the same key gives the same Message-ID, whenever it is written."""
    content = message.content
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Odečet", addr_spec=sender)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = " ".join(str(content["subject"]).split())
    mail["Date"] = format_datetime(message.created.astimezone(UTC))
    mail["Message-ID"] = f"<{message.key}@{sender.rpartition('@')[2]}>"
    mail[MESSAGE_ID] = message.key
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to us
    mail.set_content(str(content["text"]))
    shown = [file for file in attachments if file.place and chart_place(file.place) in str(content.get("html", ""))]
    if content.get("html"):
        _add_page(mail, message, shown)
    for file in attachments:
        if file not in shown:
            kind, _, subtype = file.kind.partition("/")
            mail.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    return mail


def _add_page(mail: EmailMessage, message: Outgoing, pictures: Sequence[Attachment]) -> None:
    """Add the text as a page with its pictures inside, each known by an id of its own (RFC 2392)."""
    html = str(message.content["html"])
    ids = {
        file.place: f"{file.place}@{message.key[:16]}" for file in pictures
    }  # short: no mail program has to unfold it
    for file in pictures:
        picture = f'<img src="cid:{ids[file.place]}" alt="{escape(file.text)}" width="600" style="{_PICTURE}">'
        html = html.replace(chart_place(file.place), picture)
    mail.add_alternative(_PAGE.format(language=message.content.get("language", "cs"), body=html), subtype="html")
    page = mail.get_payload()[-1]  # type: ignore[index]  # an alternative has parts
    for file in pictures:
        kind, _, subtype = file.kind.partition("/")
        page.add_related(  # type: ignore[union-attr]  # a message too
            file.content, kind, subtype, cid=f"<{ids[file.place]}>", filename=file.name, disposition="inline"
        )


_PICTURE: Final = "display:block;width:100%;max-width:600px;height:auto;margin:12px 0"
_PAGE: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    '<body style="margin:0;padding:16px;background:#f5f7f7;color:#1f2d36;'
    'font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif">'
    '<div style="max-width:680px;margin:0 auto">{body}</div></body></html>'
)
