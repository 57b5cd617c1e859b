"""What is to be known of deliveries, publications and restatements, in the reader's language."""

from collections.abc import Iterable, Mapping
from typing import Final

from api.indicator_texts import reason_text
from api.texts import N_, Language
from core.deliveries import DeliveryAct, DeliveryState, Text
from core.indicators import Because
from services.restatement import Cause

STATES: Final[Mapping[str, str]] = {
    DeliveryState.DRAFT: N_("being written"),
    DeliveryState.DELIVERED: N_("delivered, to be checked"),
    DeliveryState.RETURNED: N_("returned to be completed"),
    DeliveryState.CHECKED: N_("checked"),
    DeliveryState.PUBLISHED: N_("published"),
}
ACTS: Final[Mapping[str, str]] = {
    DeliveryAct.EDIT: N_("edited"),
    DeliveryAct.COMMENT: N_("commented"),
    DeliveryAct.DELIVER: N_("delivered"),
    DeliveryAct.RECALL: N_("taken back"),
    DeliveryAct.RETURN: N_("returned"),
    DeliveryAct.CHECK: N_("checked"),
    DeliveryAct.CHECK_VALUE: N_("value checked"),
    DeliveryAct.PUBLISH: N_("published"),
    DeliveryAct.REOPEN: N_("opened again"),
}
TEXTS: Final[Mapping[str, str]] = {
    Text.REALISED: N_("what was realised"),
    Text.FULFILMENT: N_("how activities were fulfilled"),
    Text.EVALUATION: N_("evaluation of indicators"),
    Text.TRENDS: N_("trends"),
    Text.COMMUNICATION: N_("communication"),
    Text.PARTNERSHIP: N_("partnership"),
    Text.STATE_OF_WORK: N_("state of work"),
}
CAUSES: Final[Mapping[str, str]] = {
    Cause.METHOD: N_("another version of the method"),
    Cause.LATE_DATA: N_("data that came after the cut-off"),
    Cause.REGISTER: N_("corrections of the register"),
    Cause.FACTORS: N_("emission factors"),
    Cause.TARIFFS: N_("prices"),
    Cause.POPULATIONS: N_("number of inhabitants"),
    Cause.NORMALS: N_("climate normals"),
    Cause.CALENDAR: N_("calendar and calibration of models"),
    Cause.ALERTS: N_("alerts settled since"),
    Cause.DELIVERED: N_("values delivered by guarantors"),
}
REASONS: Final[Mapping[str, str]] = {
    "text_missing": N_("a text lacks: {text}"),
    "value_missing": N_("indicator {indicator} lacks a value or the reason why there is none ({figures})"),
    "area_not_checked": N_("area {area} is not checked ({state})"),
    "value_not_checked": N_("the computed value of {indicator} is not checked"),
    "value_changed_since_check": N_("the value of {indicator} has changed since it was checked"),
    "content_changed": N_("the content of {publication} is not what was published: its hash does not hold"),
    "row_changed": N_("{publication}: {field} is not what was published"),
    "chain_broken": N_("the chain of publications is broken at {publication}: one was taken out or put in between"),
    "evidence_lost": N_("the evidence {name} of {indicator} is not there as it was: {problem}"),
    "withdrawn_and_not_kept": N_("import {import} was undone on {undone} and its readings were not kept"),
}


def told(because: Because, words: Language) -> str:
    """Return a reason as a person reads it."""
    if because.code not in REASONS:
        return reason_text(words, because)
    facts = {name: _fact(name, str(fact), words) for name, fact in because.facts.items()}
    return words.text(REASONS[because.code]).format(**facts)


def _fact(name: str, fact: str, words: Language) -> str:
    known = {"state": STATES, "text": TEXTS}.get(name, {})
    return words.text(known[fact]) if fact in known else fact


def cause_text(names: Iterable[str], words: Language) -> str:
    """Return causes as a person reads them."""
    return ", ".join(words.text(CAUSES[name]) for name in names)
