"""Examples of deliveries and publications, as the contract shows them."""

from typing import Any, Final

BECAUSE: Final[dict[str, Any]] = {
    "code": "text_missing",
    "text": "chybí text: co bylo realizováno",
    "facts": {"text": "realised"},
    "subjects": ["EM"],
}
STEP: Final[dict[str, Any]] = {
    "act": "return",
    "by": "koordinatorka",
    "at": "2026-02-12T08:30:00Z",
    "state": "returned",
    "comment": "U Z1 chybí zdroj.",
}
EVIDENCE: Final[dict[str, Any]] = {
    "id": "9f86d081884c7d65",
    "name": "Protokol č. 3.pdf",
    "media_type": "application/pdf",
    "size": 48213,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "by": "mala",
    "at": "2026-02-10T09:00:00Z",
}
HAND_VALUE: Final[dict[str, Any]] = {
    "indicator": "Z1",
    "amounts": [{"figure": "pocet", "value": 3.0, "low90": None, "high90": None}],
    "comment": "dvě nemocnice se připojí v roce 2026",
    "evidence": [EVIDENCE],
}
DELIVERY: Final[dict[str, Any]] = {
    "kind": "annual",
    "period": "2025",
    "area": "ZD",
    "state": "returned",
    "state_text": "vráceno k doplnění",
    "version": 4,
    "texts": {"realised": "Zapojeny tři nemocnice.", "activity:ZD-1": "Běží."},
    "values": [HAND_VALUE],
    "checks": [{"indicator": "E1", "digest": "ab12", "by": "koordinatorka", "at": "2026-02-12T08:30:00Z", "note": ""}],
    "steps": [STEP],
    "allowed": ["edit", "comment", "deliver", "check_value"],
    "missing": [BECAUSE],
}
EDIT: Final[dict[str, Any]] = {
    "texts": {"realised": "Zapojeny tři nemocnice."},
    "values": [{"indicator": "Z1", "amounts": [{"figure": "pocet", "value": 3}], "comment": ""}],
    "comment": "doplněno",
}
ACT: Final[dict[str, Any]] = {"act": "return", "comment": "U Z1 chybí zdroj."}
CHECK: Final[dict[str, Any]] = {"note": "souhlasí s fakturami", "digest": ""}
BOARD: Final[dict[str, Any]] = {
    "kind": "annual",
    "period": "2025",
    "due": "2026-02-28",
    "items": [
        {
            "area": "ZD",
            "name": "Digitalizace ve zdravotnictví",
            "guarantor": "Jana Malá",
            "state": "returned",
            "state_text": "vráceno k doplnění",
            "version": 4,
            "due": "2026-02-28",
            "overdue": False,
            "missing": [BECAUSE],
            "allowed": ["edit", "comment", "deliver", "check_value"],
            "by_hand": ["Z1"],
            "computed": [],
            "last": STEP,
        }
    ],
}
HEAD: Final[dict[str, Any]] = {
    "id": "annual-2025-v1",
    "kind": "annual",
    "period": "2025",
    "version": 1,
    "at": "2026-03-02T09:00:00Z",
    "by": "koordinatorka",
    "cutoff": "2026-03-02T09:00:00Z",
    "register": 214,
    "digest": "90c1fb6a5710bd5523f788b0f390fc263b162ff03a4b1c6804871ec706cd0f06",
    "previous": "",
    "replaces": "",
    "note": "schváleno radou 24. 2. 2026",
    "code": "0.1.0",
}
VALUE: Final[dict[str, Any]] = {
    "indicator": "E1",
    "scope": "region",
    "first": "2025-01-01",
    "end": "2026-01-01",
    "status": "final",
    "status_text": "konečná",
    "amounts": [{"figure": "total", "value": 228.56, "low90": None, "high90": None}],
    "method": "final_consumption",
    "version": 1,
    "coverage": {"measured": 0.95, "estimated": 0.0, "missing": 0.05, "points": 3, "lacking": ["B2-EL"]},
    "reasons": [{"code": "points_lack", "text": "některým odběrným místům chybí data", "facts": {}, "subjects": []}],
    "activities": [],
    "measures": [],
    "note": "",
    "digest": "77ac",
}
PUBLICATION: Final[dict[str, Any]] = {
    "head": HEAD,
    "values": [VALUE],
    "exceptions": {"area:KB": "garant je nemocen, doplní se v nové verzi"},
    "names": {"building": {"B2": "Tělocvična"}},
    "restatement": None,
}
LIST: Final[dict[str, Any]] = {"items": [HEAD]}
WISH: Final[dict[str, Any]] = {
    "kind": "annual",
    "period": "2025",
    "note": "schváleno radou 24. 2. 2026",
    "exceptions": {"area:KB": "garant je nemocen, doplní se v nové verzi"},
    "cutoff": None,
}
OPEN: Final[dict[str, Any]] = {
    "kind": "annual",
    "period": "2025",
    "cutoff": "2026-03-02T09:00:00Z",
    "values": [VALUE],
    "hindrances": [
        {
            "code": "area_not_checked",
            "text": "oblast Kyberbezpečnost není zkontrolována (rozepsáno)",
            "facts": {"area": "Kyberbezpečnost", "state": "draft"},
            "subjects": ["area:KB"],
        }
    ],
}
NAMED: Final[dict[str, Any]] = {
    "kind": "point",
    "key": "B2-EL",
    "facts": {"change": 2820.0, "readings": 188, "sources": ["import/20260301T090000"]},
}
CHANGE: Final[dict[str, Any]] = {
    "indicator": "E1",
    "scope": "region",
    "figure": "total",
    "old": "228.5635",
    "new": "231.3835",
    "difference": "2.8200",
    "old_status": "final",
    "new_status": "final",
    "parts": [
        {
            "causes": ["late_data"],
            "text": "data došlá po uzávěrce",
            "before": "228.5635",
            "after": "231.3835",
            "difference": "2.8200",
            "named": [NAMED],
        }
    ],
}
RESTATEMENTS: Final[dict[str, Any]] = {
    "items": [
        {
            "kind": "annual",
            "period": "2025",
            "publication": "annual-2025-v1",
            "cutoff": "2026-05-04T09:00:00Z",
            "changes": [CHANGE],
        }
    ]
}
VERIFIED: Final[dict[str, Any]] = {
    "publication": "annual-2025-v1",
    "holds": False,
    "compared": 61,
    "faults": [],
    "differences": [
        {
            "indicator": "E1",
            "scope": "region",
            "place": "amounts/total/value",
            "published": 228.5635,
            "recomputed": 228.6135,
            "why": "",
        }
    ],
    "digest": "90c1fb6a5710bd5523f788b0f390fc263b162ff03a4b1c6804871ec706cd0f06",
}
