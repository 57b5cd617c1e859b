"""What RecordStore promises of people, sessions, links and keys, held against SQLite and PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict, NotFound
from core.notes import AuditEntry
from core.people import ApiKey, Grant, Person, Role
from core.ports import RecordStore
from core.sessions import PERSON, Failures, Purpose, Session, Ticket
from tests.servers.threads import at_once

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRANTS = (Grant(role=Role.FACILITY_STAFF, organisations=("O1",), buildings=("B-ř",)), Grant(role=Role.GUARANTOR))
NOVAK = Person(id="novak", name="Jan Novák", mail="Jan.Novak@example.cz", grants=GRANTS, subject="https://id|7")
DVORAK = Person(id="dvorak", name="Eva Dvořáková")


def said(person: str) -> AuditEntry:
    return AuditEntry(at=NOW, by="admin", entity=PERSON, key=person, why="", before=None, after={"id": person})


def session(digest: str, person: str = "novak", *, made: datetime = NOW) -> Session:
    return Session(digest=digest, person=person, made_at=made, seen_at=made, expires=made + 14 * HOUR)


def ticket(digest: str, purpose: Purpose = Purpose.PASSWORD) -> Ticket:
    return Ticket(digest=digest, person="novak", purpose=purpose, expires=NOW + HOUR)


def key(name: str, digest: str) -> ApiKey:
    return ApiKey(
        id=name, name=name, digest=digest, grants=GRANTS[:1], made_by="admin", made_at=NOW, expires=NOW + HOUR
    )


@pytest.fixture
def peopled(store: RecordStore) -> RecordStore:
    store.keep_person(NOVAK, [said("novak")], new=True)
    store.keep_person(DVORAK, [said("dvorak")], new=True)
    return store


def test_people_come_back_as_they_were_kept_and_audited(peopled: RecordStore) -> None:
    assert peopled.people() == [DVORAK, NOVAK]
    assert peopled.person("novak") == NOVAK
    assert [e.key for e in peopled.audit(entity=PERSON)] == ["dvorak", "novak"]
    renamed = replace(NOVAK, name="Jan Novák ml.", mail="")
    peopled.keep_person(renamed, ())
    assert peopled.person("novak") == renamed
    with pytest.raises(NotFound):
        peopled.person("nobody")


def test_an_id_a_mail_address_and_a_subject_are_of_one_person(peopled: RecordStore) -> None:
    for other in (
        replace(NOVAK, mail="", subject=""),
        Person(id="x", name="x", mail="jan.novak@EXAMPLE.cz"),
        Person(id="x", name="x", subject="https://id|7"),
    ):
        with pytest.raises(Conflict):
            peopled.keep_person(other, [said(other.id)], new=True)
    assert len(peopled.people()) == len(peopled.audit(entity=PERSON)) == 2


def test_a_new_password_ends_sessions_and_links_but_the_one_that_is_kept(peopled: RecordStore) -> None:
    assert peopled.password("novak") == ""
    for one in (session("a"), session("b"), session("c", "dvorak")):
        peopled.open_session(one)
    peopled.hold_ticket(ticket("t"))
    peopled.keep_password("novak", "$hash", [said("novak")], keeping="b")
    assert peopled.password("novak") == "$hash"
    assert peopled.session("a") is None
    assert peopled.ticket("t") is None
    assert peopled.session("b") == (session("b"), NOVAK)
    assert peopled.session("c") == (session("c", "dvorak"), DVORAK)
    peopled.keep_person(replace(NOVAK, name="Jan"), ())
    assert peopled.password("novak") == "$hash"
    with pytest.raises(NotFound):
        peopled.keep_password("nobody", "$hash", ())


def test_who_is_not_active_any_more_has_no_sessions_and_links(peopled: RecordStore) -> None:
    peopled.open_session(session("a"))
    peopled.hold_ticket(ticket("t"))
    peopled.keep_person(replace(NOVAK, active=False), ())
    assert peopled.session("a") is None
    assert peopled.ticket("t") is None


def test_sessions_are_seen_ended_and_forgotten_when_over(peopled: RecordStore) -> None:
    for one in (session("a"), session("b"), session("c", "dvorak")):
        peopled.open_session(one)
    peopled.see_session("a", NOW + HOUR)
    found = peopled.session("a")
    assert found is not None
    assert found[0].seen_at == NOW + HOUR
    peopled.end_sessions("novak", digest="a")
    peopled.end_sessions("dvorak", digest="b")
    assert peopled.session("a") is None
    assert peopled.session("b") is not None
    peopled.end_sessions("novak")
    assert peopled.session("b") is None
    peopled.open_session(session("d", made=NOW + 14 * HOUR))
    assert peopled.session("c") is None


def test_a_link_is_taken_once_and_takes_the_place_of_the_one_before(peopled: RecordStore) -> None:
    peopled.hold_ticket(ticket("old"))
    peopled.hold_ticket(ticket("login", Purpose.LOGIN))
    peopled.hold_ticket(ticket("new"))
    assert peopled.ticket("old") is None
    assert peopled.ticket("new") == ticket("new")
    taken: list[Ticket | None] = []
    at_once(*[lambda: taken.append(peopled.take_ticket("new"))] * 8)
    assert len(taken) == 8
    assert [t for t in taken if t is not None] == [ticket("new")]
    assert peopled.take_ticket("login") == ticket("login", Purpose.LOGIN)


def test_failures_are_counted_by_one_at_a_time_and_forgotten_after_a_day(store: RecordStore) -> None:
    def one_more(before: Sequence[Failures]) -> list[int]:
        return [f.count + 1 for f in before]

    at_once(*[lambda: store.count_failures(["account/ř", "address/::1"], NOW, one_more)] * 8)
    seen: list[Failures] = []

    def look(before: Sequence[Failures]) -> None:
        seen[:] = before

    store.count_failures(["account/ř", "account/other"], NOW + HOUR, look)
    assert seen == [Failures(count=8, last=NOW), Failures(count=0, last=NOW + HOUR)]
    store.forgive("account/ř", one=True)
    store.forgive("address/::1")
    store.count_failures(["account/ř", "address/::1"], NOW, look)
    assert [f.count for f in seen] == [7, 0]
    store.count_failures(["account/ř"], NOW + 25 * HOUR, look)
    assert [f.count for f in seen] == [0]


def test_keys_come_back_with_their_last_use(store: RecordStore) -> None:
    store.keep_api_key(key("b", "2" * 64), [], new=True)
    store.keep_api_key(key("a", "1" * 64), [], new=True)
    for taken in (key("a", "3" * 64), key("c", "1" * 64)):
        with pytest.raises(Conflict):
            store.keep_api_key(taken, [], new=True)
    store.use_api_key("a", NOW + HOUR)
    assert store.api_keys() == [(key("a", "1" * 64), NOW + HOUR), (key("b", "2" * 64), None)]
    revoked = replace(key("a", "1" * 64), revoked=NOW + HOUR)
    store.keep_api_key(revoked, [])
    assert store.api_key_of("1" * 64) == (revoked, NOW + HOUR)
    assert store.api_key_of("9" * 64) is None
