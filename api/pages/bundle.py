"""The charts' JavaScript, made once from the installed package: no network, no copy in the repository."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

import vl_convert

STATIC: Final = Path(__file__).parent.parent / "static"


@cache
def chart_library() -> bytes:
    """Return Vega, Vega-Lite and Vega-Embed as one script that sets `window.vegaEmbed`; takes about two seconds."""
    return vl_convert.javascript_bundle().encode()


@cache
def chart_locales() -> bytes:
    """Return how charts write numbers and times in Czech and English."""
    names = {"cs": "cs-CZ", "en": "en-GB"}
    made = {
        code: {"number": vl_convert.get_format_locale(name), "time": vl_convert.get_time_format_locale(name)}
        for code, name in names.items()
    }
    return f"window.chartLocales = {json.dumps(made)};".encode()


@cache
def mark(name: str) -> str:
    """Return a mark of a static file's content, so that browsers keep it until it changes."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
