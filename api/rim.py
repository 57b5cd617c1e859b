"""The rim of every request: its name, its measure, the headers that protect a browser, and the origin check."""

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
}
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
    """Names, measures and logs each request, and adds the protecting headers to its answer."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

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
                protect(MutableHeaders(scope=message), name)
            await send(message)

        try:
            most = LARGEST_FILE if scope["path"].startswith(FILE_PATHS) else LARGEST_BODY
            await self.app(scope, bounded(receive, most), sending)
        finally:
            self._note(scope, name, status, time.monotonic() - begun)

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
    """Return a receiver that refuses, while it reads, a body of more than `most` bytes."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, f"The body is larger than {most // 2**20} MB; send it in parts.")
        return message

    return receiving


def request_name(given: str) -> str:
    """Return the name a proxy gave to the request, or a new one where it gave none fit for a log."""
    return given if _NAME.match(given) else str(uuid.uuid4())


def protect(headers: MutableHeaders, name: str) -> None:
    """Add what keeps a browser from being used against its person."""
    headers["X-Request-Id"] = name
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
