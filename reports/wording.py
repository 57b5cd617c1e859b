"""Czech words of reports: what kinds, states, judgements and reasons are called, by the codes of the core."""

from collections.abc import Mapping
from typing import Final

from core.deliveries import DeliveryState, Text
from core.indicators import Coverage, ValueStatus
from core.plan import Direction, ProjectState, ReportKind, StrategicGoal
from core.report import Judgement, Lack
from core.report_periods import ReportId
from reports import czech

TITLES: Final[Mapping[ReportKind, str]] = {
    ReportKind.ANNUAL: "Výroční zpráva",
    ReportKind.MID_YEAR: "Monitorovací zpráva",
    ReportKind.CLOSING: "Souhrnné závěrečné vyhodnocení",
}
FILES: Final[Mapping[ReportKind, str]] = {
    ReportKind.ANNUAL: "vyrocni-zprava",
    ReportKind.MID_YEAR: "monitorovaci-zprava",
    ReportKind.CLOSING: "zaverecne-vyhodnoceni",
}
STRATEGIC: Final[Mapping[StrategicGoal, str]] = {
    StrategicGoal.FASTER: "Zrychlit",
    StrategicGoal.SAVE: "Ušetřit",
    StrategicGoal.BETTER: "Zlepšit",
}
STATUSES: Final[Mapping[ValueStatus, str]] = {
    ValueStatus.FINAL: "konečná",
    ValueStatus.PROVISIONAL: "předběžná",
    ValueStatus.UNKNOWN: "nelze stanovit",
}
JUDGEMENTS: Final[Mapping[Judgement, str]] = {
    Judgement.MET: "splněno",
    Judgement.NOT_MET: "nesplněno",
    Judgement.UNDER_WAY: "v\u00a0běhu",
    Judgement.NO_TARGET: "bez cíle",
    Judgement.UNKNOWN: "nelze posoudit",
}
DELIVERIES: Final[Mapping[str, str]] = {
    DeliveryState.DRAFT: "rozpracováno",
    DeliveryState.DELIVERED: "dodáno garantem",
    DeliveryState.RETURNED: "vráceno k doplnění",
    DeliveryState.CHECKED: "zkontrolováno koordinátorem",
    DeliveryState.PUBLISHED: "zveřejněno",
}
PROJECTS: Final[Mapping[ProjectState, str]] = {
    ProjectState.IDEA: "námět",
    ProjectState.PREPARED: "v\u00a0přípravě",
    ProjectState.RUNNING: "v\u00a0realizaci",
    ProjectState.DONE: "dokončen",
    ProjectState.STOPPED: "zastaven",
}
DIRECTIONS: Final[Mapping[Direction, str]] = {
    Direction.UP: "má růst",
    Direction.DOWN: "má klesat",
    Direction.NONE: "sleduje se",
}
TEXTS: Final[Mapping[Text, str]] = {
    Text.REALISED: "Realizované akce",
    Text.FULFILMENT: "Plnění aktivit",
    Text.EVALUATION: "Vyhodnocení indikátorů",
    Text.TRENDS: "Trendy a\u00a0zkušenosti",
    Text.COMMUNICATION: "Komunikace",
    Text.PARTNERSHIP: "Partnerství a\u00a0podpora regionu",
    Text.STATE_OF_WORK: "Stav rozpracování aktivit a\u00a0projektů",
}
LACKS: Final[Mapping[Lack, str]] = {
    Lack.VALUE: "Hodnotu nelze stanovit",
    Lack.PROVISIONAL: "Hodnota je předběžná",
    Lack.UNDELIVERED: "Garant hodnotu nedodal",
    Lack.TEXTS: "Chybí texty garanta",
    Lack.UNCHECKED: "Podklady nejsou zkontrolovány",
}
REMEDIES: Final[Mapping[Lack, str]] = {
    Lack.UNDELIVERED: "Doplní garant oblasti.",
    Lack.TEXTS: "Doplní garant oblasti.",
    Lack.UNCHECKED: "Zkontroluje koordinátor.",
}
USED_KINDS: Final[Mapping[str, str]] = {
    "emission_factor": "emisní faktor",
    "calorific_ratio": "poměr spalného tepla a výhřevnosti plynu",
    "gas_conversion": "přepočet plynu",
    "price": "cena",
    "capacity_rule": "pravidlo rezervované kapacity",
    "population": "počet obyvatel",
    "degree_days_normal": "dlouhodobý normál denostupňů",
}
CAUSES: Final[Mapping[str, str]] = {
    "consumption": "spotřeba",
    "weather": "počasí",
    "factor": "emisní faktor",
    "population": "počet obyvatel",
}
BY_HAND: Final = "zadáno garantem"
DRAFT: Final = "návrh"
COUNTS: Final = frozenset({"", "počet", "ks"})
"""Units that are not said after a number."""


def title_of(report: ReportId) -> str:
    """Return a report's title with its period."""
    return f"{TITLES[report.kind]} {period_of(report)}"


def period_of(report: ReportId) -> str:
    """Return the period as a title says it."""
    said = {
        ReportKind.ANNUAL: f"za rok {report.period}",
        ReportKind.MID_YEAR: f"za 1. pololetí {report.period}",
        ReportKind.CLOSING: f"za období {report.period.replace('-', '–')}",
    }
    return czech.typeset(said[report.kind])


def file_name(report: ReportId) -> str:
    """Return the name of a report's file, without what tells its format."""
    return f"{FILES[report.kind]}-{report.period}"


def publication(key: str) -> str:
    """Return what a publication is called, by its id (annual-2025-v1); another id stays as it is."""
    name, _, version = key.rpartition("-v")
    kind = next((one for one in ReportKind if name.startswith(f"{one}-")), None)
    if kind is None or not version.isdecimal():
        return czech.line(key)
    return f"{TITLES[kind]} {name.removeprefix(f'{kind}-')}, vydání{czech.NBSP}{version}"


def coverage(found: Coverage | None) -> str:
    """Return how well a value is covered by data, in words."""
    if found is None:
        return ""
    parts = [
        f"{czech.share(value)}{czech.NBSP}{name}"
        for value, name in (
            (found.measured, "měřeno"),
            (found.estimated, "odhadnuto"),
            (found.missing, "chybí"),
        )
        if value > 1e-9  # noqa: PLR2004 - rounding of sums of shares
    ]
    return f"{', '.join(parts)} ({czech.counted(found.points, 'místo', 'místa', 'míst')})"
