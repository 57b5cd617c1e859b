"""A real SMTP server that refuses, delays, encrypts or goes away as a test asks."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.process import free_port


@dataclass
class Mailbox:
    """What arrived, and how the server is to answer."""

    arrived: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    to_rcpt: str = ""
    to_data: str = ""
    delay_s: float = 0.0
    closing: bool = False
    on_data: Callable[[], None] | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002 - same
        session: Session,  # noqa: ARG002 - same
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002 - same
    ) -> str:
        if self.to_rcpt:
            return self.to_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - same
        if self.on_data is not None:
            self.on_data()
        await asyncio.sleep(self.delay_s)
        if self.closing:
            assert server.transport is not None
            server.transport.close()
            return "421 closing"
        if self.to_data:
            return self.to_data
        assert isinstance(envelope.content, bytes)
        self.arrived.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        self.receivers += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None)
        return "250 accepted"


class MailServer:
    """aiosmtpd on a free port of 127.0.0.1."""

    def __init__(self, mailbox: Mailbox, *, tls: ssl.SSLContext | None = None, password: str = "") -> None:
        self.mailbox = mailbox
        self.port = free_port()
        self._tls = tls
        self._password = password
        self._controller: Controller | None = None
        self._lock = threading.Lock()

    def _authenticate(
        self, _server: object, _session: object, _envelope: object, _how: str, data: object
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password.decode() == self._password
        return AuthResult(success=right, handled=False)

    def start(self) -> None:
        options: dict[str, object] = {}
        if self._tls is not None:
            options |= {"tls_context": self._tls, "require_starttls": True}
        if self._password:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        self._controller = Controller(self.mailbox, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
