"""Examples of alerts, as the contract shows them."""

from typing import Any, Final

ALERT: Final[dict[str, Any]] = {
    "id": "5d1f0a9c3b7e42d86f10",
    "rule": "leak",
    "title": "Únik vody",
    "kind": "point",
    "subject": "B01-SV",
    "building": "B01",
    "state": "assigned",
    "severity": "medium",
    "opened_at": "2026-03-04T05:10:00Z",
    "changed_at": "2026-03-04T07:32:00Z",
    "at_from": "2026-03-02T23:00:00Z",
    "seen_to": "2026-03-04T05:00:00Z",
    "standing": True,
    "loss_per_day": 2.4,
    "unit": "m³",
    "loss_czk_per_day": 312.0,
    "covers": [],
    "assignee": "novak",
    "acknowledged_by": "novakova",
    "acknowledged_at": "2026-03-04T07:30:00Z",
    "snoozed_until": None,
    "cause": "",
    "note": "",
    "resolved_by": "",
    "ended_at": None,
    "part_of": "",
    "reopened": 0,
    "revision": 3,
}
PAGE: Final[dict[str, Any]] = {"items": [ALERT], "next": None}
DETAIL: Final[dict[str, Any]] = {
    "alert": ALERT,
    "evidence": {"night_m3_h": 0.1, "usual_night_m3_h": 0.0},
    "check": "V noci odečtěte vodoměr dvakrát po hodině. Projděte toalety.",
    "checks": ["V noci odečtěte vodoměr dvakrát po hodině.", "Projděte toalety."],
    "history": [{"at": "2026-03-04T05:10:00Z", "by": "odecet", "did": "opened", "state": "open", "note": ""}],
    "messages": [
        {
            "recipient": "novak",
            "channel": "mail",
            "state": "sent",
            "due": "2026-03-04T05:10:00Z",
            "attempts": 1,
            "error": "",
        }
    ],
}
ACT: Final[dict[str, Any]] = {"act": "resolve", "cause": "repaired", "note": "vyměněn ventil"}
TIMES: Final[dict[str, Any]] = {
    "items": [
        {
            "severity": "high",
            "alerts": 4,
            "acknowledged": 4,
            "resolved": 3,
            "closed": 1,
            "mean_hours_to_acknowledge": 1.5,
            "mean_hours_to_resolve": 20.25,
        }
    ]
}

RECIPIENT: Final[dict[str, Any]] = {
    "id": "novak",
    "name": "Jan Novák",
    "role": "caretaker",
    "mail": "novak@example.cz",
    "webhook": "",
    "topic": "",
    "buildings": ["B01"],
    "quiet": [{"begin": "22:00:00", "end": "06:00:00", "days": [0, 1, 2, 3, 4, 5, 6], "except_from": "high"}],
    "language": "cs",
    "off": False,
    "person": "",
}
RECIPIENTS: Final[dict[str, Any]] = {"items": [RECIPIENT], "next": None, "total": 1}
ROUTE: Final[dict[str, Any]] = {
    "id": "skolnici",
    "channel": "mail",
    "role": "caretaker",
    "person": "",
    "buildings": [],
    "rules": [],
    "least": "medium",
    "delay_min": 0.0,
    "digest": False,
    "ends": False,
}
ROUTES: Final[dict[str, Any]] = {"items": [ROUTE], "next": None, "total": 1}
WINDOW: Final[dict[str, Any]] = {
    "id": "vymena-vodomeru",
    "scope": "building",
    "start": "2026-04-07T06:00:00Z",
    "end": "2026-04-07T14:00:00Z",
    "reason": "výměna vodoměru",
    "key": "B01",
    "rules": [],
}
WINDOWS: Final[dict[str, Any]] = {"items": [WINDOW], "next": None, "total": 1}
GAP: Final[dict[str, Any]] = {"severities": ["low"], "rules": [], "buildings": ["B02"], "digest": True}
GAPS: Final[dict[str, Any]] = {"items": [GAP], "next": None, "total": 1}
RECEIVERS: Final[dict[str, Any]] = {
    "receivers": [{"recipient": "novak", "name": "Jan Novák", "channel": "mail", "due": "2026-03-04T05:10:00Z"}],
    "gaps": [{"gap": "no_address", "route": "skolnici", "recipient": "dvorak"}],
}
MESSAGE: Final[dict[str, Any]] = {
    "key": "9f2c4a17c0d1b3e5f60718293a4b5c6d7e8f9012",
    "channel": "mail",
    "recipient": "novak",
    "state": "waiting",
    "subject": "Únik vody – Gymnázium, Studená voda (2,4 m³, 312 Kč za den)",
    "alerts": ["5d1f0a9c3b7e42d86f10"],
    "created": "2026-03-04T05:10:00Z",
    "due": "2026-03-04T05:10:00Z",
    "attempts": 0,
    "error": "",
}
MESSAGES: Final[dict[str, Any]] = {"items": [MESSAGE], "next": None, "total": 1}
BULK: Final[dict[str, Any]] = {"keys": ["5d1f0a9c3b7e42d86f10", "0aa1"], "act": "acknowledge"}
BULK_DONE: Final[dict[str, Any]] = {
    "items": [
        {"key": "5d1f0a9c3b7e42d86f10", "state": "acknowledged", "error": ""},
        {"key": "0aa1", "state": "", "error": "alert 0aa1 is not known"},
    ]
}
