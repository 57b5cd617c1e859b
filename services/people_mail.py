"""A link to a new password by mail: through the outbox, so that it goes out once and is tried again."""

from datetime import datetime
from typing import Final

from core.alerts import Change
from core.people import Person
from core.ports import RecordStore
from core.sending import ChannelKind, Outgoing
from core.sessions import Purpose, digest_of
from services.sessions import Sessions

SUBJECT: Final = {"cs": "Odečet: nové heslo", "en": "Odečet: a new password"}
TEXT: Final = {
    "cs": (
        "Dobrý den,\n\n"
        "někdo (nejspíš vy) požádal o nové heslo do Odečtu pro {name}. Nastavíte si je zde:\n\n"
        "{link}\n\n"
        "Odkaz platí {minutes} minut a jen jednou. Pokud jste o nic nežádali, nedělejte nic: heslo zůstává, jak bylo.\n"
    ),
    "en": (
        "Good day,\n\n"
        "somebody (most likely you) asked for a new password to Odečet for {name}. Set it here:\n\n"
        "{link}\n\n"
        "The link holds for {minutes} minutes and once. If you asked for nothing, do nothing: the password stays.\n"
    ),
}


def ask_reset(
    sessions: Sessions, records: RecordStore, mail: str, *, links_at: str, now: datetime, language: str
) -> None:
    """Send whoever has this mail address a link to a new password; nobody is told whether somebody has it."""
    wanted = mail.strip().casefold()
    if not sessions.may_ask_reset(wanted, now):
        return
    person = next((p for p in records.people() if p.active and wanted and p.mail.casefold() == wanted), None)
    if person is None:
        return
    secret = sessions.link(person.id, Purpose.PASSWORD, now, holds=sessions.policy.reset)
    minutes = int(sessions.policy.reset.total_seconds() // 60)
    link = f"{links_at.rstrip('/')}/password?link={secret}"
    message = reset_message(person, link, digest_of(secret), now, language=language, minutes=minutes)
    records.change_alerts(Change(outgoing=(message,)))


def reset_message(person: Person, link: str, key: str, now: datetime, *, language: str, minutes: int) -> Outgoing:
    """Return the mail with the link."""
    text = TEXT[language].format(name=person.name, link=link, minutes=minutes)
    return Outgoing(
        key=f"password-{key[:40]}",
        channel=ChannelKind.MAIL,
        recipient=person.id,
        address=person.mail,
        items=(),
        content={"subject": SUBJECT[language], "text": text, "language": language},
        created=now,
        due=now,
    )
