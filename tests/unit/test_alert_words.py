"""What alerts say: steps to check for every rule, a word for every number, numbers as Czech people write them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.checks import CHECKS, checks
from alerts.evidence_words import HIDDEN, NUMBERS, TRACES, number, told
from alerts.wording import TITLES
from analytics.anomalies.finding import Rule
from core.evidence import SERIES

ANOMALIES = Path(__file__).parents[2] / "analytics" / "anomalies"
RULES = {*(rule.value for rule in Rule), "source_silent"}


def keys_of_evidence() -> Iterator[str]:
    """Every literal key of a mapping that detectors call evidence, and every trace that they name."""
    for path in ANOMALIES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            mappings = []
            if isinstance(node, ast.keyword) and node.arg == "evidence":
                mappings = [node.value]
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "evidence" for t in node.targets
            ):
                mappings = [node.value]
            for mapping in mappings:
                if isinstance(mapping, ast.Dict):
                    yield from (key.value for key in mapping.keys if isinstance(key, ast.Constant))


def names_of_traces() -> Iterator[str]:
    for path in ANOMALIES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"trace", "_daily"}:
                yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant))


def test_every_rule_has_a_title_and_steps_to_check_in_both_languages() -> None:
    assert set(TITLES) == RULES == set(CHECKS)
    for rule in RULES:
        czech, english = checks(rule, "cs"), checks(rule, "en")
        assert len(czech) == len(english) >= 1
        assert all(step[-1] in ".?" for step in (*czech, *english)), rule
        assert not set(czech) & set(english)


def test_every_number_and_line_of_detectors_has_a_word() -> None:
    keys = set(keys_of_evidence())
    assert len(keys) > 20
    assert keys - set(NUMBERS) - HIDDEN - {SERIES} == set()
    assert set(names_of_traces()) - set(TRACES) == set()


@pytest.mark.parametrize(
    ("value", "czech", "english"),
    [
        (0.05, "0,05", "0.05"),
        (1234.5, "1\u00a0234", "1,234"),
        (-3.0, "\u22123", "\u22123"),
        (0.0, "0", "0"),
        (0.00001234, "0", "0"),
        (99.96, "100", "100"),
        (12.345, "12,3", "12.3"),
    ],
)
def test_numbers_are_written_as_people_do(value: float, czech: str, english: str) -> None:
    assert (number(value, "cs"), number(value, "en")) == (czech, english)


def test_numbers_carry_the_units_that_follow_from_the_alerts_own() -> None:
    evidence = {
        "base_load": 22.5,
        "free_day": 250.0,
        "share": 0.125,
        "score": 9.1,
        "odd": 3,
        "off": True,
        "nothing": None,
    }
    assert told(evidence, "kWh", "cs") == [
        ("Trvalý odběr", "22,5\u00a0kW"),
        ("Volný den", "250\u00a0kWh"),
        ("Odchylka", "12,5\u00a0%"),
        ("odd", "3"),
    ]
    assert told({"flow": 0.25, "expected_per_day": 3.0}, "m³", "en") == [
        ("Flow", "0.25\u00a0m³/h"),
        ("Expected", "3\u00a0m³/day"),
    ]


def test_a_limit_that_is_another_number_too_is_said_once() -> None:
    series = [{"name": "power", "unit": "kW", "at": ["2026-03-01T00:00:00+00:00"], "value": [1.0]}]
    evidence = {"reserved_kw": 50.0, "threshold": 50.0, "usual": 20.0, "series": series}
    assert told(evidence, "kWh", "cs") == [("Rezervovaná kapacita", "50\u00a0kW"), ("Obvykle", "20\u00a0kW")]
