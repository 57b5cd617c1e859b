"""Examples of documents and notes of buildings, as the contract shows them."""

from typing import Any, Final

_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DOCUMENT: Final[dict[str, Any]] = {
    "id": "2c26b46b68ffc68f",
    "version": 1,
    "building": "B01",
    "kind": "penb",
    "kind_text": "Průkaz energetické náročnosti (PENB)",
    "title": "PENB hlavní budovy",
    "name": "PENB-hlavni-budova.pdf",
    "media_type": "application/pdf",
    "size": 482133,
    "digest": _DIGEST,
    "valid_from": "2016-09-01",
    "valid_until": "2026-08-31",
    "validity": "soon",
    "validity_text": "platí do 31.08.2026, zbývá 61 dní",
    "days": 61,
    "remark": "bez přístavby tělocvičny",
    "added_by": "vesela",
    "added_at": "2026-02-10T09:00:00Z",
    "state": "added",
    "by": "vesela",
    "at": "2026-02-10T09:00:00Z",
    "why": "",
}
DOCUMENTS: Final[dict[str, Any]] = {"items": [DOCUMENT]}
DOCUMENT_HISTORY: Final[dict[str, Any]] = {
    "document": DOCUMENT,
    "versions": [
        {
            "version": 1,
            "act": "added",
            "by": "vesela",
            "at": "2026-02-10T09:00:00Z",
            "why": "",
            "said": {"kind": "penb", "title": "PENB hlavní budovy", "valid_until": "2026-08-31"},
        }
    ],
}
CORRECTION: Final[dict[str, Any]] = {
    "title": "PENB hlavní budovy",
    "valid_until": "2026-08-31",
    "why": "překlep v roce",
}
WITHDRAWAL: Final[dict[str, Any]] = {"why": "patří k jiné budově"}
NOTE: Final[dict[str, Any]] = {
    "id": "fcde2b2edba56bf4",
    "version": 1,
    "building": "B01",
    "day": "2025-09-01",
    "text": "Školní družina končí v 17 h.",
    "added_by": "skolnik",
    "added_at": "2025-09-02T06:30:00Z",
    "state": "added",
    "by": "skolnik",
    "at": "2025-09-02T06:30:00Z",
    "why": "",
}
NOTES: Final[dict[str, Any]] = {"items": [NOTE]}
NOTE_HISTORY: Final[dict[str, Any]] = {
    "note": NOTE,
    "versions": [
        {
            "version": 1,
            "act": "added",
            "by": "skolnik",
            "at": "2025-09-02T06:30:00Z",
            "why": "",
            "said": {"day": "2025-09-01", "text": "Školní družina končí v 17 h."},
        }
    ],
}
NEW_NOTE: Final[dict[str, Any]] = {"building": "B01", "day": "2025-09-01", "text": "Školní družina končí v 17 h."}
NOTE_CORRECTION: Final[dict[str, Any]] = {
    "day": "2025-09-01",
    "text": "Školní družina končí v 16.30.",
    "why": "překlep",
}
