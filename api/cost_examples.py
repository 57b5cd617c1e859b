"""Examples of the answers about costs and demand, as the contract shows them."""

from typing import Any, Final

_SOURCE: Final[dict[str, Any]] = {
    "source": "smlouva 2025/118",
    "status": "official",
    "trust": "operator",
    "version": 1,
    "note": "",
}
_RULE: Final[dict[str, Any]] = {
    "id": "cez-vn-2026",
    "distributor": "ČEZ Distribuce",
    "level": "VN",
    "valid_from": "2026-01-01",
    "valid_to": "2027-01-01",
    "yearly_czk_kw": 252.565,
    "monthly_czk_kw": 281.823,
    "breach_czk_kw": 422.7345,
    "input_breach_czk_kw": 1127.292,
    "plans": [],
    "source": {**_SOURCE, "source": "ERÚ, cenový výměr 13/2025", "trust": "transcribed"},
}
COSTS: Final[dict[str, Any]] = {
    "period": "month",
    "zone": "Europe/Prague",
    "currency": "CZK",
    "vat": "excluded",
    "known_czk": 22320.0,
    "values": [
        {
            "point": "B01-EL",
            "name": "Elektřina, hlavní přívod",
            "building": "B01",
            "commodity": "electricity",
            "start": "2026-01-01",
            "end": "2026-02-01",
            "amount": 7440.0,
            "unit": "kWh",
            "czk": None,
            "known_czk": 22320.0,
            "vat_czk": None,
            "missing": 0.0,
            "parts": [
                {
                    "part": "energy",
                    "czk": 22320.0,
                    "known_czk": 22320.0,
                    "vat_czk": 4687.2,
                    "prices": [
                        {
                            "id": "elektrina-2026",
                            "per_unit_czk": 3.0,
                            "unit": "kWh",
                            "month_czk": None,
                            "vat_percent": 21.0,
                            "covers": ["energy"],
                            "source": _SOURCE,
                        }
                    ],
                    "rules": [],
                    "reasons": [],
                },
                {
                    "part": "network",
                    "czk": None,
                    "known_czk": None,
                    "vat_czk": None,
                    "prices": [],
                    "rules": [],
                    "reasons": [{"code": "no_price", "text": "nelze stanovit: cena není v tabulce"}],
                },
            ],
        }
    ],
}
DEMAND: Final[dict[str, Any]] = {
    "point": "B01-EL",
    "name": "Elektřina, hlavní přívod",
    "months": [
        {
            "month": "2026-01",
            "peak_kw": 90.0,
            "at": "2026-01-14T07:15:00+01:00",
            "quarter_hours": 2976,
            "expected": 2976,
            "coarse": 0,
            "yearly_kw": 80.0,
            "monthly_kw": 0.0,
            "input_kw": None,
            "breach_kw": 10.0,
            "capacity_czk": 20205.2,
            "breach_czk": 4227.345,
            "plan": "",
            "rule": "cez-vn-2026",
            "reasons": [],
        }
    ],
    "curve": {"share": [0.000336, 1.0], "power_kw": [90.0, 4.0], "hours": 744.0},
    "rules": [_RULE],
}
_ADVICE: Final[dict[str, Any]] = {
    "yearly_kw": 62.0,
    "monthly_kw": {"2026-01": 28.0},
    "input_kw": None,
    "cost_czk": 195799.4,
    "breach_czk": 0.0,
    "now_czk": 246689.7,
    "saving_czk": 50890.3,
    "at_least": False,
}
ADVICE: Final[dict[str, Any]] = {
    "point": "B01-EL",
    "first": "2025-06-01",
    "end": "2026-06-01",
    "rule_day": "2026-06-01",
    "rule": _RULE,
    "peaks_kw": {"2026-01": 90.0},
    "mixed": _ADVICE,
    "yearly_only": {**_ADVICE, "yearly_kw": 90.0, "monthly_kw": {}},
    "reason": None,
    "lowered_from": "2026-12-01",
}
