"""Hand readings, invoices, profiles and other tables: planned, stored, stored again, undone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.errors import Conflict, InputError, NotFound
from core.readings import Quality, SeriesKey
from core.registry import DialEvent, EventKind, Meter
from services import reading_import
from services.reading_import_invoices import ledger
from tests.unit.import_world import EAN1, EAN2, EVER, NOW, World, remarks, troubles, world_in

HAND = "Odběrné místo;Datum odečtu;Stav [kWh]\nP1;31. 1. 2024;1 234,5\nP1;29.02.2024 08:15;1 300,0\n"
BILLS = "EAN;Období od;Období do;Spotřeba kWh;Částka Kč;Číslo faktury;Druh dokladu\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


# Hand readings


def test_hand_readings_are_dials_of_the_meter_that_was_mounted(world: World) -> None:
    done = world.take(HAND.encode("cp1250"))
    assert (done.new, done.changed) == (2, 0)
    assert world.stored("em-1", "energy.import") == [("2024-01-31T11:00", 1234.5, 0), ("2024-02-29T07:15", 1300.0, 0)]
    held = world.readings.read([SeriesKey("em-1", "energy.import")], *EVER)
    assert set(held.quality.tolist()) == {int(Quality.MANUAL)}
    assert held.sources == (f"import/{done.id}",)


@pytest.mark.parametrize(
    ("day_at", "at"), [("start", "2024-01-30T23:00"), ("noon", "2024-01-31T11:00"), ("end", "2024-01-31T23:00")]
)
def test_a_day_without_a_time_is_read_when_it_was_said(world: World, day_at: str, at: str) -> None:
    world.take("Místo;Datum;Stav kWh\nP1;31.1.2024;5\n", day_at=day_at)
    assert world.stored("em-1", "energy.import") == [(at, 5.0, 0)]


@pytest.mark.parametrize("name", ["P1", EAN1, "12345", "M1", "em-1"])
def test_a_point_is_known_by_its_code_and_its_meter(world: World, name: str) -> None:
    world.take(f"Místo;Datum;Stav kWh\n{name};31.1.2024;5\n")
    assert [value for _, value, _ in world.stored("em-1", "energy.import")] == [5.0]


def test_readings_of_a_point_go_to_the_meter_of_their_time(world: World) -> None:
    world.take("Místo;Datum;Stav [m3]\nV1;31.12.2024;900\nV1;2.1.2025;1\n")
    assert world.stored("wm-1", "volume.total") == [("2024-12-31T11:00", 900.0, 0)]
    assert world.stored("wm-2", "volume.total") == [("2025-01-02T11:00", 1.0, 0)]


def test_readings_join_the_register_that_counts_already(world: World) -> None:
    world.write("em-1", "energy.total", "2024-01-10T00:00", 1000.0)
    world.take(HAND)
    assert len(world.stored("em-1", "energy.total")) == 3
    assert world.stored("em-1", "energy.import") == []


def test_a_register_that_would_take_the_place_of_the_counting_one_is_refused(world: World) -> None:
    world.write("em-1", "energy.total", "2024-01-10T00:00", 1000.0)
    made = world.plan("Místo;Datum;Registr;Stav kWh\nP1;31.1.2024;energy.import;5\n")
    assert troubles(made) == [(2, "Stav kWh", "COUNTING")]


def test_tariffs_give_their_total_and_stand_beside_it(world: World) -> None:
    world.take("Místo;Datum;Stav VT [kWh];Stav NT [kWh]\nP1;1.1.2025;100;50\nP1;1.2.2025;160;70\n")
    assert [v for _, v, _ in world.stored("em-1", "energy.import")] == [150.0, 230.0]
    assert [v for _, v, _ in world.stored("em-1", "energy.import/t1")] == [100.0, 160.0]
    assert [v for _, v, _ in world.stored("em-1", "energy.import/t2")] == [50.0, 70.0]


def test_a_lacking_tariff_is_told_and_not_taken_for_zero(world: World) -> None:
    made = world.plan("Místo;Datum;Tarif;Stav kWh\nP1;1.1.2025;VT;100\nP1;1.1.2025;NT;50\nP1;1.2.2025;VT;160\n")
    assert troubles(made) == [(4, "Stav kWh", "TARIFF_LACKING")]


def test_tariffs_make_no_total_where_one_is_measured(world: World) -> None:
    world.write("em-1", "energy.import", "2024-12-31T00:00", 7777.0)
    world.take("Místo;Datum;Stav VT [kWh];Stav NT [kWh]\nP1;1.1.2025;100;50\n")
    assert [v for _, v, _ in world.stored("em-1", "energy.import")] == [7777.0]


def test_a_fall_of_the_dial_is_told_beside_what_is_stored(world: World) -> None:
    world.write("em-1", "energy.import", "2024-02-10T00:00", 1290.0)
    made = world.plan("Místo;Datum;Stav kWh\nP1;31.1.2024;1234,5\nP1;20.2.2024;1250\n")
    assert [(r.row, r.trouble.name, r.args["before"]) for r in made.remarks] == [(3, "FALL", "1290")]
    event = DialEvent(id="e", meter="em-1", at=datetime(2024, 2, 15, tzinfo=UTC), kind=EventKind.SWAP)
    world.records.save([event], by="t", now=NOW)
    assert remarks(world.plan("Místo;Datum;Stav kWh\nP1;20.2.2024;1250\n")) == []


def test_units_are_converted_once(world: World) -> None:
    world.take("Místo;Datum;Stav;MJ\nP1;1.1.2025;1,5;MWh\nV1;1.2.2025;2500;l\n")
    assert [v for _, v, _ in world.stored("em-1", "energy.import")] == [1500.0]
    assert [v for _, v, _ in world.stored("wm-2", "volume.total")] == [2.5]


def test_the_same_file_twice_changes_nothing(world: World) -> None:
    world.take(HAND)
    before = world.everything()
    again = world.take(HAND)
    assert (again.id, again.new, again.changed) == ("", 0, 0)
    assert world.everything() == before
    assert len(reading_import.imports(world.records)) == 1


def test_a_corrected_file_changes_what_differs_and_undoing_brings_it_back(world: World) -> None:
    world.write("em-1", "energy.import", "2024-01-31T11:00", 1200.0)
    empty = world.everything()
    done = world.take(HAND)
    assert (done.new, done.changed) == (1, 1)
    assert world.undo(done.id) == 2
    assert world.everything() == empty
    assert world.undo(done.id) == 0


def test_imports_undone_in_any_order_leave_what_was_there(world: World) -> None:
    world.write("em-1", "energy.import", "2024-01-31T11:00", 1200.0)
    empty = world.everything()
    first = world.take(HAND)
    second = world.take(HAND.replace("1 234,5", "1 240"))
    assert (second.new, second.changed) == (0, 1)
    world.undo(first.id)
    assert world.stored("em-1", "energy.import") == [("2024-01-31T11:00", 1240.0, 0)]
    world.undo(second.id)
    assert world.everything() == empty


def test_what_was_done_is_audited_and_listed(world: World) -> None:
    done = world.take(HAND)
    world.undo(done.id)
    told = world.records.audit(entity="reading_import", key=done.id)
    assert [(e.by, e.why, e.before is None, e.after is None) for e in told] == [
        ("správce", "zkouška", False, True),
        ("správce", "zkouška", True, False),
    ]
    ((job, note),) = reading_import.imports(world.records)
    assert (job.id, job.state, note.new, note.by) == (done.id, "undone", 2, "správce")


def test_an_unknown_import_is_not_undone(world: World) -> None:
    with pytest.raises(NotFound):
        world.undo("20260101-x")


WRONG = """Odběrné místo;Datum odečtu;Stav [kWh]
P9;31. 1. 2024;1 234,5
859182400100000009;1.1.2024;3
P1;31.13.2024;12
P1;1.1.2023;5
P1;1.2.2024;abc
;1.2.2024;5
P1;;7
V1;1.3.2024;4
P1;1.1.2030;5
8,59182E+17;1.1.2024;5
P1;1.1.2025;-5
X;1.1.2025;5
P1;1.1.1999 10:00;5
P1;2.2.2025;5
P1;2.2.2025;6
P1;3.2.2025;#REF!
P1;30.3.2025 02:30;8
P1;5.5.2025;99999999999
"""


def test_every_wrong_row_is_named_with_its_column_and_remedy(world: World) -> None:
    made = world.plan(WRONG)
    value, time = "Stav [kWh]", "Datum odečtu"
    assert troubles(made) == [
        (2, value, "SUBJECT_UNKNOWN"),
        (3, value, "CODE_UNKNOWN"),
        (4, time, "NO_TIME"),
        (5, value, "NOT_MOUNTED"),
        (6, value, "NO_NUMBER"),
        (7, value, "SUBJECT_EMPTY"),
        (8, time, "TIME_EMPTY"),
        (9, value, "WRONG_QUANTITY"),
        (10, value, "TIME_BOUND"),
        (11, value, "CODE_CUT"),
        (12, value, "NEGATIVE"),
        (13, value, "POINT_COMPUTED"),
        (14, value, "NOT_MOUNTED"),
        (16, value, "TWICE"),
        (17, value, "SHEET_ERROR"),
        (18, time, "TIME_SKIPPED"),
        (19, value, "VALUE_BOUND"),
    ]
    assert all(f.remedy and f.problem for f in made.faults)


def test_a_file_with_errors_is_refused_whole_unless_a_part_is_asked_for(world: World) -> None:
    text = HAND + "P9;1.3.2024;5\n"
    made = world.plan(text)
    with pytest.raises(InputError, match="row 4"):
        reading_import.apply(made, readings=world.readings, records=world.records, act=world.act)
    assert world.readings.known() == ()
    done = reading_import.apply(made, readings=world.readings, records=world.records, act=world.act, partial=True)
    assert done.new == 2


def test_an_unknown_device_waits_in_the_inbox_where_that_is_wanted_and_leaves_it_when_undone(world: World) -> None:
    text = "Zařízení;Datum;Stav [kWh]\nnový-1;1.1.2025 10:00;10\n"
    assert troubles(world.plan(text)) == [(2, "Stav [kWh]", "SUBJECT_UNKNOWN")]
    done = world.take(text, unknown_to_inbox=True)
    (item,) = world.records.inbox()
    assert (item.device, item.unit, item.count, item.last_value) == ("nový-1", "kWh", 1, 10.0)
    world.undo(done.id)
    assert world.records.inbox() == []
    assert troubles(world.plan(f"EAN;Datum;Stav [kWh]\n{EAN1[:-1]}9;1.1.2025;1\n", unknown_to_inbox=True)) == [
        (2, "Stav [kWh]", "CODE_UNKNOWN")
    ]


def test_a_confirmed_mapping_is_remembered_by_the_headings(world: World) -> None:
    text = "Místo;Den;Hodnota\nP1;1/2/2025;5\n"
    assert [t for _, _, t in troubles(world.plan(text))] == ["KIND_UNSURE"]
    world.take(text, amount="dial", order="dmy", value_unit="kWh")
    again = world.plan("Místo;Den;Hodnota\nP1;3/4/2025;6\n")
    assert again.faults == ()
    assert str(again.readings.at[0]).startswith("2025-04-03")


# Invoices


def bills(*rows: str) -> str:
    return BILLS + "".join(f"{row}\n" for row in rows)


JANUARY, FEBRUARY = (
    f"{EAN2};1.1.2024;31.1.2024;1 500;4 500,50;F1;faktura",
    f"{EAN2};1.2.2024;29.2.2024;1200;3000;F2;faktura",
)
BOOKED = SeriesKey("faktury/P2", "energy.import")


def test_invoices_count_where_no_meter_is_mounted(world: World) -> None:
    made = world.plan(bills(JANUARY, FEBRUARY))
    assert made.cost_czk == 7500.5
    world.take(bills(JANUARY, FEBRUARY))
    assert world.stored(*BOOKED) == [("2024-01-31T23:00", 1500.0, 31 * 86400), ("2024-02-29T23:00", 1200.0, 29 * 86400)]
    (entry,) = [m for m in world.records.find(Meter) if m.point == "P2"]
    assert (entry.id, entry.device, entry.register) == ("P2/faktury", "faktury/P2", "energy.import")
    assert (entry.mounted, entry.removed) == (
        datetime(2023, 12, 31, 23, tzinfo=UTC),
        datetime(2024, 2, 29, 23, tzinfo=UTC),
    )


def test_invoices_beside_a_meter_are_evidence_and_never_added(world: World) -> None:
    world.write("em-1", "energy.import", "2024-01-10T00:00", 1000.0)
    text = bills(
        f"{EAN1};1.11.2023;30.11.2023;100;1;F1;",
        f"{EAN1};1.12.2023;31.1.2024;100;1;F2;",
        f"{EAN1};1.2.2024;29.2.2024;9;1;F3;",
    )
    made = world.plan(text)
    assert sorted(remarks(made)) == ["COUNTS", "EVIDENCE"]
    world.take(text)
    (entry,) = [m for m in world.records.find(Meter) if m.device == "faktury/P1"]
    assert (entry.mounted, entry.removed) == (
        datetime(2023, 10, 31, 23, tzinfo=UTC),
        datetime(2023, 11, 30, 23, tzinfo=UTC),
    )
    assert len(world.stored("faktury/P1", "energy.import")) == 3


def test_a_meter_that_never_spoke_is_asked_about(world: World) -> None:
    assert remarks(world.plan(bills(f"{EAN1};1.2.2024;29.2.2024;9;1;F3;"))) == ["SILENT"]


def test_a_credit_note_takes_off_what_its_invoice_said_in_one_file_or_two(world: World) -> None:
    note = f"{EAN2};1.1.2024;31.1.2024;-500;-1500;D1;dobropis"
    world.take(bills(JANUARY, FEBRUARY))
    later = world.take(bills(note))
    assert (later.new, later.changed) == (0, 1)
    assert world.stored(*BOOKED)[0][1] == 1000.0
    assert world.take(bills(note)).id == ""
    assert world.take(bills(JANUARY, note, FEBRUARY)).id == ""
    assert sum(line.czk or 0 for line in ledger(world.records, "P2")) == 6000.5


def test_a_cancelled_invoice_gives_way_to_the_new_one(world: World) -> None:
    storno, new = f"{EAN2};1.1.2024;31.1.2024;-1500;-1;D1;storno", f"{EAN2};1.1.2024;31.1.2024;950;1;F9;faktura"
    world.take(bills(JANUARY, storno, new))
    assert [v for _, v, _ in world.stored(*BOOKED)] == [950.0]


def test_a_correction_takes_the_place_of_what_was_before(world: World) -> None:
    world.take(bills(JANUARY))
    world.take(bills(f"{EAN2};1.1.2024;31.1.2024;1400;1;O1;opravná faktura"))
    assert [v for _, v, _ in world.stored(*BOOKED)] == [1400.0]


@pytest.mark.parametrize(
    ("rows", "trouble"),
    [
        ([f"{EAN2};1.1.2024;31.1.2024;-5;1;D1;dobropis"], "CREDIT_ALONE"),
        ([JANUARY, f"{EAN2};1.1.2024;31.1.2024;5;1;D1;dobropis"], "CREDIT_SIGN"),
        ([JANUARY, f"{EAN2};1.1.2024;31.1.2024;-1501;1;D1;dobropis"], "NET_NEGATIVE"),
        ([JANUARY, f"{EAN2};1.1.2024;31.1.2024;7;1;F7;faktura"], "INVOICE_TWICE"),
        ([JANUARY, f"{EAN2};15.1.2024;15.2.2024;7;1;F7;faktura"], "INVOICE_OVERLAP"),
        ([f"{EAN2};31.1.2024;1.1.2024;7;1;F7;faktura"], "REVERSED"),
    ],
)
def test_documents_that_do_not_belong_together_are_told(world: World, rows: list[str], trouble: str) -> None:
    assert trouble in [t for _, _, t in troubles(world.plan(bills(*rows)))]


def test_a_second_invoice_of_a_stored_period_is_asked_about(world: World) -> None:
    world.take(bills(JANUARY))
    made = world.plan(bills(f"{EAN2};1.1.2024;31.1.2024;7;1;F7;faktura"))
    assert [t for _, _, t in troubles(made)] == ["INVOICE_OTHER"]


def test_a_month_without_an_invoice_is_told(world: World) -> None:
    made = world.plan(bills(JANUARY, f"{EAN2};1.4.2024;30.4.2024;7;1;F4;faktura"))
    (gap,) = [r for r in made.remarks if r.trouble.name == "GAP"]
    assert (gap.args["since"], gap.args["until"]) == ("01.02.2024", "31.03.2024")


def test_undoing_invoices_brings_back_documents_and_entries(world: World) -> None:
    first = world.take(bills(JANUARY))
    held = world.everything(), ledger(world.records, "P2")
    second = world.take(bills(FEBRUARY))
    with pytest.raises(Conflict, match="after this"):
        world.undo(first.id)
    world.undo(second.id)
    assert (world.everything(), ledger(world.records, "P2")) == held
    world.undo(first.id)
    assert (world.readings.known(), ledger(world.records, "P2")) == ((), ())
    assert not [m for m in world.records.find(Meter) if m.point == "P2"]


def test_invoices_of_tariffs_give_their_total_and_must_agree_with_it(world: World) -> None:
    head = "EAN;Od;Do;VT kWh;NT kWh;Celkem kWh\n"
    world.take(head + f"{EAN2};1.1.2024;31.1.2024;100;50;150\n")
    assert [v for _, v, _ in world.stored(*BOOKED)] == [150.0]
    made = world.plan(head + f"{EAN2};1.2.2024;29.2.2024;100;50;250\n")
    assert [t for _, _, t in troubles(made)] == ["TOTAL_DIFFERS"]


def test_gas_and_heat_are_booked_in_kilowatt_hours(world: World) -> None:
    world.take("EIC;Od;Do;m3;Spotřeba [MWh]\n27ZG600Z12345678;1.1.2024;31.12.2024;1000;10,55\n")
    world.take("Místo;Období;Teplo [GJ]\nT1;01/2024;36\n")
    assert [v for _, v, _ in world.stored("faktury/G1", "energy.total")] == [10550.0]
    assert [v for _, v, _ in world.stored("faktury/G1", "volume.total")] == [1000.0]
    assert [v for _, v, _ in world.stored("faktury/T1", "energy.total")] == [10000.0]
    (entry,) = [m for m in world.records.find(Meter) if m.point == "G1"]
    assert entry.register == "energy.total"


# Profiles


def pnd(
    day: datetime, *, device: str = EAN2, kw: str = "2,5", status: str = "naměřená data OK", by_begin: bool = False
) -> str:
    """Return a day of quarter-hours as the distributor's portal writes it: +A and -A, ends, statuses."""
    zone = ZoneInfo("Europe/Prague")
    begin, end = (datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    rows = [f'"Datum";"+A/{device} [kW]";"Status";"-A/{device} [kW]";"Status";']
    step = timedelta(minutes=15)
    at = begin + step
    while at <= end:
        wall = (at - step).astimezone(zone).replace(tzinfo=None) + step if by_begin else at.astimezone(zone)
        rows.append(f"{wall:%d.%m.%Y %H:%M};{kw};{status};0;naměřená data OK;")
        at += step
    return "\ufeff" + "\r\n".join(rows)


@pytest.mark.parametrize("by_begin", [False, True])
@pytest.mark.parametrize(
    ("day", "count"), [(datetime(2025, 3, 30), 92), (datetime(2025, 10, 26), 100), (datetime(2025, 6, 1), 96)]  # noqa: DTZ001 - days
)  # fmt: skip
def test_a_day_of_the_portal_is_as_many_quarter_hours_as_it_had(
    world: World,
    day: datetime,
    count: int,
    by_begin: bool,  # noqa: FBT001 - a case
) -> None:
    world.take(pnd(day, by_begin=by_begin))
    held = world.readings.read([SeriesKey("profil/P2", "energy.import")], *EVER)
    assert len(held) == count
    assert set(held.value.tolist()) == {0.625}
    assert set(held.span_s.tolist()) == {900}
    assert set(np.diff(held.at).astype(int).tolist()) == {900_000_000}
    zone = ZoneInfo("Europe/Prague")
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    assert held.at[0] == np.datetime64(midnight, "us") + np.timedelta64(900, "s")
    assert len(world.readings.read([SeriesKey("profil/P2", "energy.export")], *EVER)) == count


def test_a_profile_in_cp1250_with_midnight_as_24_00(world: World) -> None:
    text = pnd(datetime(2025, 6, 1)).replace("02.06.2025 00:00", "01.06.2025 24:00").lstrip("\ufeff")  # noqa: DTZ001 - a day
    world.take(text.encode("cp1250"))
    assert len(world.stored("profil/P2", "energy.import")) == 96


def test_a_status_says_what_a_value_is_worth(world: World) -> None:
    rows = pnd(datetime(2025, 6, 1)).split("\r\n")  # noqa: DTZ001 - a day
    rows[1] = rows[1].replace("2,5;naměřená data OK", "0;neznámá hodnota")
    rows[2] = rows[2].replace("2,5;naměřená data OK", "9;N/A")
    rows[3] = rows[3].replace("naměřená data OK", "odhad", 1)
    made = world.plan("\r\n".join(rows))
    assert sorted(remarks(made)) == ["COUNTS", "STATUS_LEFT", "STATUS_LEFT", "STATUS_SUSPECT"]
    world.take("\r\n".join(rows))
    held = world.readings.read([SeriesKey("profil/P2", "energy.import")], *EVER)
    assert len(held) == 94
    assert held.quality[0] == Quality.SUSPECT
    rows[4] = rows[4].replace("naměřená data OK", "divný stav", 1)
    (wrong,) = world.plan("\r\n".join(rows)).faults
    assert (wrong.row, wrong.column, wrong.trouble.name) == (5, "Status", "STATUS_UNKNOWN")
    assert world.plan("\r\n".join(rows), statuses={"divný stav": "skip"}).faults == ()


def test_a_later_export_of_the_portal_changes_what_was_revised(world: World) -> None:
    day = datetime(2025, 6, 1)  # noqa: DTZ001 - a day
    world.take(pnd(day))
    done = world.take(pnd(day, kw="3"))
    assert (done.new, done.changed) == (0, 96)
    world.undo(done.id)
    assert {v for _, v, _ in world.stored("profil/P2", "energy.import")} == {0.625}


def test_a_profile_of_a_metered_point_stands_beside_its_dial(world: World) -> None:
    world.write("em-1", "energy.import", "2025-05-31T22:15", 1000.0)
    text = pnd(datetime(2025, 6, 1), device="12345")  # noqa: DTZ001 - a day
    assert "EVIDENCE" in remarks(world.plan(text))
    world.take(text)
    assert len(world.stored("em-1", "energy.import")) == 1
    assert len(world.stored("profil/P1", "energy.import")) == 96


def test_a_profile_above_the_maximum_of_its_point_is_told(world: World) -> None:
    assert "RATE" in remarks(world.plan(pnd(datetime(2025, 6, 1), device=EAN1, kw="70")))  # noqa: DTZ001 - a day


def test_a_channel_of_an_unknown_device_is_told_its_point(world: World) -> None:
    text = pnd(datetime(2025, 6, 1), device="77")  # noqa: DTZ001 - a day
    assert {t for _, _, t in troubles(world.plan(text))} == {"SUBJECT_UNKNOWN"}
    world.take(text, whole="P2")
    assert len(world.stored("profil/P2", "energy.import")) == 96


# Other tables


def test_a_wide_table_has_a_column_a_meter(world: World) -> None:
    text = "Datum;P2 [kWh];wm-2 [m3]\n01.01.2025 01:00;10;1\n01.01.2025 02:00;11;\n01.01.2025 03:00;12;3\n"
    assert {t for _, _, t in troubles(world.plan(text))} == {"KIND_UNSURE"}
    assert {t for _, _, t in troubles(world.plan(text, amount="interval"))} == {"STAMP_UNSURE"}
    done = world.take(text, amount="interval", stamp="end")
    assert done.new == 5
    assert world.stored("profil/P2", "energy.import")[0] == ("2025-01-01T00:00", 10.0, 3600)
    assert world.stored("wm-2", "volume.total")[-1] == ("2025-01-01T02:00", 3.0, 3600)


def test_a_dump_of_another_system_in_utc(world: World) -> None:
    text = (
        "timestamp,device,register,value,unit\n"
        "2025-01-01T00:00:00Z,em-1,energy.import,1.5,MWh\n"
        "2025-01-01T01:00:00+01:00,em-1,energy.export,0.5,kWh\n"
    )
    world.take(text, amount="dial")
    assert world.stored("em-1", "energy.import") == [("2025-01-01T00:00", 1500.0, 0)]
    assert world.stored("em-1", "energy.export") == [("2025-01-01T00:00", 0.5, 0)]


def test_amounts_do_not_take_the_place_of_dials(world: World) -> None:
    world.take(HAND)
    made = world.plan("Zařízení;Datum;Spotřeba kWh\nem-1;1.2.2024;5\nem-1;2.2.2024;6\n")
    assert {t for _, _, t in troubles(made)} == {"OTHER_KIND"}


def test_amounts_of_a_multiplying_meter_are_not_multiplied_again(world: World) -> None:
    world.records.save(
        [Meter(id="M9", point="P2", device="em-9", mounted=datetime(2024, 1, 1, tzinfo=UTC), multiplier=40.0)],
        by="t",
        now=NOW,
    )
    text = "Zařízení;Datum;Spotřeba kWh\nem-9;1.2.2024;5\nem-9;2.2.2024;6\n"
    assert {t for _, _, t in troubles(world.plan(text))} == {"MULTIPLIER"}
    world.take(text.replace("em-9", "P2"))
    assert len(world.stored("profil/P2", "energy.import")) == 2


def test_monthly_amounts_need_their_end_said(world: World) -> None:
    text = "Místo;Datum;Spotřeba m3\nV1;1.1.2026;5\nV1;1.2.2026;6\nV1;1.3.2026;6\n"
    assert [t for _, _, t in troubles(world.plan(text))] == ["STAMP_UNSURE"]
    world.take(text, stamp="start")
    assert [(at, span // 86400) for at, _, span in world.stored("profil/V1", "volume.total")] == [
        ("2026-01-31T23:00", 31),
        ("2026-02-28T23:00", 28),
        ("2026-03-31T22:00", 30),
    ]


def test_days_are_as_long_as_they_were(world: World) -> None:
    world.take("Místo;Datum;Spotřeba kWh\n" + "".join(f"P2;{d}.3.2025;24\n" for d in range(28, 32)))
    assert [span // 3600 for _, _, span in world.stored("profil/P2", "energy.import")] == [24, 24, 23, 24]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 no zip", "damaged"),
        (b"\x00\x01\x02\x03", "no text"),
        (b"\xd0\xcf\x11\xe0 old", "old format"),
        (b'a;b\n"1;2\n', "quotes"),
    ],
)
def test_what_is_no_table_gets_a_plain_answer(world: World, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told) as refused:
        world.plan(content)
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["Odečty\n", "a;b\n", "\n\n;;\n", "Místo;Datum;Stav kWh\n"])
def test_a_table_that_says_nothing_is_told_so(world: World, text: str) -> None:
    made = world.plan(text)
    assert made.faults
    assert len(made.readings) == 0


def test_a_row_without_its_value_is_told_and_a_sum_below_is_left_out(world: World) -> None:
    made = world.plan("Místo;Datum;Stav kWh\nP1;1.2.2024;5\nP1;1.3.2024;\n;;\nCelkem;;5\n")
    assert [(r.trouble.name, r.args.get("count")) for r in made.remarks] == [("TOTAL_LEFT", None), ("EMPTY_LEFT", "1")]
    assert len(made.readings) == 1


def test_a_register_called_total_is_no_sum(world: World) -> None:
    world.take("Tarif;Místo;Datum;Stav kWh\nCelkem;P1;1.2.2024;5\nCelkem;P1;1.3.2024;7\n")
    assert [v for _, v, _ in world.stored("em-1", "energy.import")] == [5.0, 7.0]
