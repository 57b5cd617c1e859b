"""What a message says of alerts, in Czech and English: what, where, since when, at what loss, and what to check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from core.alerts import Alert, Severity
from core.notes import JsonValue
from core.sending import Occasion, Recipient

Both = tuple[str, str]
"""A text in Czech and in English."""

TITLES: Final[Mapping[str, Both]] = {
    "leak": ("Únik vody", "Water leak"),
    "never_zero": ("Odběr se nikdy nezastaví", "Flow never stops"),
    "burst": ("Prasklé potrubí nebo puštěný hydrant", "Burst pipe or open hydrant"),
    "dead": ("Měřidlo mlčí", "Meter is silent"),
    "gap": ("Chybějí odečty", "Readings are missing"),
    "stuck": ("Číselník stojí", "Dial stands still"),
    "zeroed": ("Samé nuly", "Nothing but zeros"),
    "clipped": ("Hodnoty jsou oříznuté", "Values are cut off"),
    "spike": ("Nesmyslné odečty", "Impossible readings"),
    "break": ("Číselník skočil", "Dial jumped"),
    "reversed": ("Číselník běží zpět", "Dial runs backwards"),
    "swapped": ("Prohozené registry", "Registers are swapped"),
    "capacity": ("Překročena rezervovaná kapacita", "Reserved capacity exceeded"),
    "capacity_projected": ("Hrozí překročení rezervované kapacity", "Reserved capacity is about to be exceeded"),
    "base_load": ("Vzrostl trvalý odběr", "Base load has risen"),
    "weekend_waste": ("Zbytečný odběr o víkendu", "Waste at the weekend"),
    "holiday_waste": ("Provoz o svátku jako v pracovní den", "A holiday was run like a workday"),
    "deviation": ("Spotřeba mimo očekávání", "Consumption is not as expected"),
    "drift": ("Spotřeba pomalu roste", "Consumption drifts"),
    "heating_while_warm": ("Topí se, ač je venku teplo", "Heating while it is warm outside"),
    "pv_below_expected": ("Fotovoltaika dává málo", "Photovoltaics give too little"),
    "source_silent": ("Mlčí brána nebo broker", "Gateway or broker is silent"),
}
CHECKS: Final[Mapping[str, Both]] = {
    "leak": (
        "Projděte toalety, pojistné ventily a zahradní rozvody; v noci odečtěte vodoměr dvakrát po hodině.",
        "Check toilets, safety valves and garden pipes; at night read the meter twice an hour apart.",
    ),
    "never_zero": ("Hledejte protékající toaletu nebo ventil.", "Look for a running toilet or valve."),
    "burst": ("Zavřete hlavní uzávěr a projděte rozvody.", "Close the main valve and walk along the pipes."),
    "dead": (
        "Zkontrolujte napájení a baterii měřidla, signál a bránu.",
        "Check the meter's power and battery, its signal and the gateway.",
    ),
    "stuck": ("Porovnejte číselník s poslední hodnotou.", "Compare the dial with the last value."),
    "gap": (
        "Data zase chodí; opakuje-li se to, zkontrolujte signál a bránu.",
        "Data come again; where it recurs, check the signal and the gateway.",
    ),
    "zeroed": (
        "Zkontrolujte vysílač a jeho nastavení po restartu.",
        "Check the transmitter and what it is set to after a restart.",
    ),
    "clipped": (
        "Zkontrolujte rozsah převodníku a poměr proudových transformátorů.",
        "Check the transducer's range and the ratio of the current transformers.",
    ),
    "spike": (
        "Opakuje-li se to, zkontrolujte přenos a převod jednotek.",
        "Where it recurs, check the transmission and the conversion of units.",
    ),
    "reversed": (
        "Zkontrolujte směr montáže měřidla a zapojení fází.",
        "Check which way round the meter is mounted and how its phases are wired.",
    ),
    "swapped": (
        "Zkontrolujte, který registr je odběr a který dodávka.",
        "Check which register is import and which export.",
    ),
    "capacity": (
        "Zjistěte, co v té čtvrthodině běželo, a rozložte spouštění.",
        "Find out what ran in that quarter-hour and spread the starts.",
    ),
    "deviation": (
        "Změnil se provoz, regulace, nebo měření?",
        "Did the use, the control or the metering change?",
    ),
    "drift": (
        "Zkontrolujte nastavení regulace a stav zařízení.",
        "Check what the control is set to and the state of the plant.",
    ),
    "break": ("Nebylo měřidlo vyměněno? Zapište výměnu se stavy.", "Was the meter exchanged? Record the readings."),
    "capacity_projected": (
        "Do konce čtvrthodiny vypněte, co může počkat.",
        "Switch off what can wait until the quarter-hour ends.",
    ),
    "base_load": ("Hledejte, co běží v noci nepřetržitě.", "Look for what runs all night."),
    "weekend_waste": ("Zkontrolujte časové programy.", "Check the time programmes."),
    "holiday_waste": ("Zkontrolujte časové programy svátků.", "Check the time programmes of holidays."),
    "heating_while_warm": ("Zkontrolujte ekvitermní křivku a letní režim.", "Check the heating curve and summer mode."),
    "pv_below_expected": ("Zkontrolujte střídač, jističe a stínění.", "Check inverter, breakers and shading."),
    "source_silent": (
        "Zkontrolujte napájení brány, síť a broker; jednotlivá měřidla až potom.",
        "Check the gateway's power, the network and the broker; single meters only then.",
    ),
}
OTHER_CHECK: Final = ("Porovnejte průběh s provozem budovy.", "Compare the chart with what the building did.")
OCCASIONS: Final[Mapping[Occasion, Both]] = {
    Occasion.OPENED: ("", ""),
    Occasion.REOPENED: ("vrátilo se: ", "returned: "),
    Occasion.RISEN: ("zhoršilo se: ", "got worse: "),
    Occasion.WOKEN: ("stále trvá: ", "still there: "),
    Occasion.ASSIGNED: ("je vaše: ", "is yours: "),
    Occasion.ENDED: ("skončilo: ", "ended: "),
    Occasion.DIGEST: ("", ""),
}
SEVERITIES: Final[Mapping[Severity, Both]] = {
    Severity.LOW: ("nízká", "low"),
    Severity.MEDIUM: ("střední", "medium"),
    Severity.HIGH: ("vysoká", "high"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How buildings and subjects are called, the address of the pages (empty: no links), and the zone of clocks."""

    buildings: Mapping[str, str]
    subjects: Mapping[str, str]
    address: str
    zone: ZoneInfo


def title(rule: str, language: str) -> str:
    """Return how a rule is called."""
    return _in(TITLES.get(rule, (rule, rule)), language)


def check(rule: str, language: str) -> str:
    """Return what to look at."""
    return _in(CHECKS.get(rule, OTHER_CHECK), language)


def _in(texts: Both, language: str) -> str:
    return texts[0] if language == "cs" else texts[1]


def number(value: float, language: str) -> str:
    """Return a number as people write it, to three digits or whole."""
    plain = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - from here on digits after the mark say nothing
    return plain.replace(",", "\u00a0").replace(".", ",") if language == "cs" else plain


def loss(alert: Alert, language: str) -> str:
    """Return the loss a day, in units and money, empty where neither is known."""
    parts = []
    if alert.loss_per_day:
        parts.append(f"{number(alert.loss_per_day, language)} {alert.unit}")
    if alert.loss_czk_per_day:
        parts.append(f"{number(alert.loss_czk_per_day, language)} Kč")
    return _in((f"{', '.join(parts)} za den", f"{', '.join(parts)} a day"), language) if parts else ""


def place(alert: Alert, names: Names) -> str:
    """Return where it is."""
    subject = names.subjects.get(alert.subject, alert.subject)
    return ", ".join(filter(None, (names.buildings.get(alert.building, alert.building), subject)))


def _since(at: datetime, names: Names) -> str:
    local = at.astimezone(names.zone)
    return f"{local.day}. {local.month}. {local.year} {local:%H:%M}"


def headline(alert: Alert, occasion: Occasion, names: Names, language: str) -> str:
    """Return an alert in one line: what, where, at what loss."""
    said = f"{_in(OCCASIONS[occasion], language)}{title(alert.rule, language)} – {place(alert, names)}"
    lost = loss(alert, language)
    return f"{said} ({lost})" if lost else said


def _lines(alert: Alert, names: Names, language: str) -> list[tuple[str, str]]:
    """Return what is said of an alert, as heading and text."""
    affected = [names.subjects.get(one, one) for one in alert.covers]
    shown = ", ".join(affected[:5]) + (f" … ({len(affected)})" if len(affected) > 5 else "")  # noqa: PLR2004 - more nobody reads
    rows: list[tuple[Both, str]] = [
        (("Kde", "Where"), place(alert, names)),
        (("Od", "Since"), _since(alert.at_from, names)),
        (("Ztráta", "Loss"), loss(alert, language)),
        (("Závažnost", "Severity"), _in(SEVERITIES[alert.severity], language)),
        (("Týká se i", "Affects too"), shown),
        (("Co zkontrolovat", "What to check"), check(alert.rule, language)),
        (("Poznámka", "Note"), alert.note),
        (("Více", "More"), f"{names.address}/alerts/{alert.id}" if names.address else ""),
    ]
    return [(_in(heading, language), text) for heading, text in rows if text]


def written(
    person: Recipient, told: Sequence[tuple[Alert, Occasion]], names: Names, *, subject: str = ""
) -> Mapping[str, JsonValue]:
    """Return the content of a message: subject, text, html, and the payload for programs."""
    language = person.language
    heads = [headline(alert, occasion, names, language) for alert, occasion in told]
    more = _in((f" a další {len(heads) - 1}", f" and {len(heads) - 1} more"), language) if len(heads) > 1 else ""
    blocks = [(head, _lines(alert, names, language)) for head, (alert, _) in zip(heads, told, strict=True)]
    return {
        "subject": subject or heads[0] + more,
        "text": "\n\n".join("\n".join([head, *(f"{name}: {text}" for name, text in rows)]) for head, rows in blocks),
        "html": "".join(_html(head, rows) for head, rows in blocks),
        "payload": {"alerts": [document(alert, occasion) for alert, occasion in told]},
    }


def _html(head: str, rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th align=left>{escape(name)}</th><td>{_linked(text)}</td></tr>" for name, text in rows)
    return f"<h2>{escape(head)}</h2><table>{cells}</table>"


def _linked(text: str) -> str:
    safe = escape(text)
    return f'<a href="{safe}">{safe}</a>' if text.startswith(("http://", "https://")) else safe


def document(alert: Alert, occasion: Occasion) -> Mapping[str, JsonValue]:
    """Return an alert as programs read it: canonical units, instants in ISO 8601."""
    texts = ("id", "rule", "kind", "subject", "building", "state", "severity", "unit", "assignee", "cause", "note")
    instants = ("opened_at", "at_from", "seen_to", "ended_at", "snoozed_until")
    said = {name: getattr(alert, name) for name in texts}
    said |= {name: None if (at := getattr(alert, name)) is None else at.isoformat() for name in instants}
    said |= {"loss_per_day": alert.loss_per_day, "loss_czk_per_day": alert.loss_czk_per_day}
    return said | {"covers": list(alert.covers), "occasion": occasion}
