"""The log of a process: to standard error, a line an event, as text or JSON."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

_OURS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OURS}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        return f"{super().format(record)} {told}".rstrip()


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
        return msgspec.json.encode(line).decode()


def set_up_log(level: str, form: str) -> None:
    """Send the events of all libraries and of Odečet to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
