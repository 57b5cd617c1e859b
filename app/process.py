"""A process of Odečet: opens what its command names, serves until it is told to stop, closes in reverse order."""

import json
import logging
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from prometheus_client import start_http_server

from app.broker import EmbeddedBroker
from app.entrance import greet_first
from app.plan import load_shipped
from app.profiles import ProfileWatch, sparkplugs
from app.rebirths import LateBirths
from app.recurring import Recurrence
from app.simulating import RunningSimulations
from app.wiring import Parts, build
from app.work import recurring_work
from config.settings import Settings
from core.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
KEEP_ALIVE_S = 20
MOST_CONNECTIONS = 1_000
MOST_HEADER_BYTES = 32_768


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set; the former handlers come back at the end."""
    event = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        event.set()

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def patiently(start: Callable[[], None], stop: threading.Event) -> None:
    """Start a store; wait for one that is down, longer each time, until it is there or we are told to stop."""
    pause = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            start()
        except StoreUnavailable as err:
            log.warning("waiting for a store", extra={"reason": str(err), "seconds": pause})
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        else:
            return


def open_stores(parts: Parts, stack: ExitStack, stop: threading.Event) -> None:
    """Open both stores; they close with the stack."""
    parts.settings.data.folder.mkdir(parents=True, exist_ok=True)
    for store in (parts.records, parts.readings):
        stack.callback(store.close)
        patiently(store.start, stop)


def run(settings: Settings, *, ingest: bool = False, worker: bool = False, api: bool = False) -> None:
    """Run these parts of Odečet in this process until SIGINT or SIGTERM."""
    parts = build(settings)
    with stopping() as stop, ExitStack() as stack:
        open_stores(parts, stack, stop)
        if not stop.is_set():
            serve(parts, stack, stop, ingest=ingest, worker=worker, api=api)


def serve(
    parts: Parts,
    stack: ExitStack,
    stop: threading.Event,
    *,
    ingest: bool,
    worker: bool,
    api: bool,
    simulations: RunningSimulations | None = None,
) -> None:
    """Start the parts over open stores and wait until told to stop; they close with the stack."""
    settings = parts.settings
    if worker or api:
        patiently(lambda: load_shipped(parts.records), stop)
    if ingest and settings.mqtt.embedded:
        broker = EmbeddedBroker(settings.mqtt.host, settings.mqtt.port)
        stack.callback(broker.close)
        broker.start()
    if ingest or api:
        watch = ProfileWatch(parts.shelf)
        stack.callback(watch.close)
        watch.start()
    if ingest:
        _ingest(parts, stack)
    if ingest and api:  # whoever starts simulated meters sees here whether they arrive
        simulations = simulations or RunningSimulations(parts.settings.mqtt, parts.readings, parts.records)
        stack.callback(simulations.close)
    if worker:
        work = Recurrence(recurring_work(parts), leases=parts.records, metrics=parts.metrics)
        stack.callback(work.close)
        work.start()
    _metrics(parts, stack)
    if api:
        _serve_api(parts, stop, ingesting=ingest, simulations=simulations)
        return
    stop.wait()


def _metrics(parts: Parts, stack: ExitStack) -> None:
    settings = parts.settings.metrics
    if settings.port:
        server, thread = start_http_server(settings.port, settings.bind, registry=parts.metrics)
        stack.callback(thread.join)
        stack.callback(server.shutdown)


def _ingest(parts: Parts, stack: ExitStack) -> None:
    """Start the ingester; topic filters of former runs are unsubscribed, for the broker keeps them in the session."""
    key, topics = f"mqtt/topics/{parts.settings.mqtt.client_id}", list(parts.source.topics)
    former = json.loads(parts.records.kept(key) or "[]")
    parts.source.forget(former)
    parts.records.keep(key, json.dumps(list(dict.fromkeys([*topics, *former]))))

    def end() -> None:
        connected = parts.source.status().connects > 0
        parts.ingester.stop()
        with suppress(StoreError):  # the former filters are unsubscribed once more by the next start
            parts.records.keep(key, json.dumps(topics if connected else [*topics, *former]))

    stack.callback(end)
    parts.ingester.start()
    for profile in sparkplugs(parts.shelf):
        births = LateBirths(profile, records=parts.records, replay=parts.replay_all)
        stack.callback(births.close)
        births.start()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process and ends when the process is told to."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _serve_api(parts: Parts, stop: threading.Event, *, ingesting: bool, simulations: RunningSimulations | None) -> None:
    settings, served = parts.settings.api, parts.api(ingesting=ingesting, simulations=simulations)
    config = uvicorn.Config(
        served,
        host=settings.bind,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        ssl_certfile=settings.tls.cert,
        ssl_keyfile=settings.tls.key,
        lifespan="off",
    )
    server = _Server(config)

    def watch() -> None:
        stop.wait()
        server.should_exit = True

    watcher = threading.Thread(target=watch, name="stop", daemon=True)
    watcher.start()
    warming = threading.Thread(target=_warm, args=(served,), name="warm", daemon=True)
    warming.start()
    greet_first(parts.settings, parts.records, address_of(parts.settings))
    log.info("serving", extra={"address": address_of(parts.settings)})
    try:
        server.run()
    finally:
        stop.set()
        warming.join()


def _warm(served: "FastAPI") -> None:
    from api.warming import warm  # noqa: PLC0415 - only a process that serves loads it

    with suppress(StoreError):  # nothing is lost by it: whoever asks is told
        warm(served)


def address_of(settings: Settings) -> str:
    """Return the address of the pages as a person on this machine opens it."""
    api = settings.api
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(api.bind, api.bind)  # noqa: S104 - compared, not bound
    return f"{'https' if api.tls.cert else 'http'}://{host}:{api.port}/"


def own_trust(settings: Settings) -> ssl.SSLContext | bool:
    """Return whom a command on this machine trusts: the certificate that the process serves, whatever its name."""
    cert = settings.api.tls.cert
    if cert is None:
        return True
    trust = ssl.create_default_context(cafile=str(cert))
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trust.check_hostname = False
    return trust
