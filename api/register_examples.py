"""Examples of the register's documents, as the contract shows them."""

from typing import Any, Final

import msgspec

ORGANISATION: Final[dict[str, Any]] = {"id": "O1", "name": "Gymnázium Jeronýmova", "ico": "46748016"}
BUILDING: Final[dict[str, Any]] = {
    "id": "B01",
    "organisation": "O1",
    "name": "Gymnázium, hlavní budova",
    "kind": "school",
    "address": "Jeronýmova 425/27, Liberec",
    "latitude": 50.755,
    "longitude": 15.07,
    "station": "Liberec",
    "areas": [{"since": "2020-01-01", "value": 5400.0, "kind": ""}],
    "users": [{"since": "2025-09-01", "value": 640.0, "kind": "pupils"}],
}
POINT: Final[dict[str, Any]] = {
    "id": "B01-EL",
    "building": "B01",
    "name": "Elektřina, hlavní přívod",
    "commodity": "electricity",
    "role": "billing",
    "code": "859182400100000001",
    "parent": "",
    "max_rate": 120.0,
    "allowed_gap_h": None,
    "reserved_kw": [{"since": "2026-01-01", "value": 80.0, "kind": ""}],
    "terms": [],
}
METER: Final[dict[str, Any]] = {
    "id": "M-0001",
    "point": "B01-EL",
    "device": "em-0001",
    "mounted": "2023-01-01T00:00:00+01:00",
    "removed": None,
    "serial": "2023/114",
    "register": "energy.import",
    "unit": "kWh",
    "digits": 6,
    "multiplier": 1.0,
    "first": 0.0,
    "final": None,
}
EVENT: Final[dict[str, Any]] = {
    "id": "E-2026-001",
    "meter": "em-0001",
    "at": "2026-03-04T10:15:00+01:00",
    "kind": "swap",
    "final": 48213.4,
    "first": 0.2,
    "new_device": "",
    "register": "",
    "note": "měřidlo po lhůtě ověření",
    "retracted": False,
}
STATION: Final[dict[str, Any]] = {
    "id": "liberec",
    "name": "Liberec",
    "place": "Liberec, Letiště",
    "latitude": 50.77,
    "longitude": 15.02,
    "altitude_m": 398.0,
    "source": "own_readings",
    "device": "meteo-1",
    "register": "temperature.total",
    "fallbacks": ["jablonec"],
}
MEASURE: Final[dict[str, Any]] = {
    "id": "OP-2025-01",
    "name": "Zateplení hlavní budovy",
    "points": ["B01-PL"],
    "effective": "2025-09-01",
    "kind": "insulation",
    "works_from": "2025-06-01",
    "ended": None,
    "investment_czk": 8_400_000.0,
    "subsidy_czk": 3_360_000.0,
    "activity": "2.1-EM-1",
    "expected_saving": 120.0,
    "expected_unit": "MWh",
    "note": "",
}
ADJUSTMENT: Final[dict[str, Any]] = {
    "id": "UP-2025-01",
    "point": "B01-PL",
    "since": "2025-11-01",
    "kind": "area_change",
    "reason": "přístavba tělocvičny",
    "until": None,
    "factor": 1.12,
    "per_day": None,
    "who": "energetický manažer",
}


def patch_of(name: str, example: dict[str, Any]) -> tuple[type, dict[str, Any]]:
    """Return the type of a change of some fields, and an example of it."""
    kind = msgspec.defstruct(f"{name}Patch", [(field, Any, None) for field in example])
    kind.__doc__ = "A JSON merge patch (RFC 7396): fields given are set, null takes one back to its default."
    return kind, example


PATCHES: Final = {
    "organisation": patch_of("Organisation", {"name": "Gymnázium F. X. Šaldy"}),
    "building": patch_of("Building", {"address": "Jeronýmova 27, Liberec", "station": "Liberec"}),
    "point": patch_of("Point", {"max_rate": 150.0, "allowed_gap_h": None}),
    "meter": patch_of("Meter", {"removed": "2026-03-04T10:15:00+01:00", "final": 48213.4}),
    "event": patch_of("Event", {"retracted": True}),
    "station": patch_of("Station", {"fallbacks": ["jablonec"]}),
    "measure": patch_of("Measure", {"effective": "2025-09-01", "expected_saving": 120.0, "expected_unit": "MWh"}),
    "adjustment": patch_of("Adjustment", {"until": "2026-05-01"}),
}
