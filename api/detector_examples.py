"""Examples of detectors, as the contract shows them."""

from typing import Any, Final

SETTING: Final[dict[str, Any]] = {
    "scope": "point",
    "key": "B01-SV",
    "rule": "leak",
    "enabled": None,
    "factor": 1.25,
    "why": "false_alarm: 5d1f0a9c3b7e42d86f10",
    "by": "novakova",
    "changed": "2026-03-05T08:00:00Z",
}
RULE: Final[dict[str, Any]] = {
    "rule": "leak",
    "title": "Únik vody",
    "looks_for": "Průtok, pod který neklesne žádná hodina, ač v noci klesával.",
    "threshold": "Váha klidných hodin za sebou: 10, tedy tři hodiny, jaké nikdy nebyly, nebo noc vzácných.",
    "tunable": True,
}
LIST: Final[dict[str, Any]] = {"rules": [RULE], "settings": [SETTING], "least_factor": 0.5, "most_factor": 4.0}
FIRING: Final[dict[str, Any]] = {
    "from": "2025-11-02T23:00:00Z",
    "to": "2025-11-09T10:00:00Z",
    "raised": "2025-11-03T03:00:00Z",
    "going_on": False,
    "hours": 155.0,
    "severity": "medium",
    "unit": "m³",
    "loss_per_day": 1.2,
    "loss_czk_per_day": 156.0,
    "lost": 7.75,
    "lost_czk": 1007.5,
    "evidence": {"night_flow": 0.05, "own_nights_median": 0.0, "level": 0.04, "hours": 5},
}
BACKTEST: Final[dict[str, Any]] = {
    "point": "B01-SV",
    "from": "2025-03-05T00:00:00Z",
    "to": "2026-03-05T00:00:00Z",
    "rules": [
        {
            "rule": "leak",
            "title": "Únik vody",
            "enabled": True,
            "factor": 1.0,
            "tried_with": 1.25,
            "times": 1,
            "hours": 155.0,
            "lost": 7.75,
            "unit": "m³",
            "lost_czk": 1007.5,
            "firings": [FIRING],
            "gone": [],
            "new": [],
        }
    ],
}
WISH: Final[dict[str, Any]] = {"scope": "point", "key": "B01-SV", "rule": "leak", "factor": 1.25, "why": "bazén"}
CHANGE: Final[dict[str, Any]] = {
    "id": 812,
    "at": "2026-03-05T08:00:00Z",
    "by": "novakova",
    "why": "false_alarm: 5d1f0a9c3b7e42d86f10",
    "scope": "point",
    "key": "B01-SV",
    "rule": "leak",
    "before": {"enabled": None, "factor": 1.0},
    "after": {"enabled": None, "factor": 1.25},
}
CHANGES: Final[dict[str, Any]] = {"items": [CHANGE]}
UNDO: Final[dict[str, Any]] = {"change": 812}
