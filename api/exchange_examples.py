"""Examples of importing the register, as the contract shows them."""

from typing import Any, Final

IMPORT: Final[dict[str, Any]] = {
    "name": "budovy.xlsx",
    "dry_run": True,
    "id": "",
    "creates": {"building": 12, "point": 38},
    "updates": {"organisation": 1},
    "unchanged": {"meter": 40},
    "points": ["B01-EL"],
    "errors": [
        {
            "sheet": "odběrná místa",
            "row": 14,
            "column": "EAN/EIC",
            "problem": "code '8591824001' of point B03-EL is no EAN or EIC",
            "remedy": "an EAN has 18 digits, an EIC 16 characters",
        }
    ],
}
IMPORTS: Final[dict[str, Any]] = {
    "items": [
        {"id": "20260304T091500000000-1f2a3b4c5d6e", "name": "budovy.xlsx", "at": "2026-03-04T09:15:00Z", "changed": 51}
    ]
}
UNDONE: Final[dict[str, Any]] = {"id": "20260304T091500000000-1f2a3b4c5d6e", "points": ["B01-EL"]}
