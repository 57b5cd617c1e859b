"""A report as one HTML page that prints well: its style and its charts are within it."""

import base64
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.report import Report
from reports.charts import charts
from reports.context import context
from reports.figures import Why

MEDIA: Final = "text/html; charset=utf-8"
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'"
"""What a browser may load for the page: nothing but what is in it."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(report: Report, why: Why) -> str:
    """Return the page."""
    said = context(report, why)
    for part, shown in zip(report.areas, said["oblasti"], strict=True):
        shown["grafy"] = [
            {"obrazek": _address(chart.svg()), "popisek": chart.caption, "popis": chart.described}
            for chart in charts(report, part.rows)
        ]
    return _environment().get_template("report.html").render(said)


def _address(svg: str) -> str:
    """Return a picture as an address: so the names within one picture stay apart from those of another."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
