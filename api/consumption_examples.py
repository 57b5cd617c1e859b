"""Examples of the answers about consumption, readings and quality, as the contract shows them."""

from typing import Any, Final

_ROW: Final[dict[str, Any]] = {
    "start": "2026-01-01T00:00:00+01:00",
    "end": "2026-02-01T00:00:00+01:00",
    "amount": 12480.5,
    "measured": 0.98,
    "estimated": 0.02,
    "missing": 0.0,
    "first_reading": "2025-12-31T23:00:00Z",
    "last_reading": "2026-01-31T23:00:00Z",
    "compared": {
        "start": "2025-01-01T00:00:00+01:00",
        "end": "2025-02-01T00:00:00+01:00",
        "amount": 13002.0,
        "measured": 1.0,
        "estimated": 0.0,
        "missing": 0.0,
        "difference": -521.5,
        "percent": -4.010921,
        "reason": "",
    },
}
CONSUMPTION: Final[dict[str, Any]] = {
    "period": "month",
    "start": "2026-01-01T00:00:00+01:00",
    "end": "2026-02-01T00:00:00+01:00",
    "zone": "Europe/Prague",
    "compare": "previous-year",
    "points": [
        {
            "point": "B01-EL",
            "name": "Elektřina, hlavní přívod",
            "building": "B01",
            "commodity": "electricity",
            "register": "energy.import",
            "unit": "kWh",
            "values": [_ROW],
        }
    ],
    "totals": [],
}
CONSUMPTION_CSV: Final = (
    "point,name,building,commodity,register,unit,start,end,amount,measured,estimated,missing,first_reading,last_reading\r\n"
    "B01-EL,Elektřina,B01,electricity,energy.import,kWh,2026-01-01T00:00:00+01:00,2026-02-01T00:00:00+01:00,12480.5,"
    "0.98,0.02,0.0,2025-12-31T23:00:00Z,2026-01-31T23:00:00Z\r\n"
)
READINGS_CSV: Final = (
    "meter,register,at,value,unit,kind,quality,span_s,received,source,replaced\r\n"
    "em-0001,energy.import,2026-01-01T00:15:00Z,81234.5,kWh,cumulative,,0,2026-01-01T00:15:02Z,odecet,false\r\n"
)
READINGS: Final[dict[str, Any]] = {
    "items": [
        {
            "meter": "em-0001",
            "register": "energy.import",
            "at": "2026-01-31T23:00:00Z",
            "value": 48213.4,
            "unit": "kWh",
            "kind": "cumulative",
            "quality": [],
            "span_s": 0,
            "received": "2026-01-31T23:00:02.150000Z",
            "source": "odecet",
            "replaced": False,
        }
    ],
    "next": None,
}
TAKEN: Final[dict[str, Any]] = {
    "readings": 1,
    "rejected": [{"place": "readings[1].unit", "problem": "unit 'kWhx' is not known"}],
    "ignored": "",
}
PAYLOAD: Final[dict[str, Any]] = {
    "meter": "em-0001",
    "register": "energy.import",
    "value": 48213.4,
    "unit": "kWh",
    "at": "2026-01-31T23:00:00Z",
}
_SHARES: Final = {"measured": 0.97, "estimated": 0.02, "missing": 0.01}
QUALITY: Final[dict[str, Any]] = {
    "start": "2026-01-01T00:00:00+01:00",
    "end": "2026-02-01T00:00:00+01:00",
    "points": [
        {
            "point": "B01-EL",
            "building": "B01",
            "commodity": "electricity",
            **_SHARES,
            "gaps": 1,
            "open_findings": 0,
            "revisions": 4,
            "last_reading": "2026-01-31T23:00:00Z",
            "last_reading_age_s": 312.0,
        }
    ],
    "buildings": [
        {
            "building": "B01",
            "points": 1,
            "lacking": 1,
            "open_findings": 0,
            "oldest_reading": "2026-01-31T23:00:00Z",
            **_SHARES,
        }
    ],
    "region": {
        "building": "",
        "points": 1,
        "lacking": 1,
        "open_findings": 0,
        "oldest_reading": "2026-01-31T23:00:00Z",
        **_SHARES,
    },
}
