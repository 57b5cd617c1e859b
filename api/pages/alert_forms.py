"""What people write into the forms of alerts: recipients, routes, announced works; each trouble beside its field."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from api.pages.forms import local_moment, number_of
from api.texts import N_
from core.errors import InputError
from core.sending import WEEKDAYS, ChannelKind, PersonRole, Quiet, Recipient, Route, Window, WindowScope

T = TypeVar("T")
WORKDAYS: Final = (0, 1, 2, 3, 4)
WEEKEND: Final = (5, 6)
DAYS: Final[Mapping[str, tuple[int, ...]]] = {"every": WEEKDAYS, "workdays": WORKDAYS, "weekend": WEEKEND}
"""Days on which quiet hours begin, by the word of the form; others are written as numbers (0 Monday)."""

QUIET: Final = ("quiet_begin", "quiet_end", "quiet_days", "quiet_except")
"""Fields of the rows of quiet hours."""

HINTS: Final[Mapping[str, str]] = {
    "id": N_("Use 1 to 120 characters without spaces, commas, semicolons and quotes."),
    "name": N_("Fill in the name."),
    "mail": N_("Write it as name@example.cz."),
    "webhook": N_("Begin it with https:// or http://."),
    "topic": N_("Leave out + and #."),
    "buildings": N_("Choose buildings of the register, or none for all."),
    "quiet": N_("Write two different times such as 22:00 and 6:00."),
    "language": N_("Choose Czech or English."),
    "role": N_("Choose a role that there is."),
    "person": N_("Choose either a role or a person who is in the list."),
    "channel": N_("Choose a channel that there is."),
    "rules": N_("Choose rules that there are, or none for all."),
    "least": N_("Choose a severity."),
    "delay_min": N_("Write 0 to 10080 minutes."),
    "key": N_("Choose what the works concern."),
    "start": N_("Write the day and the hour; the clock must have shown it."),
    "end": N_("Write a day and an hour after the beginning."),
    "reason": N_("Say what is done there."),
}
"""What to do about a field, by its name."""


@dataclass(slots=True)
class Troubles:
    """What is wrong in a form, by field; `first_of` reads one field at a time and goes on."""

    of: dict[str, str] = field(default_factory=dict)

    def note(self, err: InputError) -> None:
        """Keep the first trouble of a field: the hint for it, or where there is none what the error says."""
        self.of.setdefault(err.place, HINTS.get(err.place, str(err)))


class RecipientForm(BaseModel):
    """A recipient as written; the quiet hours are four lists of equal length."""

    id: str = ""
    name: str = ""
    role: str = PersonRole.CARETAKER.value
    mail: str = ""
    webhook: str = ""
    topic: str = ""
    person: str = ""
    language: str = "cs"
    off: str = ""
    changing: str = ""
    buildings: list[str] = []
    quiet_begin: list[str] = []
    quiet_end: list[str] = []
    quiet_days: list[str] = []
    quiet_except: list[str] = []

    @classmethod
    def of(cls, one: Recipient) -> "RecipientForm":
        """Return the form of a recipient that there is."""
        names = ("id", "name", "mail", "webhook", "topic", "person", "language")
        return cls(
            **{name: getattr(one, name) for name in names},
            role=one.role.value,
            off="yes" if one.off else "",
            changing="yes",
            buildings=list(one.buildings),
            quiet_begin=[f"{q.begin:%H:%M}" for q in one.quiet],
            quiet_end=[f"{q.end:%H:%M}" for q in one.quiet],
            quiet_days=[_days_word(q.days) for q in one.quiet],
            quiet_except=[q.except_from for q in one.quiet],
        )

    @property
    def quiet_rows(self) -> list[tuple[str, str, str, str]]:
        """Return the quiet hours as written, and a row for more."""
        rows = list(zip(self.quiet_begin, self.quiet_end, self.quiet_days, self.quiet_except, strict=False))
        return [*(row for row in rows if row[0] or row[1]), ("", "", "every", "high")]

    def troubles(self) -> list[InputError]:
        """Return what is wrong in each field by itself, so that all of it is told at once."""
        found = []
        for name in ("id", "name", "mail", "webhook", "topic", "language"):
            alone = RecipientForm(**{"id": "x", "name": "x", name: getattr(self, name)})
            found += _trouble_of(alone.read)
        rows = RecipientForm(id="x", name="x", **{name: getattr(self, name) for name in QUIET})
        return [*found, *_trouble_of(rows.read)]

    def read(self) -> Recipient:
        """Return the recipient; raise InputError with the first field that is wrong."""
        return Recipient(
            id=self.id.strip(),
            name=self.name.strip(),
            role=_one_of(PersonRole, self.role, place="role"),
            mail=self.mail.strip(),
            webhook=self.webhook.strip(),
            topic=self.topic.strip(),
            buildings=tuple(filter(None, self.buildings)),
            quiet=tuple(_quiet(*row) for row in self.quiet_rows[:-1]),
            language=self.language,
            off=bool(self.off),
            person=self.person.strip(),
        )


def _trouble_of(read: Callable[[], object]) -> list[InputError]:
    try:
        read()
    except InputError as err:
        return [err]
    return []


def _days_word(days: tuple[int, ...]) -> str:
    return next((word for word, known in DAYS.items() if known == days), ",".join(map(str, days)))


def _quiet(begin: str, end: str, days: str, except_from: str) -> Quiet:
    try:
        chosen = DAYS[days] if days in DAYS else tuple(int(day) for day in days.split(","))
        first, last = time.fromisoformat(begin), time.fromisoformat(end)
    except ValueError as err:
        raise InputError(f"{begin} to {end} are no hours", place="quiet", remedy="write 22:00 and 06:00") from err
    return Quiet(begin=first, end=last, days=chosen, except_from=except_from)


def _one_of(kind: type[T], text: str, *, place: str) -> T:
    try:
        return kind(text)  # type: ignore[call-arg]  # an enumeration takes its value
    except ValueError as err:
        raise InputError(f"{text!r} is not known", place=place, remedy="choose one of the list") from err


class RouteForm(BaseModel):
    """A route as written; `to` is `role:ROLE` or `person:ID`."""

    id: str = ""
    channel: str = ChannelKind.MAIL.value
    to: str = ""
    buildings: list[str] = []
    rules: list[str] = []
    least: str = "low"
    delay_min: str = ""
    how: str = "at_once"
    ends: str = ""

    @classmethod
    def of(cls, one: Route) -> "RouteForm":
        """Return the form of a route that there is."""
        return cls(
            id=one.id,
            channel=one.channel.value,
            to=f"role:{one.role}" if one.role else f"person:{one.person}",
            buildings=list(one.buildings),
            rules=list(one.rules),
            least=one.least,
            delay_min=f"{one.delay_min:g}" if one.delay_min else "",
            how="digest" if one.digest else "at_once",
            ends="yes" if one.ends else "",
        )

    def read(self, fresh: str) -> Route:
        """Return the route, a new one with the id `fresh`; raise InputError with the field that is wrong."""
        kind, _, name = self.to.partition(":")
        return Route(
            id=self.id or fresh,
            channel=_one_of(ChannelKind, self.channel, place="channel"),
            role=name if kind == "role" else "",
            person=name if kind == "person" else "",
            buildings=tuple(filter(None, self.buildings)),
            rules=tuple(filter(None, self.rules)),
            least=self.least,
            delay_min=number_of(self.delay_min, place="delay_min") or 0.0,
            digest=self.how == "digest",
            ends=bool(self.ends),
        )


class WindowForm(BaseModel):
    """Works as written, on the clock of the region; `what` is `all`, `building:ID`, `point:ID` or `source:ID`."""

    id: str = ""
    what: str = ""
    start: str = ""
    end: str = ""
    reason: str = ""
    rules: list[str] = []

    @classmethod
    def of(cls, one: Window, zone: ZoneInfo) -> "WindowForm":
        """Return the form of works that there are."""
        return cls(
            id=one.id,
            what=one.scope.value if one.scope is WindowScope.ALL else f"{one.scope}:{one.key}",
            start=f"{one.start.astimezone(zone):%Y-%m-%dT%H:%M}",
            end=f"{one.end.astimezone(zone):%Y-%m-%dT%H:%M}",
            reason=one.reason,
            rules=list(one.rules),
        )

    def read(self, fresh: str, zone: ZoneInfo) -> Window:
        """Return the works, new ones with the id `fresh`; raise InputError with the field that is wrong."""
        scope, _, key = self.what.partition(":")
        return Window(
            id=self.id or fresh,
            scope=_one_of(WindowScope, scope, place="key"),
            key=key,
            start=_instant(self.start, zone, place="start"),
            end=_instant(self.end, zone, place="end"),
            reason=self.reason.strip(),
            rules=tuple(filter(None, self.rules)),
        )


def _instant(text: str, zone: ZoneInfo, *, place: str) -> datetime:
    at = local_moment(text, zone, place=place)
    if at is None:
        raise InputError("it is not said when", place=place, remedy="write the day and the hour")
    return at


def named(things: Iterable[Any]) -> Sequence[Any]:
    """Return things of the register in the order in which people look for them."""
    return sorted(things, key=lambda thing: (thing.name.casefold(), thing.id))
