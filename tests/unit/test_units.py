import pytest

from core.errors import UnitError
from core.units import Quantity, unit

CASES = [
    ("kWh", Quantity.ENERGY, 1.0, 1.0),
    ("KWH", Quantity.ENERGY, 1.0, 1.0),
    ("Wh", Quantity.ENERGY, 120_000_000.0, 120_000.0),
    ("MWh", Quantity.ENERGY, 1.5, 1500.0),
    ("GJ", Quantity.ENERGY, 1.0, 277.77777777777777),
    ("MJ", Quantity.ENERGY, 3.6, 1.0),
    ("Gcal", Quantity.ENERGY, 1.0, 1163.0),
    ("m3", Quantity.VOLUME, 2.0, 2.0),
    ("m³", Quantity.VOLUME, 2.0, 2.0),
    ("m^3", Quantity.VOLUME, 2.0, 2.0),
    ("l", Quantity.VOLUME, 876_471.0, 876.471),
    ("L", Quantity.VOLUME, 1000.0, 1.0),
    ("W", Quantity.POWER, 1500.0, 1.5),
    ("l/h", Quantity.FLOW, 500.0, 0.5),
    ("l/min", Quantity.FLOW, 10.0, 0.6),
    ("°F", Quantity.TEMPERATURE, 212.0, 100.0),
    ("K", Quantity.TEMPERATURE, 273.15, 0.0),
    ("ºC", Quantity.TEMPERATURE, 21.5, 21.5),
]


@pytest.mark.parametrize(("text", "quantity", "value", "canonical"), CASES)
def test_a_value_becomes_canonical_once(text: str, quantity: Quantity, value: float, canonical: float) -> None:
    found = unit(text)
    assert found.quantity is quantity
    assert value * found.scale / found.divisor + found.offset == pytest.approx(canonical, rel=1e-12, abs=1e-9)


def test_milli_and_mega_are_not_mixed_up() -> None:
    assert unit("mWh").divisor == 1e6
    assert unit("MWh").scale == 1e3
    with pytest.raises(UnitError, match="mwh"):
        unit("mwh")


@pytest.mark.parametrize("text", ["", "kwhh", "kg", "€", "m2"])
def test_an_unknown_unit_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnitError, match="is not known"):
        unit(text)
