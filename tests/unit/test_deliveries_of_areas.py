"""What guarantors and the coordinator do with deliveries, on a real store."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.deliveries import DeliveryAct, DeliveryState, HandValue
from core.errors import Conflict, InputError, NotFound
from core.indicators import Amount
from services.deliveries import Deadlines, board
from services.evidence_files import SIZE_LIMIT, examined, safe_name
from storage.records import SqlRecordStore
from tests.unit.delivery_world import ANNUAL, ENERGY, HALF, HEALTH, TEXTS, VALUES, acts, opened, part

PDF = b"%PDF-1.7 ..."


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecordStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name in names:
            zipped.writestr(name, "x")
    return made.getvalue()


def test_a_guarantor_delivers_and_the_coordinator_returns_and_checks(records: SqlRecordStore) -> None:
    doing = acts(records)
    doing.edit(part(), texts=TEXTS, values=VALUES)
    assert doing.deliver(part(), "vše").state is DeliveryState.DELIVERED
    returned = doing.act(part(by="koordinatorka"), DeliveryAct.RETURN, "chybí zdroj u Z1")
    assert returned.state is DeliveryState.RETURNED
    doing.attach(part(), "Z1", "protokol.pdf", PDF)
    doing.deliver(part())
    checked = doing.act(part(by="koordinatorka"), DeliveryAct.CHECK)
    assert checked.state is DeliveryState.CHECKED
    assert checked == records.delivery(ANNUAL, HEALTH)
    trail = records.audit(entity="delivery", key=checked.id)
    assert [entry.why.partition(":")[0] for entry in reversed(trail)] == [
        "edit", "deliver", "return", "edit", "deliver", "check",
    ]  # fmt: skip
    assert {entry.by for entry in trail} == {"mala", "koordinatorka"}
    assert trail[-1].before is None
    assert trail[-1].after is not None
    assert trail[-1].after["texts"] == TEXTS


def test_nothing_is_delivered_while_something_lacks(records: SqlRecordStore) -> None:
    doing = acts(records)
    doing.edit(part(), texts={"realised": "ano"}, values=[VALUES[1]])
    with pytest.raises(Conflict, match=r"lacks fulfilment, Z1 pocet, podil"):
        doing.deliver(part())
    doing.edit(part(), values=[HandValue(indicator="Z1", amounts=(Amount(figure="pocet", value=3),))])
    doing.edit(part(), texts={"fulfilment": "vše podle plánu"})
    with pytest.raises(Conflict, match=r"lacks Z1 podil$"):
        doing.deliver(part())


def test_a_number_that_is_not_known_needs_a_reason() -> None:
    with pytest.raises(InputError, match="neither number nor reason"):
        HandValue(indicator="Z1", amounts=(Amount(figure="pocet", value=None),), comment=" ")
    with pytest.raises(InputError, match="is no number"):
        HandValue(indicator="Z1", amounts=(Amount(figure="pocet", value=float("nan")),))


def test_two_who_write_at_once_are_told(records: SqlRecordStore) -> None:
    doing = acts(records)
    seen = doing.edit(part(version=0), texts=TEXTS)
    doing.edit(part(version=seen.version), texts={"realised": "jinak"})
    with pytest.raises(Conflict, match="changed meanwhile"):
        doing.edit(part(version=seen.version), texts={"realised": "ještě jinak"})
    with pytest.raises(Conflict, match="changed meanwhile"):
        doing.attach(part(version=seen.version), "Z1", "a.pdf", PDF)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([HandValue(indicator="E1", amounts=())], {}),
        ([HandValue(indicator="Z9", amounts=())], {}),
        ([HandValue(indicator="Z1", amounts=(Amount(figure="kusy", value=1),))], {}),
        ([], {"activity:2.1-EM-1": "cizí"}),
        ([], {"uvaha": "?"}),
    ],
)
def test_what_is_not_of_the_area_is_refused(
    records: SqlRecordStore, values: list[HandValue], texts: dict[str, str]
) -> None:
    with pytest.raises((InputError, NotFound)):
        acts(records).edit(part(), texts=texts, values=values)
    assert records.deliveries() == []


def test_an_unknown_area_is_not_found(records: SqlRecordStore) -> None:
    with pytest.raises(NotFound):
        acts(records).edit(part("neni"), texts=TEXTS)


def test_evidence_stays_with_its_value_and_is_stored_once(records: SqlRecordStore) -> None:
    doing = acts(records)
    doing.edit(part(), values=VALUES)
    doing.attach(part(), "Z1", "a.pdf", PDF)
    doing.attach(part(), "Z1", "jinak pojmenovaný.pdf", PDF)
    after = doing.edit(part(), values=[replace(VALUES[0], amounts=(Amount(figure="pocet", value=4),))])
    (evidence,) = after.values[0].evidence
    assert evidence.name == "jinak pojmenovaný.pdf"
    assert records.evidence(evidence.digest) == PDF
    assert doing.detach(part(), "Z1", evidence.id).values[0].evidence == ()
    with pytest.raises(NotFound):
        doing.detach(part(), "Z1", evidence.id)
    with pytest.raises(NotFound, match="write the value first"):
        acts(records).attach(part(ENERGY), "E9", "a.pdf", PDF)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", b"MZ"),
        ("a.pdf", b"MZ"),
        ("a.pdf", b""),
        ("a.xlsx", archive("jine.txt")),
        ("a.xlsx", archive("[Content_Types].xml", "xl/vbaProject.bin")),
        ("a.docx", b"PK\x03\x04 broken"),
        ("a.csv", b"a;b\x00"),
        ("pdf", PDF),
        ("..", PDF),
        ("a.pdf", b"%PDF-" + bytes(SIZE_LIMIT)),
    ],
)
def test_files_that_are_no_evidence_are_refused(name: str, content: bytes) -> None:
    with pytest.raises(InputError) as raised:
        examined(name, content)
    assert raised.value.place == "file"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.PDF", PDF), ("tab.xlsx", archive("[Content_Types].xml")), ("t.ods", archive("mimetype")), ("č.csv", b"a;b")],
)
def test_files_that_are_evidence_are_taken(name: str, content: bytes) -> None:
    assert examined(name, content).name == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\Jana\\zpráva.pdf", "zpráva.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ('"><script>.pdf', "_script_.pdf"),
        ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("  .pdf. ", "pdf"),
    ],
)
def test_names_of_files_can_do_no_harm(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_the_board_tells_who_is_late_and_what_lacks(records: SqlRecordStore) -> None:
    doing = acts(records)
    doing.edit(part(), texts=TEXTS, values=VALUES)
    doing.deliver(part())
    rows = board(records, doing.register, ANNUAL, deadlines=Deadlines(), today=date(2026, 3, 1))
    assert [(row.area.id, row.delivery.state, row.overdue) for row in rows] == [
        (HEALTH, DeliveryState.DELIVERED, False),
        (ENERGY, DeliveryState.DRAFT, True),
    ]
    assert rows[0].due == date(2026, 2, 28)
    assert [because.facts["text"] for because in rows[1].missing] == ["realised", "fulfilment"]
    assert [one.id for one in rows[1].computed] == ["E1"]
    half = board(records, doing.register, HALF, deadlines=Deadlines(), today=date(2026, 7, 31))
    assert [one.id for one in half[0].by_hand] == ["Z1"]
    assert not half[0].overdue
