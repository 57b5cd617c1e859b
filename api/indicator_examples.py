"""Examples of indicators' values for the contract."""

from typing import Any, Final

from api.plan_examples import INDICATOR

_DEFINED: Final[dict[str, Any]] = {
    **INDICATOR,
    "id": "E1",
    "area": "EM",
    "name": "Konečná spotřeba energie krajských budov",
    "figures": [{"key": "total", "name": "celkem", "unit": "MWh", "decimals": 0}],
    "method": "final_consumption",
    "goals": ["2.1"],
    "targets": [],
    "direction": "down",
    "reports": ["annual", "mid-year", "closing"],
}
VALUE: Final[dict[str, Any]] = {
    "indicator": "E1",
    "name": "Konečná spotřeba energie krajských budov",
    "scope": "region",
    "from": "2025-01-01",
    "to": "2026-01-01",
    "status": "final",
    "status_text": "konečná",
    "amounts": [
        {
            "figure": "total",
            "name": "celkem",
            "unit": "MWh",
            "decimals": 0,
            "value": 61234.567891,
            "low90": None,
            "high90": None,
            "target": None,
        }
    ],
    "coverage": {"measured": 0.987, "estimated": 0.009, "missing": 0.004, "points": 640, "lacking": ["B17-PL"]},
    "reasons": [
        {"code": "points_lack", "text": "některým odběrným místům chybí data (1)", "subjects": ["B17-PL"]},
    ],
    "method": "final_consumption",
    "version": 1,
    "cutoff": "2026-03-01T10:00:00Z",
    "register": 412,
    "computed_at": "2026-03-01T10:00:00Z",
    "used": [],
    "activities": [],
    "measures": [],
    "parts": [{"figure": "total", "kind": "carrier", "key": "gas", "value": 30123.4, "facts": {}}],
    "note": "",
}
VALUES: Final[dict[str, Any]] = {"indicator": _DEFINED, "values": [VALUE]}
CSV: Final = (
    "indicator,name,scope,from,to,figure,unit,value,low90,high90,target,status,measured,estimated,missing,method,"
    "version,cutoff,register,reasons\r\n"
    "E1,Konečná spotřeba energie krajských budov,region,2025-01-01,2026-01-01,total,MWh,61234.567891,,,,final,"
    "0.987,0.009,0.004,final_consumption,1,2026-03-01T10:00:00Z,412,některým odběrným místům chybí data (1)\r\n"
)
METHODS: Final[dict[str, Any]] = {
    "items": [
        {
            "name": "final_consumption",
            "version": 1,
            "figures": {"total": "MWh", "electricity": "MWh"},
            "adds": ["buildings", "months"],
            "by_months": False,
        }
    ],
    "next": None,
}
LIST: Final[dict[str, Any]] = {"items": [_DEFINED], "next": None, "total": 1}
CHANGE: Final[dict[str, Any]] = {
    "indicator": "E1",
    "scope": "region",
    "figure": "total",
    "unit": "MWh",
    "before": {**VALUE, "from": "2024-01-01", "to": "2025-01-01", "parts": []},
    "after": {**VALUE, "parts": []},
    "change": -1020.5,
    "causes": [
        {"kind": "cause", "key": "weather", "name": "počasí", "value": -700.25},
        {"kind": "cause", "key": "use", "name": "užívání budov", "value": -320.25},
    ],
    "parts": [{"kind": "carrier", "key": "gas", "name": "gas", "value": -1020.5}],
    "reasons": [],
}
