"""Examples of weather answers, as the contract shows them."""

from typing import Any, Final

DAYS: Final[dict[str, Any]] = {
    "station": "liberec",
    "stations": ["liberec", "jablonec"],
    "bridges": [
        {
            "station": "jablonec",
            "method": "yearly",
            "offset_k": [0.9, -0.2, 0.1],
            "common_days": 1096,
            "residual_k": 0.8,
        }
    ],
    "unknown_days": 0,
    "filled_days": 1,
    "days": [
        {"day": "2026-01-30", "temp_c": -3.4, "source": "liberec", "known_h": 24.0},
        {"day": "2026-01-31", "temp_c": -2.1, "source": "jablonec", "known_h": 6.0},
    ],
}
DEGREE_DAYS: Final[dict[str, Any]] = {
    "station": "liberec",
    "period": "month",
    "indoor_c": 20.0,
    "normal": {
        "place": "Liberec",
        "limit_c": 13.0,
        "outdoor_c": 3.6,
        "days": 256.0,
        "degree_days": 4198.4,
        "source": "ČSN EN ISO 15927-6",
        "span": "",
    },
    "periods": [
        {
            "first": "2026-01-01",
            "after": "2026-02-01",
            "czech": 690.2,
            "czech_known": 690.2,
            "eurostat": 628.2,
            "missing_days": 0,
            "filled_days": 1,
            "heating_days": 31,
        }
    ],
}
STORED: Final[dict[str, Any]] = {"station": "liberec", "stored": 8760}
