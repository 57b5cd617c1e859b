"""OBIS codes: their spellings, and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.units import Quantity
from ingest.codecs.obis import Code, meaning, meaning_of, parse

GROUP = st.integers(0, 255)
CODES = st.builds(Code, GROUP, GROUP, GROUP, GROUP, GROUP, GROUP)


@given(CODES)
def test_every_full_spelling_is_the_same_code(code: Code) -> None:
    a, b, c, d, e, f = code
    spellings = [
        f"{a}-{b}:{c}.{d}.{e}*{f}",
        f"{a}-{b}:{c}.{d}.{e}.{f}",
        f"{a}-{b}:{c}.{d}.{e}&{f}",
        f"{a}.{b}.{c}.{d}.{e}.{f}",
        f"{a}_{b}_{c}_{d}_{e}_{f}",
        bytes(code).hex(),
        bytes(code).hex().upper(),
        f" {code} ",
    ]
    assert {parse(text) for text in spellings} == {code}


@given(GROUP, GROUP, GROUP)
def test_short_spellings_are_electricity_of_now(c: int, d: int, e: int) -> None:
    assert {parse(f"{c}.{d}.{e}"), parse(f"{c}_{d}_{e}"), parse(f"1-0:{c}.{d}.{e}")} == {Code(1, 0, c, d, e, 255)}


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    code = parse(text)
    assert code is None or max(code) <= 255


@pytest.mark.parametrize(
    "text", ["", "1.8", "1.8.0.0", "1-0:256.8.0", "1.8.0x", "F.F", "C.1.0", "٣.8.0", "1" * 50, "1.8.0**255"]
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert parse(text) is None
    assert meaning(text) is None


@pytest.mark.parametrize(
    ("code", "quantity", "register", "kind"),
    [
        ("1.8.0", "energy", "import", "cumulative"),
        ("1-0:1.8.1", "energy", "import/t1", "cumulative"),
        ("1-1:2.8.2", "energy", "export/t2", "cumulative"),
        ("1-2:1.8.0", "energy", "import/c2", "cumulative"),
        ("1-0:1.8.0*12", "energy", "import", "snapshot"),
        ("21.8.0", "energy", "import/l1", "cumulative"),
        ("62.8.0", "energy", "export/l3", "cumulative"),
        ("16.8.0", "energy", "net", "cumulative"),
        ("3.8.0", "reactive_energy", "import", "cumulative"),
        ("8.8.0", "reactive_energy", "q4", "cumulative"),
        ("1.7.0", "power", "import", "gauge"),
        ("2.7.0", "power", "export", "gauge"),
        ("16.7.0", "power", "total", "gauge"),
        ("42.7.0", "power", "export/l2", "gauge"),
        ("4.7.0", "reactive_power", "export", "gauge"),
        ("31.7.0", "current", "total/l1", "gauge"),
        ("72.7.0", "voltage", "total/l3", "gauge"),
        ("14.7.0", "frequency", "total", "gauge"),
        ("7-0:3.0.0", "volume", "total", "cumulative"),
        ("7-0:3.2.0", "volume", "base", "cumulative"),
        ("8-0:1.0.0", "volume", "total", "cumulative"),
        ("6-0:1.0.0", "energy", "total", "cumulative"),
        ("6-0:10.0.0", "temperature", "flow", "gauge"),
    ],
)
def test_what_codes_mean(code: str, quantity: str, register: str, kind: str) -> None:
    found = meaning(code)
    assert found is not None
    assert (found.quantity, found.register, found.kind) == (quantity, register, kind)


@pytest.mark.parametrize(
    "code",
    [
        "1.6.0",
        "1.4.0",
        "1.2.0",
        "1.9.0",
        "1.29.0",
        "31.7.1",
        "81.7.1",
        "13.7.0",
        "9.8.0",
        "96.1.0",
        "0-0:1.0.0",
        "0-1:24.2.1",
        "1-0:32.32.0",
        "1-0:99.97.0",
        "1-0:1.7.0*1",
        "1-0:1.8.64",
        "2-0:1.8.0",
        "7-0:1.8.0",
        "8-0:2.0.1",
    ],
)
def test_what_is_no_register_has_no_meaning(code: str) -> None:
    assert meaning(code) is None


@given(CODES)
def test_every_meaning_is_in_our_words_and_every_register_is_of_one_code(code: Code) -> None:
    found = meaning_of(code)
    if found is None:
        return
    assert Quantity(found.quantity)
    assert (found.kind == "snapshot") == (code.f != 255)
    twin = meaning_of(code._replace(e=(code.e + 1) % 64))
    assert twin is None or twin.register != found.register
