"""What pages call faults of simulated meters, what these are told, and what became of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from api.texts import N_, NBSP, NOTHING, Language
from core.errors import InputError, OdecetError


class Told(NamedTuple):
    """The name of a kind or parameter and what it means."""

    name: str
    meaning: str


FAULTS: Final[Mapping[str, Told]] = {
    "leak": Told(N_("Leak"), N_("A small flow that never stops; it is true consumption, and the dial counts it.")),
    "burst_flow": Told(N_("Burst pipe"), N_("A large flow for some hours; it is true consumption.")),
    "stuck": Told(N_("Stuck dial"), N_("The dial repeats one value, then catches up or has lost what passed.")),
    "dead": Told(N_("Dead meter"), N_("Nothing comes any more, until somebody changes the battery.")),
    "gap": Told(N_("Gap in radio"), N_("Nothing comes for a while; the dial goes on.")),
    "zero": Told(N_("Zeros"), N_("The meter shows 0 for a while, then is where it was.")),
    "glitch": Told(N_("Wrong values"), N_("A few readings off the line: the dial times a factor, plus an amount.")),
    "rollover": Told(
        N_("Roll-over"),
        N_("The dial passes its last digit and goes on from 0; only a new meter can have it."),
    ),
    "swap": Told(N_("Meter exchanged"), N_("Another meter is mounted, and nobody writes it down.")),
    "unit_change": Told(N_("Change of unit"), N_("The same dial in another unit; the meter says so, or does not.")),
    "late": Told(N_("Late batch"), N_("The readings of a while come together, some time after it ended.")),
    "duplicate": Told(N_("Readings twice"), N_("Each reading comes once more, the same or with another value.")),
    "out_of_order": Told(N_("Out of order"), N_("Readings are held up and overtake each other.")),
    "clock_drift": Told(N_("Wrong clock"), N_("The meter's clock gains or loses time each day, then is set right.")),
    "burst_messages": Told(N_("Storm of messages"), N_("A reading every few seconds besides the usual ones.")),
}
PARAMETERS: Final[Mapping[str, Told]] = {
    "per_hour": Told(N_("Flow an hour"), N_("In kWh or m³ an hour; empty: what suits the meter.")),
    "catches_up": Told(N_("Catches up"), N_("The dial went on inside. Otherwise what passed meanwhile is lost.")),
    "factor": Told(N_("Factor"), N_("What the dial is multiplied by.")),
    "add": Told(N_("Amount added"), N_("In the dial's unit; may be below zero.")),
    "digits": Told(N_("Digits"), N_("Places of the dial before the decimal mark.")),
    "first": Told(N_("First reading"), N_("Where the new dial begins, in its unit.")),
    "new_name": Told(N_("New name"), N_("The new meter sends under another name and comes into the inbox.")),
    "to": Told(N_("Unit"), N_("What it sends in from then on; it must measure the same.")),
    "stated": Told(N_("The unit is said"), N_("The message names the new unit; otherwise still the old one.")),
    "delay_h": Told(N_("Delay"), N_("Hours after the end until they are sent.")),
    "after_s": Told(N_("After"), N_("Seconds until the reading comes again.")),
    "within_s": Told(N_("Held up by at most"), N_("Longest delay in seconds.")),
    "s_per_day": Told(N_("Drift"), N_("Seconds a day; below zero the clock loses.")),
    "every_s": Told(N_("Distance"), N_("Seconds between two messages.")),
}
OUTCOMES: Final[Mapping[str, Told]] = {
    "found": Told(N_("found"), N_("An alert or a question tells of it.")),
    "missed": Told(N_("missed"), N_("Nothing tells of it, though there was time enough.")),
    "pending": Told(N_("still to come"), N_("It has not begun, or not lasted long enough to be told from chance.")),
    "harmless": Told(N_("nothing to find"), N_("Nothing is lost by it, so nothing has to be said.")),
    "unwatched": Told(N_("not watched"), N_("Its meter stands on no metering point.")),
}
COLOURS: Final[Mapping[str, str]] = {"found": "good", "missed": "high", "pending": "medium"}
TROUBLES: Final[Mapping[str, str]] = {
    "seed": N_("Write a whole number from 0 to 999999."),
    "buildings": N_("Write 1 to 60 buildings."),
    "speed": N_("Choose one of the speeds."),
    "since": N_("This begin cannot be: what was sent stays, and nothing begins in the future or long ago."),
    "samples": N_("The meters of this seed have sent already; choose another seed for sample faults."),
    "devices": N_("Readings of such a name are there already and are no simulated ones; choose another seed."),
    "device": N_("Choose a meter that is running."),
    "kind": N_("This fault needs a meter that has sent nothing yet."),
    "hours": N_("Write how many hours it lasts; a storm of messages only a few."),
    "to": N_("Choose another unit that measures the same."),
    "mqtt.tls.cert": N_("The broker wants a certificate, and simulated meters have none."),
}
BUSY: Final = N_("It runs already, or runs no more; look at its state.")
NO_NUMBER: Final = N_("Write a number that can be.")


def told_of(texts: Mapping[str, Told], code: str, words: Language) -> Told:
    """Return name and meaning of a code in a language; one without a text is shown as it is."""
    found = texts.get(code, Told(code, ""))
    return Told(words.text(found.name), words.text(found.meaning) if found.meaning else "")


def told_trouble(err: OdecetError, words: Language) -> str:
    """Return what is wrong with a wish, in a language."""
    if isinstance(err, InputError):
        return words.text(TROUBLES.get(err.place, NO_NUMBER))
    return words.text(BUSY)


def duration(length: timedelta | None, words: Language) -> str:
    """Return a length of time for the eye."""
    if length is None:
        return NOTHING
    hours = length.total_seconds() / 3600
    if hours < 1:
        return f"{words.number(hours * 60, 0)}{NBSP}min"
    if hours < 48:  # noqa: PLR2004 - beyond two days hours are no measure
        return f"{words.number(hours, 1)}{NBSP}h"
    return f"{words.number(hours / 24, 1)}{NBSP}d"
