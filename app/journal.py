"""The log of a process: to standard error, a line an event, as text or JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

_OURS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OURS}


def _inert(text: str) -> str:
    """Return a text in which no character ends a line, steers a terminal or turns the direction of writing."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        first, *more = super().format(record).split("\n")  # what follows the first is indented, so that none is forged
        told = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        return "\n  ".join([_inert(f"{first} {told}".rstrip()), *map(_inert, more)])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the library
        record.message = record.message.replace("\n", "\\n")
        return super().formatMessage(record)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        } | {key: str(value) for key, value in _extra(record).items()}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        said = msgspec.json.encode(line).decode()
        return said if said.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in said)


def set_up_log(level: str, form: str) -> None:
    """Send the events of all libraries and of Odečet to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
