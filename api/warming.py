"""What the first visitors would wait for, made before they come."""

from fastapi import FastAPI

from api.error_texts import phrases
from api.pages.bundle import chart_library, chart_locales, library_mark
from api.pages.held import Held, held_year
from api.pages.view import templates
from api.room import Room
from api.texts import LANGUAGES, language


def warm(app: FastAPI) -> None:
    """Read texts, pages and the charts' library, and derive the region's year; raise StoreError where that fails."""
    for code in LANGUAGES:
        language(code)
        phrases(code)
        pages = templates(code)
        for name in pages.list_templates(extensions=["html"]):
            pages.get_template(name)
    chart_library()
    chart_locales()
    library_mark()
    room: Room = app.state.room
    held: Held = app.state.held
    held_year(held, room, list(room.now().points.values()))
