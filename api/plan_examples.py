"""Examples of the action plan for the contract."""

from typing import Any, Final

from api.register_examples import patch_of

GOAL: Final[dict[str, Any]] = {
    "id": "2.1",
    "name": "Úspora energie a vody na základě inteligentního měření",
    "strategic": "save",
}
AREA: Final[dict[str, Any]] = {
    "id": "EM",
    "name": "Energetický management a hospodaření s vodou",
    "priority_area": "Životní prostředí",
    "goals": ["2.1", "2.2"],
    "strategic": ["save"],
    "guarantor": "",
    "vision": "",
}
ACTIVITY: Final[dict[str, Any]] = {
    "id": "2.1-EM-2",
    "area": "EM",
    "name": "Zavádění systematického energetického managementu",
    "description": "",
    "guarantor": "",
}
PROJECT: Final[dict[str, Any]] = {
    "id": "odecty",
    "activity": "2.1-EM-2",
    "name": "Dálkové odečty krajských budov",
    "state": "running",
    "begins": "2024-01-01",
    "ends": None,
    "cost_czk": 4_200_000.0,
    "note": "",
}
INDICATOR: Final[dict[str, Any]] = {
    "id": "ZD-I1",
    "area": "ZD",
    "name": "Zdravotnická zařízení se sdílenou dokumentací",
    "figures": [{"key": "count", "name": "počet zařízení", "unit": "", "decimals": 0}],
    "method": "",
    "definition": "Počet krajských zdravotnických zařízení, která sdílejí dokumentaci elektronicky.",
    "goals": ["1.2", "3.3"],
    "targets": [{"figure": "count", "year": 2026, "value": 6.0}],
    "direction": "up",
    "least_measured": 0.9,
    "reports": ["annual", "closing"],
    "guarantor": "",
    "note": "",
}
TREE: Final[dict[str, Any]] = {
    "goals": [GOAL],
    "areas": [{"area": AREA, "activities": [{"activity": ACTIVITY, "projects": [PROJECT]}], "indicators": [INDICATOR]}],
}
WHOLE: Final[dict[str, Any]] = {
    "goals": [GOAL],
    "areas": [AREA],
    "activities": [ACTIVITY],
    "projects": [PROJECT],
    "indicators": [],
}
LOADED: Final[dict[str, Any]] = {"given": 4, "changed": 1}
PATCHES: Final = {
    "goal": patch_of("Goal", {"name": "Úspora energie a vody na základě inteligentního měření"}),
    "area": patch_of("Area", {"guarantor": "Odbor investic", "vision": None}),
    "activity": patch_of("Activity", {"guarantor": "Odbor investic"}),
    "project": patch_of("Project", {"state": "done", "ends": "2026-06-30"}),
    "indicator": patch_of(
        "Indicator", {"targets": [{"figure": "count", "year": 2026, "value": 7.0}], "least_measured": 0.95}
    ),
}
HISTORY: Final[dict[str, Any]] = {
    "items": [
        {
            "id": 812,
            "at": "2026-03-04T09:15:00Z",
            "by": "eva",
            "entity": "indicator",
            "key": "E4",
            "why": "nový cíl",
            "before": {"id": "E4"},
            "after": {"id": "E4"},
        }
    ],
    "next": None,
}
