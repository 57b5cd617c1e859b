import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.discovery.templates import WHOLE, Refused, Template, template_of
from ingest.profiles.paths import MISSING


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("{{ value_json.total_m3 }}", ("total_m3",)),
        ("{{value_json['total m3']}}", ("total m3",)),
        ('{{- value_json["1-0:1.8.0"] -}}', ("1-0:1.8.0",)),
        ("{{ value_json.ENERGY.Total }}", ("ENERGY", "Total")),
        ("{{ value_json.list[0].v }}", ("list", 0, "v")),
        ("{{ value_json.v | float(0) | round(2) }}", ("v",)),
        ("{{ value_json.v|is_defined }}", ("v",)),
        ("{{ value_json.v | default('nic') | int }}", ("v",)),
        ("{{ (value_json.v) | float }}", ("v",)),
    ],
)
def test_places_are_read(text: str, steps: tuple[str | int, ...]) -> None:
    assert template_of(text) == Template(json=True, steps=steps)


@pytest.mark.parametrize("text", ["", "  ", "{{ value }}", "{{ value | float }}", "{{value|round(1)}}"])
def test_the_whole_payload_is_the_value_where_nothing_else_is_said(text: str) -> None:
    assert template_of(text) == WHOLE


@pytest.mark.parametrize(
    ("text", "scale", "divisor"),
    [
        ("{{ value_json.v / 1000 }}", 1, 1000),
        ("{{ (value_json.v | float / 1000) | round(3) }}", 1, 1000),
        ("{{ value_json.v * 0.01 }}", 0.01, 1),
        ("{{ value_json.v * 10 / 4 }}", 10, 4),
    ],
)
def test_factors_are_kept_apart_from_divisors_so_that_thousandths_are_exact(
    text: str, scale: float, divisor: float
) -> None:
    made = template_of(text)
    assert (made.scale, made.divisor) == (scale, divisor)


@pytest.mark.parametrize(
    "text",
    [
        "{{ value_json.a or value_json.b }}",
        "{{ value_json.a + value_json.b }}",
        "{{ value_json.a - 5 }}",
        "{{ value_json.a if value_json.a else 0 }}",
        "{% if value_json.a %}{{ value_json.a }}{% endif %}",
        "{{ value_json.a }} kWh",
        "{{ value_json.a }}{{ value_json.b }}",
        "{{ value_json.get('a') }}",
        "{{ value_json.a | multiply(10) }}",
        "{{ value_json.a | abs }}",
        "{{ value_json.a | float(value_json.b) }}",
        "{{ states('sensor.x') }}",
        "{{ value_json.a * value_json.b }}",
        "{{ value_json.a / 0 }}",
        "{{ -value_json.a }}",
        "{{ value_json[key] }}",
        "{{ value_json.a[1.5] }}",
        "{{ value_json",
        "value",
        "{{ }}",
        "{{ " + "(" * 400 + "value" + ")" * 400 + " }}",
    ],
)
def test_whatever_chooses_adds_or_calls_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        template_of(text)


@given(st.text(alphabet="{} value_json.ab[0]'\"|()*/+-,floatround123", max_size=120))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    for template in (text, "{{ value_json" + text + " }}"):
        try:
            made = template_of(template)
        except Refused:
            continue
        assert made.scale
        assert made.divisor


def test_what_is_not_there_is_missing_and_never_the_default() -> None:
    made = template_of("{{ value_json.a[1].b | default(0) }}")
    for tree in ({}, {"a": []}, {"a": [0]}, {"a": [0, {}]}, [], 5, None, {"a": {"1": {"b": 2}}}):
        assert made.take(tree) is MISSING
    assert made.take({"a": [0, {"b": 7}]}) == 7
    assert made.field == "a[1].b"
    assert made.leaf == "b"
