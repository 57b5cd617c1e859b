import pytest

from core.units import Quantity
from ingest.discovery.judging import Flag, Said, commodity_of, judge
from ingest.discovery.naming import register_of, words_of

E, P, V, T = Quantity.ENERGY, Quantity.POWER, Quantity.VOLUME, Quantity.TEMPERATURE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("YieldTotal", ("yield", "total")),
        ("total_energy_kWh", ("total", "energy", "kwh")),
        ("Spotřeba celková", ("spotreba", "celkova")),
        ("ch0_PowerAC", ("ch0", "power", "ac")),
        ("water m³/h", ("water", "m3", "h")),
        ("", ()),
    ],
)
def test_names_are_taken_apart_into_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("quantity", "name", "register"),
    [
        (E, "total_energy_kwh", "total"),
        (E, "Energy import", "import"),
        (E, "energy_export_tariff_2", "export/t2"),
        (E, "total_returned", "export"),
        (E, "Energy to grid", "export"),
        (E, "energy_from_grid", "import"),
        (E, "total production", "export"),
        (E, "pv_production", "total"),
        (E, "cooling energy", "cooling"),
        (E, "energy phase B", "total/l2"),
        (E, "energy_L3", "total/l3"),
        (E, "channel_2_energy", "total/c2"),
        (E, "heat_pump_energy", "pump"),
        (E, "boiler", "boiler"),
        (P, "power_phase_c", "total/l3"),
        (P, "current power consumption", "total"),
        (V, "total_water_m3", "total"),
        (V, "backflow_volume", "reverse"),
        (V, "hot_water", "hot"),
        (T, "flow_temperature_c", "flow"),
        (T, "return_c", "return"),
        (T, "T1", "t1"),
        (T, "water temperature difference forward-return", "difference_forward_return"),
        (Quantity.PULSE_COUNT, "counter_4", "total/c4"),
    ],
)
def test_names_tell_registers_as_far_as_they_are_certain(quantity: Quantity, name: str, register: str) -> None:
    assert register_of(quantity, words_of(name), (), ()) == register


def test_a_direction_is_known_from_any_of_the_names() -> None:
    assert register_of(E, words_of("sensor_9f3a21"), words_of("Energy exported"), ()) == "export"


def said(unit: str, name: str, *, kind: str = "cumulative", declared: Quantity | None = None, leaf: str = "") -> Said:
    return Said(declared=declared, unit=unit, kind=kind, words=words_of(name, leaf), leaf=leaf)


@pytest.mark.parametrize(
    "name",
    ["energy today", "Daily energy", "last_month_total", "target_m3", "YieldDay", "energy since reset",
     "current energy", "Verbrauch heute", "Spotřeba dnes", "previous total", "session energy",
     "consumption_at_set_date"],
)  # fmt: skip
def test_counters_of_a_period_and_snapshots_are_no_dials(name: str) -> None:
    verdict = judge(said("kWh", name))
    assert verdict is not None
    assert verdict.reason == "period_counter"
    assert not verdict.read


def test_a_count_that_is_measured_or_begins_anew_is_no_dial() -> None:
    reasons = [v.reason for kind in ("gauge", "resets") if (v := judge(said("kWh", "energy", kind=kind)))]
    assert reasons == ["no_dial", "period_counter"]


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        (said("kWh", "power", declared=P, kind="gauge"), Flag.UNIT_CONTRADICTS),
        (said("W", "energy", declared=E), Flag.UNIT_CONTRADICTS),
        (said("kW", "now", declared=P, kind="gauge", leaf="now_kwh"), Flag.NAME_CONTRADICTS),
        (said("GJ", "total", declared=E, leaf="total_kwh"), Flag.NAME_CONTRADICTS),
        (said("kW", "power", declared=P), Flag.KIND_CONTRADICTS),
        (said("furlong", "energy", declared=E), Flag.UNIT_UNKNOWN),
    ],
)
def test_what_contradicts_itself_is_flagged_and_not_read(wrong: Said, flag: Flag) -> None:
    verdict = judge(wrong)
    assert verdict is not None
    assert flag in verdict.flags
    assert not verdict.read


def test_a_unit_that_is_stated_nowhere_is_asked_for() -> None:
    verdict = judge(said("", "energy", declared=E))
    assert verdict is not None
    assert (verdict.unit, verdict.flags, verdict.read) == ("", (Flag.UNIT_UNSTATED,), True)


@pytest.mark.parametrize(
    ("unit", "name"), [("%", "battery"), ("unit", "thing"), ("dBm", "rssi"), ("", "uptime"), ("", "restart counter")]
)
def test_what_no_class_or_unit_of_a_meter_names_is_passed_over(unit: str, name: str) -> None:
    assert judge(said(unit, name)) is None


def test_heat_cost_units_and_pulses_are_known_by_their_names() -> None:
    found = [judge(said("hca", "current_consumption")), judge(said("unit", "HCA")), judge(said("", "pulses"))]
    assert [(v.quantity, v.unit, v.read) for v in found if v] == [
        (Quantity.HEAT_COST_UNITS, "hca", True),
        (Quantity.HEAT_COST_UNITS, "unit", True),
        (Quantity.PULSE_COUNT, "pulse", True),
    ]


def test_a_difference_in_kelvins_is_no_temperature() -> None:
    verdict = judge(said("K", "temperature difference", declared=T, kind="gauge"))
    assert verdict is not None
    assert verdict.reason == "temperature_difference"
    plain = judge(said("K", "flow temperature", declared=T, kind="gauge"))
    assert plain is not None
    assert plain.read


@pytest.mark.parametrize(
    ("unit", "device_class", "text", "commodity"),
    [
        ("m³", "water", "Water meter", "cold_water"),
        ("m³", "water", "warm water", "hot_water"),
        ("m³", "gas", "meter", "gas"),
        ("m³", "water", "Heat meter total water", None),
        ("kWh", "energy", "Heat meter", "heat"),
        ("GJ", "energy", "meter", "heat"),
        ("kWh", "energy", "PV inverter", "pv"),
        ("kWh", "energy", "Electricity meter", "electricity"),
        ("kWh", "energy", "meter", None),
    ],
)
def test_commodities_are_proposed_where_something_tells_them(
    unit: str, device_class: str, text: str, commodity: str | None
) -> None:
    verdict = judge(said(unit, "total", declared=V if unit == "m³" else E))
    assert verdict is not None
    assert commodity_of(verdict, device_class, words_of(text)) == commodity
