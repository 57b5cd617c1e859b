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
    "check": "Projděte toalety, pojistné ventily a zahradní rozvody; v noci odečtěte vodoměr dvakrát po hodině.",
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
