"""The API as an app: its routes, its rim, its errors. `build_api` opens nothing; stores are started by app."""

from functools import cache
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from api.access import Limits, MustLogIn
from api.contract import TAGS, publish
from api.dependencies import Dependencies, IngestStatus
from api.doors import page_doors
from api.pages.errors import error_page
from api.pages.held import Held
from api.pages.site import build_pages, to_login
from api.problems import handle_errors
from api.rim import Rim
from api.room import Room
from api.routes import (
    alert_directory,
    alerts,
    backup,
    benchmarks,
    consumption,
    costs,
    deliveries,
    detectors,
    documents,
    emissions,
    exchange,
    formats,
    indicators,
    keys,
    letters,
    measures,
    models,
    notes,
    open_data,
    people,
    plan,
    process,
    publications,
    quality,
    reading_imports,
    readings,
    register,
    reports,
    simulations,
    tables,
    weather,
    webhooks,
    work,
)

__all__ = ["Dependencies", "IngestStatus", "build_api"]

DESCRIPTION: Final = (
    "Consumption of buildings from meter readings. Every amount says how well it is known; missing is null, never "
    "zero. Instants are ISO 8601, periods half-open and of the zone's calendar. Errors are problem details (RFC 9457). "
    "Lists are given a page at a time: follow the Link header."
)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return all routes: the same whatever they are served over, so a process makes them once."""
    app = FastAPI(openapi_url=None)
    for module in (
        process,
        consumption,
        readings,
        quality,
        exchange,
        reading_imports,
        letters,
        work,
        formats,
        weather,
        models,
        measures,
        webhooks,
    ):
        app.include_router(module.router)
    for module in (emissions, costs, benchmarks, alerts, backup, alert_directory, people, keys, plan, indicators):
        app.include_router(module.router)
    for module in (deliveries, publications, reports, open_data, detectors, simulations, documents, notes, tables):
        app.include_router(module.router)
    app.include_router(register.build_router())
    build_pages(app)
    return tuple(app.routes)


def build_api(deps: Dependencies) -> FastAPI:
    """Return the app that serves these dependencies; it opens nothing."""
    app = FastAPI(
        title="Odečet",
        version=deps.version,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        openapi_tags=list(TAGS),
        redirect_slashes=False,
    )
    room = app.state.room = Room(deps)
    app.state.limits = Limits(deps)
    app.router.routes.extend(_routes())
    app.state.pages, app.state.held = page_doors(app), Held()
    handle_errors(app, error_page)
    app.add_exception_handler(MustLogIn, to_login)
    publish(app)
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=3)
    app.add_middleware(Rim, measures=room.measures, open_to_all=deps.open_to_all)
    return app
