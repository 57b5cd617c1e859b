"""Hostile text in what leaves beside pages: mails, the log of a process, what Grafana reads."""

import io
import logging
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP, default
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerts import wording
from alerts.channels.mail import written_mail
from alerts.lifecycle import opened
from app.journal import set_up_log
from core.alerts import Detection
from core.people import Person
from core.sending import ChannelKind, Occasion, Outgoing, Recipient
from services.people_mail import reset_message
from tests.unit.api_fakes import NOW
from tests.unit.api_world import build_world
from tests.unit.hostile_world import HARMLESS, HARMLESS_ID, HOSTILE, HOSTILE_ID, dressed

FOUND = Detection(rule="leak", subject="p", at_from=NOW, at_to=NOW, found_at=NOW, unit="m³", evidence={"least_m3_h": 1})
LINES = "jméno\r\nBcc: zly@example.cz\n\nforged\x1b]0;title\x07\x1b[2J\u2028\u202e\x9b31m"


class Elements(HTMLParser):
    """The elements of a text with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def names(text: str, key: str) -> wording.Names:
    zone = ZoneInfo("Europe/Prague")
    return wording.Names(buildings={key: text}, subjects={key: text}, address="https://odecet.example", zone=zone)


def mail_of(text: str, key: str, language: str) -> str:
    alert = dressed(opened(replace(FOUND, subject=key, check=text), key, NOW).alert, text)
    person = Recipient(id="r", name=text, mail="a@example.cz", language=language)
    told_of = [(alert, Occasion.OPENED), (alert, Occasion.DIGEST)]
    content = wording.written(person, told_of, names(text, key), subject=text, intro=text)
    return str(content["html"])


@pytest.mark.parametrize("language", ["cs", "en"])
def test_a_mail_of_alerts_has_no_element_of_a_text(language: str) -> None:
    hostile, harmless = mail_of(HOSTILE, HOSTILE_ID, language), mail_of(HARMLESS, HARMLESS_ID, language)
    assert Elements(hostile).found == Elements(harmless).found
    assert "{{7*7}}" in hostile


def outgoing(content: dict[str, str], address: str = "a@example.cz") -> Outgoing:
    return Outgoing(
        key="k" * 40, channel=ChannelKind.MAIL, recipient="r", address=address, items=(), content=content,
        created=NOW, due=NOW,
    )  # fmt: skip


def test_no_header_of_a_mail_is_made_of_a_text() -> None:
    subject = written_mail(outgoing({"subject": LINES, "text": LINES}), (), "o@example.cz").as_bytes(policy=SMTP)
    read = message_from_bytes(subject, policy=default)
    assert sorted(read.keys()) == sorted(set(read.keys()))
    assert "bcc" not in {name.lower() for name in read}
    assert "Bcc" in str(read["subject"])


def test_a_mail_with_a_link_takes_a_name_as_it_is() -> None:
    person = Person(id="eva", name="{link.__class__} {minutes} <b>" + HOSTILE, mail="e@example.cz")
    text = str(reset_message(person, "https://o/p", "k", NOW, language="cs", minutes=30).content["text"])
    assert "{link.__class__} {minutes}" in text
    assert text.count("https://o/p") == 1


def test_a_message_to_try_an_address_keeps_the_name_in_its_place() -> None:
    told = wording.test_message(Recipient(id="r", name=HOSTILE, mail="a@example.cz"), "https://odecet.example/")
    good = wording.test_message(Recipient(id="r", name=HARMLESS, mail="a@example.cz"), "https://odecet.example/")
    assert Elements(str(told.get("html", ""))).found == Elements(str(good.get("html", ""))).found


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_has_one_line_an_event_and_nothing_that_steers_a_terminal(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    former, level = list(root.handlers), root.level
    try:
        set_up_log("info", form)
        log = logging.getLogger("hostile")
        log.info("topic %s", LINES, extra={"device": LINES})
        log.info(LINES)
        try:
            raise ValueError(LINES + "\n2026-01-01 00:00:00 INFO app: forged")  # noqa: TRY301 - it is the case
        except ValueError:
            log.exception("failed", extra={"topic": LINES})
    finally:
        root.handlers[:] = former
        root.setLevel(level)
    lines = written.getvalue().split("\n")
    events = [line for line in lines if line and not line.startswith("  ")]
    assert len(events) == 3, lines
    assert not any(ord(c) < 32 or not c.isprintable() for line in lines for c in line)


def test_figures_for_grafana_carry_no_label_of_a_text() -> None:
    with build_world().client() as client:
        client.get("/api/v1/buildings/" + "%22%7D%0Aforged%201")
        client.get("/%22%7D%0Aforged%201", headers={"x-request-id": LINES.encode("unicode_escape").decode()})
        told = client.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    assert samples
    assert [s for s in samples if "forged" in "".join(s.labels.values())] == []
    assert "\nforged" not in told
