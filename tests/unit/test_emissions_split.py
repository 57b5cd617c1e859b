from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.attribution import Cause, Side, Split, Undetermined, rounded, shapley, split, together

kwh = st.floats(0, 5e8, allow_nan=False)
factors = st.floats(0, 1.5, allow_nan=False)
people = st.floats(1, 2e7, allow_nan=False)


@st.composite
def sides(draw: st.DrawFn) -> Side:
    energy = draw(st.one_of(st.just(0.0), kwh))
    return Side(
        energy_kwh=energy,
        emission_kg=energy * draw(factors),
        normal_kwh=draw(st.none() | kwh),
        inhabitants=draw(st.none() | people),
    )


@given(before=sides(), after=sides(), per_inhabitant=st.booleans())
def test_parts_add_up_to_the_change_to_the_last_digit(before: Side, after: Side, *, per_inhabitant: bool) -> None:
    found = split(before, after, per_inhabitant=per_inhabitant)
    if isinstance(found, Undetermined):
        assert found.reason == "no_population"
        assert per_inhabitant
        return
    assert sum(found.parts_mg.values()) == found.change_mg == found.after_mg - found.before_mg
    if not per_inhabitant:
        assert found.after_mg == round(Fraction(after.emission_kg or 0.0) * 1_000_000)
    assert set(found.parts_mg) | set(found.reasons) == set(Cause)


@given(sides(), sides())
def test_the_way_back_is_the_way_there_with_the_other_sign(before: Side, after: Side) -> None:
    there, back = split(before, after), split(after, before)
    assert isinstance(there, Split)
    assert isinstance(back, Split)
    for cause, part in there.parts_mg.items():
        assert abs(part + back.parts_mg[cause]) <= len(Cause)


@given(side=sides(), per_inhabitant=st.booleans())
def test_nothing_that_changed_nothing_gets_a_part(side: Side, *, per_inhabitant: bool) -> None:
    found = split(side, side, per_inhabitant=per_inhabitant)
    if isinstance(found, Split):
        assert set(found.parts_mg.values()) == {0}


def test_a_change_of_one_cause_is_all_its_own() -> None:
    base = {"energy_kwh": 1000.0, "emission_kg": 400.0, "normal_kwh": 900.0, "inhabitants": 450_000.0}
    cleaner = split(Side(**base), Side(**{**base, "emission_kg": 340.0}))
    colder = split(Side(**base), Side(**{**base, "energy_kwh": 1100.0, "emission_kg": 440.0}))
    assert isinstance(cleaner, Split)
    assert isinstance(colder, Split)
    assert cleaner.parts_mg == {
        Cause.CONSUMPTION: 0, Cause.WEATHER: 0, Cause.FACTOR: -60_000_000, Cause.POPULATION: 0
    }  # fmt: skip
    assert colder.parts_mg[Cause.WEATHER] == colder.change_mg == 40_000_000


def test_more_inhabitants_who_use_as_before_are_populations_part_and_lower_nothing_per_head() -> None:
    few = Side(energy_kwh=1e6, emission_kg=4e5, normal_kwh=1e6, inhabitants=400_000)
    many = Side(energy_kwh=1.1e6, emission_kg=4.4e5, normal_kwh=1.1e6, inhabitants=440_000)
    whole, each = split(few, many), split(few, many, per_inhabitant=True)
    assert isinstance(whole, Split)
    assert isinstance(each, Split)
    assert whole.parts_mg[Cause.POPULATION] == whole.change_mg == 40_000_000_000
    assert each.change_mg == 0
    assert each.parts_mg[Cause.POPULATION] == -each.parts_mg[Cause.CONSUMPTION] < 0


def test_a_cause_that_is_not_known_has_a_reason_in_place_of_a_part() -> None:
    found = split(Side(energy_kwh=100.0, emission_kg=20.0), Side(energy_kwh=80.0, emission_kg=16.0))
    assert isinstance(found, Split)
    assert found.reasons == {Cause.WEATHER: "no_normalised_consumption", Cause.POPULATION: "no_population"}
    assert found.parts_mg == {Cause.CONSUMPTION: -4_000_000, Cause.FACTOR: 0}


def test_no_factor_or_no_consumption_is_no_split_with_the_reason() -> None:
    known, blank = Side(energy_kwh=100.0, emission_kg=20.0), Side(energy_kwh=100.0, emission_kg=None)
    assert split(known, blank) == Undetermined(reason="no_factor")
    assert split(Side(energy_kwh=None, emission_kg=None), known) == Undetermined(reason="no_consumption")
    with pytest.raises(ValueError, match="no number"):
        split(known, Side(energy_kwh=float("nan"), emission_kg=1.0))


def test_a_carrier_that_came_anew_is_consumption_though_it_had_no_factor_before() -> None:
    found = split(Side(energy_kwh=0.0, emission_kg=None), Side(energy_kwh=1000.0, emission_kg=200.0))
    assert isinstance(found, Split)
    assert found.parts_mg == {Cause.CONSUMPTION: 200_000_000, Cause.FACTOR: 0}


@given(st.lists(st.tuples(sides(), sides()), min_size=1, max_size=4))
def test_splits_of_carriers_add_up_as_exactly(pairs: list[tuple[Side, Side]]) -> None:
    found = [one for pair in pairs if isinstance(one := split(*pair), Split)]
    whole = together(found)
    assert sum(whole.parts_mg.values()) == whole.change_mg == sum(one.change_mg for one in found)


@given(st.dictionaries(st.text(max_size=3), st.fractions(-1000, 1000), min_size=1, max_size=5), st.integers(-3, 3))
def test_rounding_keeps_the_sum_asked_for(parts: dict[str, Fraction], off: int) -> None:
    total = round(sum(parts.values())) + off
    assert sum(rounded(parts, total).values()) == total


@given(
    st.lists(st.fractions(-100, 100), min_size=3, max_size=3), st.lists(st.fractions(-100, 100), min_size=3, max_size=3)
)
def test_shapley_leaves_no_rest_for_any_function(first: list[Fraction], last: list[Fraction]) -> None:
    def value(p: dict[str, Fraction]) -> Fraction:
        return p["a"] * p["b"] * p["c"] + p["a"] ** 2 - p["c"]

    before, after = dict(zip("abc", first, strict=True)), dict(zip("abc", last, strict=True))
    assert sum(shapley(value, before, after).values()) == value(after) - value(before)  # type: ignore[arg-type]
