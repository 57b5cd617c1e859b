"""The charts' JavaScript, made once from the installed package: no network, no copy in the repository."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import vl_convert

STATIC: Final = Path(__file__).parent.parent / "static"


@cache
def chart_library() -> bytes:
    """Return Vega, Vega-Lite and Vega-Embed as one script that sets `window.vegaEmbed`; takes about two seconds."""
    return bytes(vl_convert.javascript_bundle().encode())  # type: ignore[call-arg]  # the snippet is optional; the stub lags


@cache
def chart_locales() -> bytes:
    """Return how charts write numbers and times in Czech and English."""
    made = {
        "cs": {"number": vl_convert.get_format_locale("cs-CZ"), "time": vl_convert.get_time_format_locale("cs-CZ")},
        "en": {"number": vl_convert.get_format_locale("en-GB"), "time": vl_convert.get_time_format_locale("en-GB")},
    }
    return f"window.chartLocales = {json.dumps(made)};".encode()


@cache
def library_mark() -> str:
    """Return the version of the package that the charts' library and locales are made by."""
    return version("vl-convert-python")


@cache
def mark(name: str) -> str:
    """Return a mark of a static file's content, so that browsers keep it until it changes."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
