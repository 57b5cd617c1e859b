"""What pages call roles, rights and what is audited; whoever grants a role reads what it is for."""

from typing import Final

from api.alert_texts import WORDS
from api.texts import N_, Language

ROLES: Final = {
    "administrator": N_("Administrator"),
    "energy_manager": N_("Energy manager"),
    "facility_staff": N_("Facility staff"),
    "coordinator": N_("Coordinator"),
    "guarantor": N_("Guarantor"),
    "tester": N_("Tester"),
    "public": N_("Public"),
}
RIGHTS: Final = {
    "see_published": N_("sees what is published"),
    "see": N_("sees buildings, consumption, alerts and measures"),
    "act_on_alerts": N_("acts on alerts"),
    "enter_readings": N_("enters readings and swaps of meters"),
    "change_register": N_("changes buildings, points, meters and measures"),
    "see_documents": N_("sees documents and notes of buildings"),
    "keep_documents": N_("adds documents and notes, corrects and withdraws own ones"),
    "see_indicators": N_("sees indicators"),
    "deliver_values": N_("delivers values of indicators"),
    "check_and_publish": N_("checks and publishes"),
    "simulate": N_("runs simulators and tries messages"),
    "send_readings": N_("sends readings"),
    "administer": N_("administers people, keys and settings"),
}
ENTITIES: Final = {
    "person": N_("Person"),
    "api_key": N_("Key"),
    "organisation": N_("Organisation"),
    "building": N_("Building"),
    "point": N_("Metering point"),
    "meter": N_("Meter"),
    "dial_event": N_("Event of a dial"),
    "station": N_("Weather station"),
    "measure": N_("Measure"),
    "adjustment": N_("Adjustment"),
    "alert": N_("Alert"),
    "document": N_("Document"),
    "note": N_("Note"),
    "goal": N_("Goal"),
    "area": N_("Area of activity"),
    "activity": N_("Activity"),
    "project": N_("Project"),
    "indicator": N_("Indicator"),
    "delivery": N_("Delivery of an area"),
    "publication": N_("Publication"),
    "alert_recipient": N_("Recipient of alerts"),
    "alert_route": N_("Route of alerts"),
    "alert_window": N_("Announced works"),
    "alert_message": N_("Message of an alert"),
    "rule_setting": N_("Setting of a rule"),
    "dated_row": N_("Value of a table"),
    "reading_import": N_("Import of readings"),
    "import": N_("Import of the register"),
    "simulation": N_("Simulation"),
}
WHYS: Final = {
    "the plan that ships": N_("the plan that ships"),
    "sample region": N_("sample region"),
    "sample people": N_("sample people"),
    "first start": N_("first start"),
    "odecet people": N_("on the command line"),
    "login": N_("login"),
    "password set by a link": N_("password set by a link"),
    "password changed": N_("password changed"),
    "start": N_("meters started"),
    "stop": N_("meters stopped"),
    "fault": N_("fault injected"),
    "publish": N_("published"),
}
"""Why something was changed, where nobody wrote it but we."""
TROUBLES: Final = {
    "length": N_("A password of this length is not taken; take several words."),
    "easy": N_("This password is easily guessed; take several words that have nothing to do with your name."),
}


def role_name(code: str, words: Language) -> str:
    """Return what a role is called."""
    return words.text(ROLES[code])


def right_name(code: str, words: Language) -> str:
    """Return what a right allows."""
    return words.text(RIGHTS[code])


def entity_name(code: str, words: Language) -> str:
    """Return what a kind of thing in the audit trail is called; one that has no name here as it is."""
    return words.text(ENTITIES[code]) if code in ENTITIES else code


def why_text(entity: str, why: str, words: Language) -> str:
    """Return why something was changed: our own words in the page's language, those of people as they are."""
    if entity == "alert" and why in WORDS:
        return words.text(WORDS[why])
    return words.text(WHYS[why]) if why in WHYS else why
