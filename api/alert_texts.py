"""What pages call the states, causes, severities and steps of alerts."""

import re
from collections.abc import Mapping
from typing import Final

from api.texts import N_, Language

WORDS: Final[Mapping[str, str]] = {
    "open": N_("New"),
    "acknowledged": N_("Acknowledged"),
    "assigned": N_("Assigned"),
    "snoozed": N_("Put off"),
    "resolved": N_("Resolved"),
    "closed": N_("Ended by itself"),
    "low": N_("Low"),
    "medium": N_("Medium"),
    "high": N_("High"),
    "repaired": N_("It was repaired"),
    "meter_replaced": N_("Faulty meter"),
    "communication": N_("Power or transmission failed"),
    "regulation": N_("Wrong setting or time programme"),
    "operation": N_("People: taps, lights, windows"),
    "planned": N_("Planned works"),
    "accepted": N_("It is so and stays so"),
    "false_alarm": N_("False alarm"),
    "other_cause": N_("Another cause"),
    "opened": N_("Found"),
    "risen": N_("Got worse"),
    "narrowed": N_("Located more exactly"),
    "woken": N_("Its time came"),
    "commented": N_("Comment"),
    "absorbed": N_("Became a part of another alert"),
    "reopened": N_("Returned"),
    "waiting": N_("Waits"),
    "claimed": N_("Going out"),
    "sending": N_("Going out"),
    "sent": N_("Sent"),
    "failed": N_("Not delivered"),
    "uncertain": N_("Nobody knows whether it arrived"),
    "dropped": N_("Was not needed any more"),
    "joined": N_("Told in another message"),
    "mail": N_("e-mail"),
    "webhook": N_("webhook"),
    "mqtt": N_("MQTT"),
    "caretaker": N_("Caretaker"),
    "energy_manager": N_("Energy manager"),
    "coordinator": N_("Coordinator"),
    "administrator": N_("Administrator"),
    "alert_recipient": N_("recipient"),
    "alert_route": N_("route"),
}


def said(words: Language, code: str) -> str:
    """Return the text of a word of alerts; one without a text is shown as it is."""
    return words.text(WORDS[code]) if code in WORDS else code


TROUBLES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"held back: .*"), N_("This address was sent enough just now; it goes with what comes meanwhile.")),
    (re.compile(r"the process ended while it went out: .*"), N_("The process ended while it went out.")),
    (re.compile(r"it was over before it was due"), N_("It was over before its hour came.")),
    (re.compile(r"no \w+ is set up"), N_("No server is set up for this channel.")),
    (re.compile(r"told in \w*"), N_("Another message tells it.")),
    (re.compile(r"no chart of .*"), N_("It went without its chart.")),
    (
        re.compile(r"given up after (?P<tries>\d+) tries: (?P<said>.*)", re.DOTALL),
        N_("Given up after %(tries)s tries: %(said)s"),
    ),
    (
        re.compile(r"it broke off while the message went out: (?P<said>.*)", re.DOTALL),
        N_("It broke off on the way: %(said)s"),
    ),
)
"""What Odečet itself says of a message, and how pages say it; the words of servers stay as they are."""


def told_trouble(words: Language, error: str) -> str:
    """Return what keeps a message from somebody, in the language of who looks."""
    for form, text in TROUBLES:
        if found := form.fullmatch(error):
            inner = {name: told_trouble(words, part) for name, part in found.groupdict().items()}
            return words.text(text) % inner if inner else words.text(text)
    return error
