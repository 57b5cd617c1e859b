"""What pages call the states, causes, severities and steps of alerts."""

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
