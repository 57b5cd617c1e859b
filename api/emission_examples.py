"""Examples of the answers about emissions, as the contract shows them."""

from typing import Any, Final

_FACTOR: Final[dict[str, Any]] = {
    "id": "mpo-electricity-2024",
    "version": 1,
    "carrier": "electricity",
    "kg": 0.34,
    "per": "kWh",
    "basis": "",
    "gas": "CO2",
    "scheme": "mpo-production",
    "supplier": "",
    "valid_from": "2024-01-01",
    "valid_to": "2025-01-01",
    "source": {
        "source": "MPO, Hodnota emisního faktoru CO2 z výroby a spotřeby elektřiny, březen 2025",
        "status": "official",
        "trust": "secondary",
        "version": 1,
        "note": "",
    },
}
_BASIS: Final[dict[str, Any]] = {
    "emission_t": 0.34,
    "known_t": 0.34,
    "factors": [{"factor": _FACTOR, "from": "2024-01", "to": "2024-12"}],
    "lacking": [],
}
EMISSIONS: Final[dict[str, Any]] = {
    "period": "year",
    "zone": "Europe/Prague",
    "points": ["B01-EL"],
    "values": [
        {
            "start": "2024-01-01",
            "end": "2025-01-01",
            "location_t": 0.34,
            "location_known_t": 0.34,
            "market_t": 0.34,
            "market_known_t": 0.34,
            "scopes_t": {"2": 0.34},
            "inhabitants": {
                "count": None,
                "reason": {
                    "code": "no_population",
                    "text": "nelze stanovit: počet obyvatel pro toto období není v tabulce",
                },
                "sources": ["450728 (2024-01-01): ČSÚ"],
                "lacking": [],
            },
            "users": {"count": 450.0, "reason": None, "sources": [], "lacking": []},
            "t_per_inhabitant": None,
            "kg_per_inhabitant": None,
            "kg_per_user": 0.755556,
            "measured": 1.0,
            "estimated": 0.0,
            "missing": 0.0,
            "carriers": [
                {
                    "carrier": "electricity",
                    "scope": 2,
                    "unit": "kWh",
                    "energy": 1000.0,
                    "location": _BASIS,
                    "market": _BASIS,
                    "measured": 1.0,
                    "estimated": 0.0,
                    "missing": 0.0,
                    "points": 1,
                    "lacking": 0,
                }
            ],
        }
    ],
    "own_generation": [],
}
CHANGE: Final[dict[str, Any]] = {
    "before_start": "2024-01-01",
    "before_end": "2025-01-01",
    "after_start": "2025-01-01",
    "after_end": "2026-01-01",
    "whole": True,
    "split": {
        "unit": "t",
        "before": 340.0,
        "after": 313.5,
        "change": -26.5,
        "parts": {"consumption": -16.75, "factor": -9.75},
        "reasons": {
            "weather": {
                "code": "no_normalised_consumption",
                "text": "nelze stanovit: spotřeba při normálním počasí není známa",
            }
        },
    },
    "split_per_inhabitant": None,
    "inhabitants_before": None,
    "inhabitants_after": None,
    "carriers": [],
}
FACTORS: Final[dict[str, Any]] = {
    "factors": [_FACTOR],
    "ratios": [
        {
            "id": "gas-gross-over-net",
            "gross_over_net": 1.108,
            "valid_from": "2000-01-01",
            "valid_to": None,
            "source": {
                "source": "ÚRSO, parametre pre výpočet ceny tepla",
                "status": "expert",
                "trust": "primary",
                "version": 1,
                "note": "",
            },
        }
    ],
    "order": {"electricity": ["mpo-production"]},
}
