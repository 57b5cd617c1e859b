"""The rim of every request: its name, its measure, the headers that protect a browser, and the origin check."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("api.access")

LARGEST_BODY: Final = 20 * 1024 * 1024
LARGEST_FILE: Final = 100 * 1024 * 1024
LARGEST_OF_STRANGERS: Final = 256 * 1024
"""Who shows neither key nor cookie has only forms to send."""
LONGEST_SILENCE_S: Final = 30.0
"""So long the next piece of a body is waited for."""
FILE_PATHS: Final = ("/api/v1/imports/", "/imports")
"""Where tables of readings come in: a year of quarter-hours of a hundred meters is 30 MB of CSV."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PROTECTION: Final[Mapping[str, str]] = {
    # Vega compiles expressions to syntax trees (`ast`), so no script is ever evaluated from text.
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
TO_HTTPS: Final = "max-age=31536000"
"""A browser that came by HTTPS once comes by nothing else for a year."""
_NAME: Final = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class Measures:
    """Counts and times of requests by route template, never by path: a path would make a series each."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "odecet_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "odecet_http_request_seconds",
            "Time to answer an HTTP request [s].",
            ["route"],
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10),
        )

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answered request."""
        route = getattr(scope.get("route"), "path", "unmatched")
        self.requests.labels(scope["method"], route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


class Rim:
    """Names, measures and logs each request, bounds its body, and adds the protecting headers to its answer.

    Where access is open to all, nobody is a stranger.
    """

    def __init__(self, app: ASGIApp, measures: Measures, *, open_to_all: bool = False) -> None:
        self.app = app
        self.measures = measures
        self.open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_name(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = name
        begun, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                protect(MutableHeaders(scope=message), name, https=scope["scheme"] == "https")
            await send(message)

        try:
            await self.app(scope, bounded(receive, self._most(scope)), sending)
        finally:
            self._note(scope, name, status, time.monotonic() - begun)

    def _most(self, scope: Scope) -> int:
        """Return how large the body of a request may be."""
        shown = Headers(scope=scope)
        if not (self.open_to_all or "authorization" in shown or "cookie" in shown):
            return LARGEST_OF_STRANGERS
        return LARGEST_FILE if scope["path"].startswith(FILE_PATHS) else LARGEST_BODY

    def _note(self, scope: Scope, name: str, status: int, seconds: float) -> None:
        self.measures.note(scope, status, seconds)
        log.info(
            "request answered",
            extra={
                "request_id": name,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "seconds": round(seconds, 4),
            },
        )


def bounded(receive: Receive, most: int) -> Receive:
    """Return a receiver that refuses, while it reads, a body of more than `most` bytes, or one that does not come."""
    taken, whole = 0, False

    async def receiving() -> Message:
        nonlocal taken, whole
        if whole:  # what is waited for now is that the other side leaves
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), LONGEST_SILENCE_S)
        except TimeoutError as err:
            raise HTTPException(408, "The body did not come; send it again.") from err
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > most:
            raise HTTPException(413, f"The body is larger than {most // 1024} kB; send it in parts.")
        return message

    return receiving


def request_name(given: str) -> str:
    """Return the name a proxy gave to the request, or a new one where it gave none fit for a log."""
    return given if _NAME.match(given) else str(uuid.uuid4())


def protect(headers: MutableHeaders, name: str, *, https: bool = False) -> None:
    """Add what keeps a browser from being used against its person."""
    headers["X-Request-Id"] = name
    if https:
        headers.setdefault("Strict-Transport-Security", TO_HTTPS)
    for key, value in PROTECTION.items():
        headers.setdefault(key, value)


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Return whether a browser sends this request on behalf of another site.

    Browsers tell it by Sec-Fetch-Site, older ones by Origin; programs send neither and carry no cookie of a person.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
