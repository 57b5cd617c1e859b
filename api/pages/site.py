"""The site: its pages, its static files and the library that draws its charts."""

import mimetypes
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, HTTPException, Request
from starlette.responses import Response

from api.access import allowed
from api.pages import (
    alert_routing,
    alert_windows,
    alerts,
    backtest,
    benchmarks,
    building,
    buildings,
    costs,
    deliveries,
    desk,
    documents,
    emissions,
    formats,
    gaps,
    indicator,
    indicators,
    login,
    measures,
    meters,
    models,
    notes,
    overview,
    people,
    plan,
    point,
    public,
    publications,
    reading_imports,
    register_files,
    settings_audit,
    settings_system,
    settings_tables,
    simulators,
    stations,
    table_rows,
)
from api.pages.bundle import STATIC, chart_library, chart_locales
from api.pages.view import back

router = APIRouter(include_in_schema=False, dependencies=[allowed()])

KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
SCRIPT: Final = "text/javascript; charset=utf-8"
FILES: Final = frozenset({"style.css", "charts.js", "page.js", "mark.svg"})


@router.get("/static/vega.js")
def library() -> Response:
    """Serve the charts' library."""
    return Response(chart_library(), headers=KEPT, media_type=SCRIPT)


@router.get("/static/locales.js")
def locales() -> Response:
    """Serve how charts write numbers."""
    return Response(chart_locales(), headers=KEPT, media_type=SCRIPT)


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """Serve a file of the page, by a list of names: no path of a request reaches the disk."""
    if name not in FILES:
        raise HTTPException(404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response((STATIC / name).read_bytes(), headers=KEPT, media_type=kind)


async def to_login(request: Request, _: Exception) -> Response:
    """Lead a person who must say who they are to where they can."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return back(f"/login?to={quote(asked, safe='')}")


def build_pages(app: FastAPI) -> None:
    """Add the pages to the app."""
    app.include_router(router)
    for module in (
        login,
        overview,
        buildings,
        building,
        models,
        backtest,
        point,
        emissions,
        costs,
        benchmarks,
        formats,
        desk,
        register_files,
        public,
    ):
        app.include_router(module.router)
    for module in (
        meters,
        gaps,
        measures,
        stations,
        reading_imports,
        alerts,
        alert_routing,
        alert_windows,
        people,
        settings_audit,
        settings_system,
        settings_tables,
        table_rows,
        simulators,
        indicators,
        indicator,
        deliveries,
        publications,
        plan,
        documents,
        notes,
    ):
        app.include_router(module.router)
