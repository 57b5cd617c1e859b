"""An example of a report, as the contract shows it."""

from typing import Any, Final

REPORT: Final[dict[str, Any]] = {
    "id": {"kind": "annual", "period": "2025"},
    "region": "Liberecký kraj",
    "made_at": "2026-02-27T09:30:00Z",
    "cutoff": "2026-02-20T22:59:59Z",
    "register": 418,
    "software": "0.1.0",
    "goals": [
        {"id": "2.1", "name": "Úspora energie a vody na základě inteligentního měření", "strategic": "save"},
    ],
    "areas": [
        {
            "id": "EM",
            "name": "Energetický management a hospodaření s vodou",
            "priority_area": "Životní prostředí",
            "guarantor": "Odbor investic",
            "vision": "",
            "goals": ["2.1"],
            "strategic": ["save"],
            "state": "published",
            "delivered_by": "Petr Dvořák",
            "delivered_at": "2026-02-12T08:00:00Z",
            "texts": {"realised": "Byla dokončena instalace dálkových odečtů."},
            "activities": [],
            "rows": [
                {
                    "indicator": "E1",
                    "name": "Konečná spotřeba energie krajských budov",
                    "definition": "Součet spotřeby všech odběrných míst.",
                    "goals": ["2.1"],
                    "guarantor": "Odbor investic",
                    "by_hand": False,
                    "direction": "down",
                    "cells": [
                        {
                            "key": "total",
                            "name": "celkem",
                            "unit": "MWh",
                            "decimals": 1,
                            "value": 50765.6,
                            "before": 52010.2,
                            "standing": {
                                "judgement": "met",
                                "target": 52000.0,
                                "year": 2025,
                                "gap": -1234.4,
                                "share": None,
                            },
                        }
                    ],
                    "status": "final",
                    "published": True,
                    "first": "2025-01-01",
                    "end": "2026-01-01",
                }
            ],
        }
    ],
    "missing": [{"lack": "texts", "area": "Doprava", "names": ["realised", "fulfilment"]}],
    "publication": {
        "id": "annual-2025-v1",
        "version": 1,
        "at": "2026-02-27T09:30:00Z",
        "by": "Jana Nováková",
        "digest": "3f9a0c5d7e2b418f6a5c9d0e1b2f3a4c5d6e7f8091a2b3c4d5e6f708192a3b4c",
    },
}
CSV: Final = (
    "Oblast;Kód;Indikátor;Ukazatel;Jednotka;Od;Do;Hodnota\r\n"
    "Energetický management;E1;Konečná spotřeba energie krajských budov;celkem;MWh;01.01.2025;31.12.2025;50765,6\r\n"
)
