"""Examples of the answers about benchmarks, as the contract shows them."""

from typing import Any, Final

BENCHMARKS: Final[dict[str, Any]] = {
    "measure": "energy-per-area",
    "unit": "kWh/m²",
    "start": "2025-01-01",
    "end": "2026-01-01",
    "kinds": [
        {
            "kind": "school",
            "count": 34,
            "few": False,
            "lower_quartile": 96.4,
            "median": 121.7,
            "upper_quartile": 158.2,
            "buildings": [
                {
                    "building": "B01",
                    "name": "Gymnázium, hlavní budova",
                    "commodities": ["electricity", "gas"],
                    "amount": 583200.0,
                    "size": 5400.0,
                    "coverage": 0.998,
                    "value": 108.0,
                    "weather_normalised": False,
                    "rank": 12,
                    "quarter": 2,
                    "value_before": 112.5,
                    "rank_now": 12,
                    "rank_before": 15,
                    "rank_change": -3,
                    "reason": None,
                }
            ],
        }
    ],
}
