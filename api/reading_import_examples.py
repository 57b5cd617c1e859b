"""Examples of importing readings, as the contract shows them."""

from typing import Any, Final

MAPPING: Final[dict[str, Any]] = {
    "sheet": "odecty",
    "layout": "readings",
    "subject": "Odběrné místo",
    "time": "Datum odečtu",
    "values": [{"column": "Stav [kWh]", "unit": "kWh"}],
    "amount": "dial",
    "manual": True,
}
REPORT: Final[dict[str, Any]] = {
    "name": "odecty.csv",
    "mode": "dry-run",
    "id": "",
    "new": 1,
    "same": 0,
    "changed": 0,
    "cost_czk": None,
    "mapping": MAPPING,
    "remembered": False,
    "sheets": ["odecty"],
    "columns": ["Odběrné místo", "Datum odečtu", "Stav [kWh]"],
    "series": [
        {
            "meter": "em-1",
            "register": "energy.import",
            "unit": "kWh",
            "point": "B01-EL",
            "kind": "cumulative",
            "new": 1,
            "same": 0,
            "changed": 0,
            "first": "2026-01-31T11:00:00Z",
            "last": "2026-01-31T11:00:00Z",
            "first_value": 48213.4,
            "last_value": 48213.4,
            "amount": 0.0,
            "months": [{"month": "2026-01", "amount": 0.0}],
        }
    ],
    "rows": [
        {
            "row": 2,
            "column": "Stav [kWh]",
            "meter": "em-1",
            "register": "energy.import",
            "at": "2026-01-31T11:00:00Z",
            "span_s": 0,
            "value": 48213.4,
            "unit": "kWh",
            "kind": "cumulative",
            "quality": ["manual"],
            "state": "new",
            "former": None,
        }
    ],
    "errors": [
        {
            "sheet": "odecty",
            "row": 3,
            "column": "Datum odečtu",
            "problem": "31.13.2026 is no date or time",
            "remedy": "write it as 31.01.2026 or 31.01.2026 14:30",
        }
    ],
    "remarks": [],
}
IMPORTS: Final[dict[str, Any]] = {
    "items": [
        {
            "id": "20260304T091500000000-1f2a3b4c5d6e",
            "name": "odecty.csv",
            "at": "2026-03-04T09:15:00Z",
            "by": "spravce",
            "why": "",
            "state": "done",
            "new": 51,
            "changed": 0,
        }
    ]
}
UNDONE: Final[dict[str, Any]] = {"id": "20260304T091500000000-1f2a3b4c5d6e", "readings": 51}
