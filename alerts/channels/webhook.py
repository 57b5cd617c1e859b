"""Webhooks: alerts as JSON to a program, signed with a secret that both sides know.

The header `Odecet-Signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256 of `SECONDS.BODY`; a receiver compares it and
refuses old seconds. `Idempotency-Key` is the same however often a message comes.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

import httpx

from core.ports import Clock
from core.sending import Attachment, Outgoing, Sent

SIGNATURE: Final = "Odecet-Signature"
KEY: Final = "Idempotency-Key"
PASSING: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
SAID_OF_ANSWER: Final = 200


class WebhookChannel:
    """Posts to web addresses. A receiver knows a message again by its key, so one of unknown fate is sent again."""

    repeatable = True

    def __init__(self, secret: str, *, clock: Clock, timeout_s: float = 30.0) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._timeout_s = timeout_s

    def send(self, message: Outgoing, attachments: Sequence[Attachment], begin: Callable[[], None]) -> Sent:  # noqa: ARG002 - the port's signature; programs ask the API for charts
        """Post a message; redirects are not followed, for the signature is for one address."""
        body = body_of(message)
        headers = {"Content-Type": "application/json", "User-Agent": "Odecet", KEY: message.key}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body, int(self._clock().timestamp()))
        begin()
        try:
            with httpx.Client(timeout=self._timeout_s, follow_redirects=False, trust_env=False) as client:
                answer = client.post(message.address, content=body, headers=headers)
        except httpx.InvalidURL as err:
            return Sent(error=f"{message.address} is no web address: {err}")
        except httpx.HTTPError as err:
            return Sent(recoverable=True, error=f"{type(err).__name__}: {err}")
        if answer.is_success:
            return Sent()
        passing = answer.is_server_error or answer.status_code in PASSING
        return Sent(recoverable=passing, error=f"{answer.status_code} {answer.text[:SAID_OF_ANSWER]}".strip())


def body_of(message: Outgoing) -> bytes:
    """Return the bytes that are signed and posted."""
    document = {"id": message.key, "created": message.created.isoformat(), "payload": message.content.get("payload")}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def signature(secret: bytes, body: bytes, seconds: int) -> str:
    """Return what the signature's header says of a body at an instant [s since 1970]."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
