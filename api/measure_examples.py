"""Examples of models and savings, as the contract shows them."""

from typing import Any, Final

REASON: Final[dict[str, Any]] = {
    "code": "missing_training",
    "text": "not enough data: 286 of 365 training days are measured, 90 % are needed",
    "facts": {"known": 286, "days": 365},
}
AMOUNT: Final[dict[str, Any]] = {
    "saving": 28881.7,
    "low68": 14497.8,
    "high68": 43265.7,
    "low90": 3112.3,
    "high90": 54651.1,
    "significant": True,
}
CALIBRATION: Final[dict[str, Any]] = {
    "data": "placebo years of real meters",
    "made_on": "2026-11-01",
    "kind": "heating",
    "days": 365,
    "meters": 44,
    "placebos": 61,
    "coverage68": 0.68,
    "coverage90": 0.9,
}
SAVING: Final[dict[str, Any]] = {
    "measure": "OP-2025-01",
    "name": "Zateplení hlavní budovy",
    "activity": "2.1-EM-1",
    "status": "known",
    "until": "2026-06-30",
    "units": [
        {
            "unit": "kWh",
            "points": 1,
            "total": AMOUNT,
            "months": [{"month": "2025-09", "points": 1, "alone": AMOUNT, "so_far": AMOUNT}],
        }
    ],
    "points": [
        {
            "point": "B01-PL",
            "unit": "kWh",
            "known": True,
            "trained_from": "2024-06-01",
            "trained_to": "2025-05-31",
            "sharing": [],
            "reasons": [],
            "notes": [REASON],
            "calibration": CALIBRATION,
            "months": [
                {
                    "month": "2025-09",
                    "days": 30,
                    "of_days": 30,
                    "actual": 4210.5,
                    "baseline": 6105.2,
                    "alone": AMOUNT,
                    "so_far": AMOUNT,
                }
            ],
        }
    ],
    "worth": {
        "czk": 61200.0,
        "low90_czk": 6500.0,
        "high90_czk": 115900.0,
        "reason": None,
        "year_czk": 73400.0,
        "payback_years": 114.4,
        "own_payback_years": 68.7,
        "payback_reason": None,
    },
}
SAVINGS: Final[dict[str, Any]] = {
    "first": "2025-01-01",
    "last": "2025-12-31",
    "activity": "",
    "counted": True,
    "units": [{"unit": "kWh", "points": 4, "points_unknown": 1, "total": AMOUNT}],
    "measures": [
        {"measure": "OP-2025-01", "name": "Zateplení", "activity": "2.1-EM-1", "status": "known", "units": []}
    ],
}
MODEL: Final[dict[str, Any]] = {
    "point": "B01-PL",
    "unit": "kWh",
    "station": "liberec",
    "trained_from": "2024-01-01",
    "trained_to": "2024-12-31",
    "sufficient": True,
    "reasons": [],
    "notes": [REASON],
    "quality": {"cvrmse": 0.21, "nmbe": 0.002, "known_days": 361, "days": 366},
    "lines": {"workday": [420.5, 380.1]},
    "grid_c": [-5.0, -4.0],
    "after": {
        "first": "2025-01-01",
        "last": "2025-12-31",
        "days": 362,
        "actual": 96210.0,
        "predicted": 101330.0,
        "saving": AMOUNT,
    },
    "after_reasons": [],
    "calibration": CALIBRATION,
    "key": "9f2c1e",
    "days": [
        {
            "day": "2024-01-01",
            "temp_c": -1.4,
            "actual": 512.0,
            "predicted": 498.3,
            "training": True,
            "day_type": "holiday",
        }
    ],
}
