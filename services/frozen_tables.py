"""Dated tables, and what models rest on, as JSON and back without loss, so that a publication holds their content."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from analytics.baseline.placebo import Calibration
from core.calendar import zone
from core.climate import Normal
from core.factors import FactorTables
from core.populations import Population
from core.publications import canonical, digest_of
from core.region_tables import RegionTables
from core.tariffs import CapacityRule, Connection, MeasuredRule, Price, ReservedRule, Tariffs
from services.baselines import Facts
from services.frozen import to_json

TABLES: Final = ("factors", "tariffs", "populations", "normals")
"""The dated tables by their names in RegionTables."""
_RULES: Final[Mapping[str, type[CapacityRule]]] = {"reserved": ReservedRule, "measured": MeasuredRule}


def tables_to_json(tables: RegionTables) -> dict[str, Any]:
    """Return the content of all dated tables."""
    said: dict[str, Any] = {name: to_json(getattr(tables, name)) for name in TABLES if name != "tariffs"}
    names = {kind: name for name, kind in _RULES.items()}
    said["tariffs"] = {
        "prices": to_json(tables.tariffs.prices),
        "connections": to_json(tables.tariffs.connections),
        "rules": [{"kind": names[type(rule)], "rule": to_json(rule)} for rule in tables.tariffs.rules],
    }
    return said | {"place": tables.place}


def tables_from(said: Mapping[str, Any]) -> RegionTables:
    """Return the dated tables that JSON says."""
    tariffs = said["tariffs"]
    return RegionTables(
        factors=msgspec.convert(said["factors"], FactorTables),
        tariffs=Tariffs(
            prices=msgspec.convert(tariffs["prices"], tuple[Price, ...]),
            connections=msgspec.convert(tariffs["connections"], tuple[Connection, ...]),
            rules=tuple(msgspec.convert(row["rule"], _RULES[row["kind"]]) for row in tariffs["rules"]),
        ),
        populations=msgspec.convert(said["populations"], tuple[Population, ...]),
        normals=msgspec.convert(said["normals"], tuple[Normal, ...]),
        place=said["place"],
    )


def digests(said: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each table's content."""
    return {name: digest_of(canonical(said[name])) for name in TABLES}


def facts_to_json(facts: Facts | None) -> dict[str, Any] | None:
    """Return what models rest on besides readings: how far they stray, and the calendar."""
    if facts is None:
        return None
    return {
        "calibration": to_json(facts.calibration),
        "zone": facts.zone.key,
        "holidays": sorted(day.isoformat() for day in facts.holidays),
        "school": sorted(day.isoformat() for day in facts.school),
    }


def facts_from(said: Mapping[str, Any] | None) -> Facts | None:
    """Return what models rested on."""
    if said is None:
        return None
    return Facts(
        calibration=msgspec.convert(said["calibration"], Calibration),
        zone=zone(said["zone"]),
        holidays=frozenset(map(date.fromisoformat, said["holidays"])),
        school=frozenset(map(date.fromisoformat, said["school"])),
    )
