"""Examples of profiles and what is made of samples, as the contract shows them."""

from typing import Any, Final

PAYLOAD: Final = '{"sn":"00471","odber_kwh":12345.6,"cas":"2026-03-05T13:00:00+01:00"}'
READING: Final[dict[str, Any]] = {
    "meter": "00471",
    "quantity": "energy",
    "register": "import",
    "kind": "cumulative",
    "value": 12345.6,
    "unit": "kWh",
    "at": "2026-03-05T12:00:00Z",
    "field": "odber_kwh",
    "source_value": 12345.6,
    "source_unit": "kWh",
    "profile": "acme",
}
TEXT: Final = (
    'name = "acme"\n\n[match]\ntopics = ["skola/{id}/stav"]\n\n[[rows]]\nmeter = "{sn}"\ntime = ["cas"]\n\n'
    '[[rows.readings]]\npath = "odber_kwh"\nunit = "kWh"\nregister = "import"\n'
)
FORMAT: Final[dict[str, Any]] = {
    "name": "acme",
    "title": "Rozvaděče ACME",
    "about": "",
    "origin": "own",
    "topics": ["skola/{id}/stav"],
    "cases": 1,
    "text": TEXT,
}
FORMATS: Final[dict[str, Any]] = {"items": [FORMAT], "overlaps": []}
TRIALS: Final[dict[str, Any]] = {"cases": 1, "failed": []}
MESSAGE: Final[dict[str, Any]] = {"topic": "skola/rozvadec-7/stav", "payload": PAYLOAD}
DECODED: Final[dict[str, Any]] = {"readings": [READING]}
SAMPLE: Final[dict[str, Any]] = {
    "form": "json",
    "each": "",
    "lists": [],
    "numbers": [
        {"path": "odber_kwh", "value": "12345.6", "quantity": "energy", "unit": "kWh", "kind": "cumulative"},
    ],
    "names": ["{sn}"],
    "times": {"cas": "auto"},
}
CHOICES: Final[dict[str, Any]] = {
    **MESSAGE,
    "choices": {
        "name": "acme",
        "title": "Rozvaděče ACME",
        "topic": "skola/{id}/stav",
        "meter": "{sn}",
        "time": "cas",
        "readings": [{"path": "odber_kwh", "quantity": "energy", "unit": "kWh", "register": "import"}],
    },
}
DRAFT: Final[dict[str, Any]] = {"name": "acme", "text": TEXT, "readings": [READING]}
