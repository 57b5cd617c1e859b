"""Who may read and who may write: bearer tokens for programs, a signed cookie made from one for a page."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request

from api.problems import Refused
from api.rim import SAFE_METHODS, from_elsewhere

COOKIE: Final = "odecet_session"
COOKIE_LIFE: Final = timedelta(days=14)
ANYONE: Final = "anyone"


def holder(tokens: Mapping[str, str], given: str) -> str | None:
    """Return the name of who holds this token, None where nobody does; takes the same time either way."""
    found = None
    for name, secret in tokens.items():
        if hmac.compare_digest(secret.encode(), given.encode()):
            found = name
    return found


def _signature(secret: str, name: str, until: int) -> str:
    return hmac.new(secret.encode(), f"{name}|{until}".encode(), hashlib.sha256).hexdigest()


def cookie_for(name: str, secret: str, now: datetime) -> str:
    """Return a cookie that proves for two weeks that its bearer once showed this token."""
    until = int((now + COOKIE_LIFE).timestamp())
    return f"{name}|{until}|{_signature(secret, name, until)}"


def cookie_holder(tokens: Mapping[str, str], cookie: str, now: datetime) -> str | None:
    """Return whose cookie this is, None where it is forged, expired or its token is gone."""
    name, _, rest = cookie.partition("|")
    until, _, signature = rest.partition("|")
    if name not in tokens or not until.isdecimal():
        return None
    right = hmac.compare_digest(_signature(tokens[name], name, int(until)), signature)
    return name if right and now.timestamp() < int(until) else None


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page asks for."""
    if request.method not in SAFE_METHODS and from_elsewhere(request.headers):
        raise Refused(403, "This change was sent by a page of another site; open Odečet itself and repeat it.")


def program(request: Request, tokens: Mapping[str, str], *, open_reading: bool) -> str:
    """Return who calls the API; raise Refused where they may not."""
    check_origin(request)
    if not tokens:
        return ANYONE
    name = holder(tokens, bearer(request))
    if name is None and (request.method not in SAFE_METHODS or not open_reading):
        raise Refused(
            401,
            "This needs a token: send the header Authorization: Bearer TOKEN.",
            headers={"WWW-Authenticate": 'Bearer realm="Odecet"'},
        )
    return name or ANYONE
