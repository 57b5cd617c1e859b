"""Examples of what people work on, as the contract shows them."""

from typing import Any, Final

from api.register_examples import METER, POINT

AUDIT: Final[dict[str, Any]] = {
    "items": [
        {
            "at": "2026-03-04T09:20:00Z",
            "by": "novakova",
            "entity": "point",
            "key": "B01-EL",
            "why": "smlouva o připojení",
            "before": {**POINT, "max_rate": 100.0},
            "after": POINT,
            "id": 311,
        }
    ],
    "next": None,
}
INBOX: Final[dict[str, Any]] = {
    "items": [
        {
            "device": "em-0042",
            "register": "energy.import",
            "unit": "kWh",
            "first_seen": "2026-03-01T08:00:00Z",
            "last_seen": "2026-03-04T09:15:00Z",
            "count": 294,
            "last_value": 1204.7,
            "topic": "odecet/em-0042",
            "sample": '{"value": 1204.7, "unit": "kWh"}',
            "proposal": None,
        },
        {
            "device": "33333333",
            "register": "volume.total",
            "unit": "m³",
            "first_seen": "2026-03-04T09:00:00Z",
            "last_seen": "2026-03-04T09:00:00Z",
            "count": 0,
            "last_value": None,
            "topic": "water/33333333/state",
            "sample": "",
            "proposal": {
                "commodity": "cold_water",
                "unit": "m³",
                "kind": "cumulative",
                "name": "Reading",
                "manufacturer": "ACME",
                "model": "W1",
                "profile": "home_assistant",
                "description": "homeassistant/device/33333333/config",
                "topic": "water/33333333/state",
                "flags": [],
                "read": True,
                "first_seen": "2026-03-04T09:00:00Z",
                "last_seen": "2026-03-04T09:00:00Z",
            },
        },
    ],
    "next": None,
    "total": 2,
}
ASSIGNMENT: Final[dict[str, Any]] = {"point": "B01-EL", "serial": "2026/042", "digits": 6}
MOUNTED: Final[dict[str, Any]] = {**METER, "id": "em-0042", "device": "em-0042", "mounted": "2026-03-01T08:00:00Z"}
LETTER: Final[dict[str, Any]] = {
    "id": 17,
    "topic": "odecet/em-0042",
    "reason": "malformed",
    "detail": "the payload is no JSON: it ends at byte 7",
    "received": "2026-03-04T09:15:00Z",
    "retained": False,
    "replayed": None,
    "size": 7,
    "text": "{broken",
    "base64": None,
}
LETTERS: Final[dict[str, Any]] = {"items": [LETTER], "next": None, "total": 1}
REPLAYED: Final[dict[str, Any]] = {"readings": 1, "rejected": [], "ignored": "", "replayed": True}
FINDINGS: Final[dict[str, Any]] = {
    "items": [
        {
            "id": "3f1c9a2b77d04e15",
            "point": "B01-EL",
            "meter": "em-0001",
            "register": "energy.import",
            "rule": "break",
            "start": "2026-03-04T09:00:00Z",
            "end": "2026-03-04T09:15:00Z",
            "open": True,
            "evidence": {"before": 48213.4, "after": 0.2},
            "proposal": {"kind": "swap", "at": "2026-03-04T09:15:00Z", "final": 48213.4, "first": 0.2},
        }
    ],
    "next": None,
}
ANSWER: Final[dict[str, Any]] = {"kind": "swap", "at": "2026-03-04T10:15:00+01:00", "final": 48213.4, "first": 0.2}
EVENT: Final[dict[str, Any]] = {
    "id": "B01-EL/20260304T091500.000000Z/swap",
    "meter": "em-0001",
    "at": "2026-03-04T09:15:00Z",
    "kind": "swap",
    "final": 48213.4,
    "first": 0.2,
    "new_device": "",
    "register": "",
    "note": "",
    "retracted": False,
}
