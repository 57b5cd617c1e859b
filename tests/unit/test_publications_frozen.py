"""Publishing, checking and restating on real stores: what is told stays, what changes is explained to a digit."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from alerts.lifecycle import resolve
from core.alerts import AlertFilter, Change
from core.alerts import Cause as Cause_
from core.deliveries import DeliveryAct, DeliveryState
from core.errors import Conflict, InputError, NotFound, TimeError
from core.indicators import ValueStatus
from core.publications import canonical, digest_of
from core.readings import Readings
from core.registry import DialEvent, EventKind, Meter
from services.deliveries import Part
from services.freezing import opened
from services.frozen import to_json
from services.frozen_tables import facts_from, facts_to_json, tables_from, tables_to_json
from services.publishing import hindrances, newest, open_values, proposals, publish, verify
from services.restatement import DIGITS, Cause, Restatement, _less, _settled
from services.stands import FrozenAlerts
from storage.records import SqlRecordStore
from tests.unit.delivery_world import ANNUAL, ENERGY, HALF, HEALTH
from tests.unit.publication_world import (
    LATE_FROM,
    LATER,
    LEAK,
    OLD_METER,
    PUBLISHED,
    SWAPPED,
    World,
    embedded,
    factor,
    readings,
    series,
    with_factor,
)

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
LATE_KWH = Decimal(2820)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = embedded(tmp_path)
    yield made
    made.store.close()
    made.records.close()


def figure(world: World, indicator: str, now: datetime = LATER) -> float | None:
    return next(v for v in open_values(world.live, ANNUAL, now) if v.indicator == indicator).amount().value


def parts(found: Restatement, indicator: str, figure: str = "") -> dict[Cause, Decimal | None]:
    (change,) = [c for c in found.changes if c.indicator == indicator and figure in {"", c.figure}]
    with localcontext(prec=DIGITS):
        assert sum((p.difference or Decimal(0) for p in change.parts), Decimal(0)) == change.difference
    assert change.difference is not None
    assert change.old is not None
    assert change.old + change.difference == change.new
    return {cause: part.difference for part in change.parts for cause in part.causes}


def test_late_batch_factor_and_swap_leave_what_is_published_and_are_told_apart(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    published = {v.indicator: v.amounts for v in opened(made).values}
    assert proposals(world.live, PUBLISHED + timedelta(hours=1)) == []

    world.late_batch(MARCH)
    world.tables = with_factor(world.tables, factor(2, 0.39))
    world.correct_swap(APRIL)

    again = world.records.publication(made.id)
    assert again.content == made.content
    assert {v.indicator: v.amounts for v in opened(again).values} == published
    assert verify(world.live, made.id, LATER).holds
    assert figure(world, "E1") == pytest.approx((published["E1"][0].value or 0) + 2.82 + 0.02, abs=1e-12)

    (found,) = proposals(world.live, LATER)
    assert found.publication == made.id
    assert parts(found, "E1") == {Cause.LATE_DATA: LATE_KWH / 1000, Cause.REGISTER: Decimal("0.02")}
    emissions = parts(found, "G1")
    assert emissions[Cause.LATE_DATA] == LATE_KWH / 1000 * Decimal("0.43")
    assert emissions[Cause.REGISTER] == Decimal("0.02") * Decimal("0.43")
    assert set(emissions) == {Cause.LATE_DATA, Cause.REGISTER, Cause.FACTORS}
    assert set(parts(found, "G2")) == set(emissions)
    (change,) = [one for one in found.changes if one.indicator == "G1"]
    late, corrected, newer = (part.named[0] for part in change.parts)
    assert (late.kind, late.key, late.facts["sources"], late.facts["readings"]) == (
        "point",
        "B2-EL",
        ["import/late"],
        188,
    )
    assert late.facts["change"] == float(LATE_KWH)
    assert (corrected.kind, corrected.key, corrected.facts["fields"]) == ("meter", "M1", {"final": [99011.0, 99031.0]})
    assert corrected.facts["why"] == "překlep v protokolu"
    assert (newer.kind, newer.key) == ("emission_factor", "electricity-2025")
    assert [newer.facts[side]["version"] for side in ("before", "after")] == [1, 2]


def test_a_restatement_is_published_as_a_new_version_and_the_old_one_stays(world: World) -> None:
    world.ready()
    first = publish(world.live, world.wish())
    with pytest.raises(Conflict, match="nothing has changed"):
        publish(world.live, world.wish(PUBLISHED + timedelta(hours=1)))
    world.late_batch(MARCH)
    with pytest.raises(Conflict, match=r"indicator:E1.* not checked"):
        publish(world.live, world.wish(LATER))
    world.checked(LATER)
    with pytest.raises(InputError, match="say why"):
        publish(world.live, world.wish(LATER, note=" "))
    second = publish(world.live, world.wish(LATER, note="pozdní data tělocvičny"))
    assert (second.id, second.replaces, second.previous) == ("annual-2025-v2", first.id, first.digest)
    assert world.records.publication(first.id).content == first.content
    told = opened(second).restatement
    assert told["publication"] == first.id
    (change,) = [one for one in told["changes"] if one["indicator"] == "E1"]
    assert [part["causes"] for part in change["parts"]] == [["late_data"]]
    assert change["difference"] == "2.8200"
    assert verify(world.live, first.id, LATER).holds
    assert verify(world.live, second.id, LATER).holds
    assert proposals(world.live, LATER) == []


def test_what_nobody_checked_is_published_only_with_a_reason(world: World) -> None:
    values = open_values(world.live, ANNUAL, PUBLISHED)
    found = hindrances(world.live, ANNUAL, values)
    assert [one.subjects[0] for one in found] == [
        f"area:{HEALTH}", f"area:{ENERGY}", "indicator:E1", "indicator:G1", "indicator:G2", "indicator:S3",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="cannot be published"):
        publish(world.live, world.wish())
    reasons = {one.subjects[0]: "rada jedná zítra" for one in found}
    with pytest.raises(InputError, match="no reason"):
        publish(world.live, replace(world.wish(), exceptions={**reasons, "indicator:E1": " "}))
    with pytest.raises(InputError, match="needs no exception"):
        publish(world.live, replace(world.wish(), exceptions={**reasons, "indicator:E9": "?"}))
    made = publish(world.live, replace(world.wish(), exceptions=reasons))
    held = opened(made)
    assert held.exceptions == reasons
    assert [v.status for v in held.values if v.indicator == "Z1"] == [ValueStatus.UNKNOWN]
    assert [r.code for v in held.values if v.indicator == "Z1" for r in v.reasons] == ["not_delivered"]
    assert verify(world.live, made.id, LATER).holds


def test_a_value_that_changed_after_it_was_checked_wants_another_look(world: World) -> None:
    world.ready()
    world.late_batch(PUBLISHED)
    now = PUBLISHED + timedelta(hours=1)
    found = hindrances(world.live, ANNUAL, open_values(world.live, ANNUAL, now))
    assert {one.code for one in found} == {"value_changed_since_check"}
    with pytest.raises(Conflict):
        publish(world.live, world.wish(now))


def test_publishing_closes_the_deliveries_with_their_values(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    assert {one.state for one in world.records.deliveries(ANNUAL)} == {DeliveryState.PUBLISHED}
    held = opened(made)
    assert {one.area: one.state for one in held.deliveries} == {
        HEALTH: DeliveryState.PUBLISHED,
        ENERGY: DeliveryState.PUBLISHED,
    }
    (value,) = [v for v in held.values if v.indicator == "Z1"]
    assert (value.method, value.amounts[0].value, value.status) == ("hand", 3, ValueStatus.FINAL)
    assert held.names["building"] == {"B1": "Hlavní budova", "B2": "Tělocvična"}
    assert [area.id for area in held.plan["areas"]] == [HEALTH, ENERGY]
    (entry,) = world.records.audit(entity="publication", key=made.id)
    assert entry.after is not None
    assert entry.after["digest"] == made.digest


def test_a_delivered_value_that_is_mended_is_a_cause_of_its_own(world: World) -> None:
    world.ready()
    publish(world.live, world.wish())
    doing, part = world.deliveries(), Part(report=ANNUAL, area=HEALTH, by="mala", now=LATER)
    doing.act(part, DeliveryAct.REOPEN, "čtvrtá nemocnice")
    value = world.records.delivery(ANNUAL, HEALTH).value("Z1")
    assert value is not None
    four = replace(value, amounts=(replace(value.amounts[0], value=4), value.amounts[1]))
    doing.edit(part, values=[four])
    (found,) = proposals(world.live, LATER)
    assert parts(found, "Z1", "pocet") == {Cause.DELIVERED: Decimal(1)}


def test_a_leak_that_was_a_false_alarm_is_a_cause_of_its_own(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    step = resolve(LEAK.alert, Cause_.FALSE_ALARM, "plnění bazénu", "novak", APRIL)
    world.records.change_alerts(Change(alerts=(step.alert,)))
    assert verify(world.live, made.id, LATER).holds
    (found,) = proposals(world.live, LATER)
    assert parts(found, "S3") == {Cause.ALERTS: Decimal(-1)}


def test_alerts_that_were_frozen_answer_a_program_that_asks_with_more_words() -> None:
    asked = AlertFilter(rules=("leak",), opened_from=MARCH, opened_to=LATER)
    said = {"opened_from": MARCH.isoformat(), "opened_to": LATER.isoformat(), "rules": ["leak"]}
    told = [{"asked": said, "after": "", "limit": None, "alerts": [to_json(replace(LEAK.alert, opened_at=APRIL))]}]
    frozen = FrozenAlerts(told)
    assert [one.id for one in frozen.alerts(asked)] == [LEAK.alert.id]
    assert frozen.alerts(replace(asked, opened_to=APRIL)) == []
    with pytest.raises(NotFound, match="were not frozen"):
        frozen.alerts(replace(asked, rules=("burst",)))


# As of a cut-off


def test_what_came_later_was_replaced_or_withdrawn_is_as_it_was(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    before = figure(world, "E1", PUBLISHED)
    key = series("gas-1")
    whole = world.store.read([key], np.datetime64("2025-06-01"), np.datetime64("2025-07-01"))
    world.store.write(
        replace(whole, value=whole.value + 7.0, received=np.full(len(whole), np.datetime64("2026-03-01")))
    )
    world.store.write(replace(whole, received=np.full(len(whole), np.datetime64("2026-03-02", "us"))))
    world.late_batch(MARCH)
    world.store.withdraw("import/late", [series("em-3")], np.datetime64("2020-01-01"), np.datetime64("2030-01-01"))
    world.store.withdraw("mqtt", [key], np.datetime64("2020-01-01"), np.datetime64("2020-01-02"))
    assert verify(world.live, made.id, LATER).holds
    assert figure(world, "E1") == before


def test_a_publication_of_an_earlier_cut_off_knows_nothing_that_came_later(world: World) -> None:
    world.late_batch(MARCH)
    world.correct_swap(APRIL)
    before = open_values(world.live, ANNUAL, LATER, cutoff=PUBLISHED)
    after = open_values(world.live, ANNUAL, LATER)
    assert (after[0].amount().value or 0) - (before[0].amount().value or 0) == pytest.approx(2.84, abs=1e-9)
    assert before[0].cutoff == PUBLISHED
    with pytest.raises(TimeError, match="no offset"):
        replace(world.wish(), cutoff=PUBLISHED.replace(tzinfo=None))
    with pytest.raises(Conflict, match="not over yet"):
        open_values(world.live, ANNUAL, PUBLISHED, cutoff=LATER)


def test_an_event_that_is_retracted_is_named(world: World) -> None:
    event = DialEvent(id="ev-1", meter="gas-1", at=SWAPPED, kind=EventKind.RESET, first=0.0, final=500.0)
    world.records.save([event], by="spravce", now=PUBLISHED - timedelta(days=3))
    world.ready()
    made = publish(world.live, world.wish())
    world.records.save([replace(event, retracted=True)], by="spravce", now=APRIL, why="nebyl")
    world.records.save([replace(OLD_METER, serial="123")], by="spravce", now=APRIL, why="štítek")
    assert verify(world.live, made.id, LATER).holds
    found = proposals(world.live, LATER)
    named = [(n.kind, n.key) for one in found for c in one.changes for p in c.parts for n in p.named]
    assert set(named) == {("dial_event", "ev-1")}


def test_what_was_added_and_removed_since_is_not_in_the_register_then(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    extra = Meter(id="M9", point="B2-EL", device="em-9", mounted=datetime(2026, 1, 25, tzinfo=UTC))
    world.records.save([extra], by="spravce", now=MARCH)
    world.records.remove(Meter, ["M3"], by="spravce", now=APRIL)
    assert verify(world.live, made.id, LATER).holds
    (found,) = proposals(world.live, LATER)
    (change,) = [one for one in found.changes if one.indicator == "E1"]
    assert ("meter", "M3") in [(n.kind, n.key) for part in change.parts for n in part.named]


# Verification


def spoil(world: World, statement: str, **given: str) -> None:
    assert isinstance(world.records, SqlRecordStore)
    with world.records._database.write() as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS publications_stay_update"))
        connection.execute(text("DROP TRIGGER IF EXISTS publications_stay_delete"))
        connection.execute(text(statement), given)


def test_a_row_that_was_changed_is_found(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    spoil(world, "UPDATE publications SET note = 'nic'")
    found = verify(world.live, made.id, LATER)
    assert not found.holds
    assert [(f.code, f.facts["field"]) for f in found.faults] == [("row_changed", "note")]


def test_content_that_was_changed_with_its_hash_breaks_the_chain(world: World) -> None:
    world.ready()
    first = publish(world.live, world.wish())
    world.late_batch(MARCH)
    world.checked(LATER)
    second = publish(world.live, world.wish(LATER, "pozdní data"))
    forged = canonical({**first.opened(), "values": []})
    assert isinstance(world.records, SqlRecordStore)
    spoil(world, "DELETE FROM publications WHERE version = 2")
    spoil(world, "DELETE FROM publications")
    world.records.publish(replace(first, content=forged, digest=digest_of(forged), number=0), [], [])
    with pytest.raises(Conflict):
        world.records.publish(replace(second, number=0), [], [])
    spoil(world, "UPDATE publications SET digest = :digest", digest=first.digest)
    world.records.publish(replace(second, number=0), [], [])
    assert [f.code for f in verify(world.live, first.id, LATER).faults] == ["content_changed"]
    assert [f.code for f in verify(world.live, second.id, LATER).faults] == ["content_changed"]
    spoil(world, "UPDATE publications SET digest = :digest WHERE version = 1", digest=digest_of(forged))
    assert [f.code for f in verify(world.live, second.id, LATER).faults] == ["chain_broken"]


def test_readings_that_were_changed_unseen_are_found_with_their_place(world: World) -> None:
    world.ready()
    made = publish(world.live, world.wish())
    key = series("gas-1")
    at = np.datetime64("2025-12-31T18:00:00", "us")
    (value,) = world.store.read([key], at, at + 1).value.tolist()
    world.store.withdraw("mqtt", [key], at, np.datetime64("2026-06-01"))
    world.store.write(Readings.of([key], [0], [at], [value + 50], received=[at], source="mqtt"))
    found = verify(world.live, made.id, LATER)
    assert not found.holds
    assert {one.indicator for one in found.differences} >= {"E1", "G1", "G2"}
    place = next(one for one in found.differences if one.place == "amounts/total/value")
    assert place.published != place.recomputed


def test_readings_of_an_import_that_were_not_kept_aside_are_told_by_name(world: World) -> None:
    import msgspec  # noqa: PLC0415 - one test reads it

    from core.notes import AuditEntry  # noqa: PLC0415 - same

    world.store.write(readings("em-3", LATE_FROM, LATE_FROM + timedelta(days=5), start=20_220.0, source="import/n1"))
    note = msgspec.json.encode({"series": [["em-3", "energy.import", 0, 1]]}).decode()
    world.records.keep("reading-import/n1", note)
    world.ready()
    made = publish(world.live, world.wish())
    undone = AuditEntry(
        at=MARCH, by="x", entity="reading_import", key="n1", why="", before={"name": "a.csv"}, after=None
    )
    world.records.record([undone])
    found = verify(world.live, made.id, LATER)
    assert [(f.code, f.facts["import"]) for f in found.faults] == [("withdrawn_and_not_kept", "n1")]
    world.store.withdraw("import/n1", [series("em-3")], np.datetime64("2020-01-01"), np.datetime64("2030-01-01"))
    assert verify(world.live, made.id, LATER).holds
    (proposal,) = proposals(world.live, LATER)
    assert set(parts(proposal, "E1")) == {Cause.LATE_DATA}


def test_evidence_that_is_gone_is_told(world: World) -> None:
    doing, part = world.deliveries(), Part(report=ANNUAL, area=HEALTH, by="mala", now=PUBLISHED)
    doing.edit(part, values=[])
    world.ready()
    doing.act(replace(part, by="koordinator"), DeliveryAct.RETURN, "doložte")
    doing.attach(part, "Z1", "protokol.pdf", b"%PDF-1.7")
    doing.deliver(part)
    doing.act(replace(part, by="koordinator"), DeliveryAct.CHECK)
    made = publish(world.live, world.wish())
    assert verify(world.live, made.id, LATER).holds
    spoil(world, "UPDATE evidence SET content = x'00'")
    assert [f.code for f in verify(world.live, made.id, LATER).faults] == ["evidence_lost"]


def test_a_publication_that_is_not_known_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        verify(world.live, "annual-2025-v1", LATER)
    assert newest(world.live, HALF) is None


# Arithmetic


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=8))
def test_parts_add_up_to_the_last_digit_whatever_the_figures(figures: list[float]) -> None:
    numbers = _settled(figures)
    with localcontext(prec=DIGITS):
        steps = [_less(b, a) for a, b in pairwise(numbers)]
        assert sum((step or Decimal(0) for step in steps), Decimal(0)) == _less(numbers[-1], numbers[0])


def test_dated_tables_come_back_from_a_publication_as_they_were(world: World) -> None:
    from analytics.baseline.placebo import Calibration  # noqa: PLC0415 - one test reads them
    from app.dated_tables import region_tables  # noqa: PLC0415 - same
    from config.placebos import load_placebos  # noqa: PLC0415 - same
    from config.settings import Settings  # noqa: PLC0415 - same
    from services.baselines import Facts  # noqa: PLC0415 - same

    for tables in (world.tables, region_tables(Settings())):
        assert tables_from(tables_to_json(tables)) == tables
    facts = Facts(calibration=Calibration.from_json(load_placebos()), holidays=frozenset({MARCH.date()}))
    assert facts_from(facts_to_json(facts)) == facts
