"""What a message says of alerts, in Czech and English: what, where, since when, at what loss, and what to check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from alerts.checks import Both, checks
from alerts.evidence_words import in_language as _in
from alerts.evidence_words import number, told
from core.alerts import Alert, Severity
from core.notes import JsonValue
from core.sending import Occasion, Recipient

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
OCCASIONS: Final[Mapping[Occasion, Both]] = {
    Occasion.OPENED: ("", ""),
    Occasion.REOPENED: ("vrátilo se: ", "returned: "),
    Occasion.RISEN: ("zhoršilo se: ", "got worse: "),
    Occasion.WOKEN: ("stále trvá: ", "still there: "),
    Occasion.ASSIGNED: ("je vaše: ", "is yours: "),
    Occasion.ENDED: ("skončilo: ", "ended: "),
    Occasion.DIGEST: ("", ""),
}
TO_CHECK: Final = ("Co zkontrolovat", "What to check")
MEASURED: Final = ("Co se naměřilo", "What was measured")
MORE: Final = ("Více", "More")
OPEN: Final = ("Otevřít upozornění", "Open the alert")
COLORS: Final[Mapping[Severity, str]] = {
    Severity.LOW: "#5c8f2e",
    Severity.MEDIUM: "#e0a030",
    Severity.HIGH: "#b3372f",
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
    """Return what to look at, as one text."""
    return " ".join(checks(rule, language))


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


def rows(alert: Alert, names: Names, language: str) -> list[tuple[str, str]]:
    """Return what is known of an alert, as heading and text."""
    affected = [names.subjects.get(one, one) for one in alert.covers]
    shown = ", ".join(affected[:5]) + (f" … ({len(affected)})" if len(affected) > 5 else "")  # noqa: PLR2004 - more nobody reads
    given: list[tuple[Both, str]] = [
        (("Kde", "Where"), place(alert, names)),
        (("Od", "Since"), _since(alert.at_from, names)),
        (("Ztráta", "Loss"), loss(alert, language)),
        (("Závažnost", "Severity"), _in(SEVERITIES[alert.severity], language)),
        (("Týká se i", "Affects too"), shown),
        (("Poznámka", "Note"), alert.note),
    ]
    return [(_in(heading, language), text) for heading, text in given if text]


def and_more(count: int, language: str) -> str:
    """Return what follows the first headline of several."""
    return _in((f" a další {count}", f" and {count} more"), language) if count > 0 else ""


def written(
    person: Recipient,
    told_of: Sequence[tuple[Alert, Occasion]],
    names: Names,
    *,
    subject: str = "",
    intro: str = "",
) -> Mapping[str, JsonValue]:
    """Return the content of a message: subject, text, html, and the payload for programs.

    `head` and `rank` are the first headline and its urgency: of messages that go out together the most urgent leads.
    """
    language = person.language
    heads = [headline(alert, occasion, names, language) for alert, occasion in told_of]
    blocks = [(head, alert, occasion) for head, (alert, occasion) in zip(heads, told_of, strict=True)]
    said = [_plain(head, alert, occasion, names, language) for head, alert, occasion in blocks]
    drawn = [_html(head, alert, occasion, names, language) for head, alert, occasion in blocks]
    return {
        "subject": subject or heads[0] + and_more(len(heads) - 1, language),
        "head": subject or heads[0],
        "rank": max(alert.severity.rank for alert, _ in told_of),
        "language": language,
        "text": "\n\n".join([intro, *said] if intro else said),
        "html": (f'<p style="margin:0 0 16px">{escape(intro)}</p>' if intro else "") + "".join(drawn),
        "payload": {"alerts": [document(alert, occasion) for alert, occasion in told_of]},
    }


def digest_intro(alerts: Sequence[Alert], shown: int, language: str) -> str:
    """Return what stands above a digest: how many faults there are, at what known loss, and how many are told."""
    lost = sum(a.loss_czk_per_day or 0.0 for a in alerts)
    czech = f"Otevřených upozornění: {len(alerts)}. Zde jsou z každé budovy nejvýš tři nejzávažnější ({shown})."
    english = f"Open alerts: {len(alerts)}. Here are the three most urgent of each building at most ({shown})."
    known = (
        f" Známá ztráta celkem: {number(lost, language)} Kč za den.",
        f" Known loss: {number(lost, language)} Kč a day.",
    )
    return _in((czech, english), language) + (_in(known, language) if lost else "")


def test_message(person: Recipient, address: str) -> Mapping[str, JsonValue]:
    """Return the content of a message that tries the way to somebody."""
    text = _in(
        (
            f"{person.name}, tato zpráva zkouší cestu, kterou k vám budou chodit upozornění. Nic se nestalo.",
            f"{person.name}, this message tries the way by which alerts will reach you. Nothing has happened.",
        ),
        person.language,
    )
    link = f" {address}/alerts" if address else ""
    return {
        "subject": _in(("Zkouška upozornění z Odečtu", "Test of alerts from Odečet"), person.language),
        "language": person.language,
        "text": text + link,
        "html": f'<div style="border:1px solid #dfe5e8;{_CARD}">{escape(text)}</div>',
        "payload": {"alerts": [], "test": True},
    }


def _plain(head: str, alert: Alert, occasion: Occasion, names: Names, language: str) -> str:
    lines = [head, *(f"{name}: {text}" for name, text in rows(alert, names, language))]
    if occasion is not Occasion.ENDED:
        lines += [f"{_in(TO_CHECK, language)}:"]
        lines += [f"  {number}. {step}" for number, step in enumerate(checks(alert.rule, language), 1)]
    evidence = told(alert.evidence, alert.unit, language)
    if evidence:
        lines.append(f"{_in(MEASURED, language)}: " + "; ".join(f"{name} {text}" for name, text in evidence))
    if address := _address(alert, names):
        lines.append(f"{_in(MORE, language)}: {address}")
    return "\n".join(lines)


def _html(head: str, alert: Alert, occasion: Occasion, names: Names, language: str) -> str:
    """Return an alert as mail programs show it: styles in place, for many leave out everything else."""
    parts = [
        f'<h2 style="font-size:18px;line-height:1.3;margin:0 0 8px">{escape(head)}</h2>',
        _table(rows(alert, names, language)),
        chart_place(alert.id),
    ]
    if occasion is not Occasion.ENDED:
        steps = "".join(f'<li style="margin:0 0 4px">{escape(step)}</li>' for step in checks(alert.rule, language))
        parts.append(f'<p style="margin:12px 0 4px"><b>{_in(TO_CHECK, language)}</b></p>')
        parts.append(f'<ol style="margin:0;padding-left:20px">{steps}</ol>')
    evidence = told(alert.evidence, alert.unit, language)
    if evidence:
        parts.append(f'<p style="margin:12px 0 4px"><b>{_in(MEASURED, language)}</b></p>{_table(evidence)}')
    if address := _address(alert, names):
        parts.append(
            f'<p style="margin:16px 0 0"><a href="{escape(address)}" style="{_BUTTON}">{_in(OPEN, language)}</a></p>'
        )
    edge = COLORS[alert.severity]
    return f'<div style="border:1px solid #dfe5e8;border-left:5px solid {edge};{_CARD}">{"".join(parts)}</div>'


_CARD: Final = "border-radius:6px;padding:16px;margin:0 0 16px;background:#ffffff"
_BUTTON: Final = (
    "display:inline-block;background:#0e6662;color:#ffffff;padding:10px 18px;border-radius:6px;"
    "text-decoration:none;font-weight:bold"
)


def chart_place(alert: str) -> str:
    """Return the mark at which a mail shows the chart of an alert, where it has one."""
    return f"<!--chart:{alert}-->"


def _table(pairs: Sequence[tuple[str, str]]) -> str:
    name, text = "padding:2px 12px 2px 0;color:#566872;text-align:left;font-weight:normal", "padding:2px 0"
    cells = "".join(
        f'<tr><th style="{name}">{escape(heading)}</th><td style="{text}">{escape(said)}</td></tr>'
        for heading, said in pairs
    )
    return f'<table style="border-collapse:collapse;font-size:15px">{cells}</table>'


def _address(alert: Alert, names: Names) -> str:
    return f"{names.address}/alerts/{alert.id}" if names.address else ""


def document(alert: Alert, occasion: Occasion) -> Mapping[str, JsonValue]:
    """Return an alert as programs read it: canonical units, instants in ISO 8601."""
    texts = ("id", "rule", "kind", "subject", "building", "state", "severity", "unit", "assignee", "cause", "note")
    instants = ("opened_at", "at_from", "seen_to", "ended_at", "snoozed_until")
    said = {name: getattr(alert, name) for name in texts}
    said |= {name: None if (at := getattr(alert, name)) is None else at.isoformat() for name in instants}
    said |= {"loss_per_day": alert.loss_per_day, "loss_czk_per_day": alert.loss_czk_per_day}
    return said | {"covers": list(alert.covers), "occasion": occasion}
