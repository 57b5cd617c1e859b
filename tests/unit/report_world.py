"""A report by hand: what the tests of documents, pages and open data write out."""

from dataclasses import replace
from datetime import UTC, date, datetime

from core.deliveries import DeliveryState, Text
from core.indicators import Because, Coverage, Used, ValueStatus
from core.plan import Direction, Goal, ProjectState, ReportKind, StrategicGoal
from core.report import (
    ActivityRow,
    AreaPart,
    Cell,
    IndicatorRow,
    Judgement,
    Lack,
    Missing,
    Origin,
    Piece,
    ProjectRow,
    PublishedAs,
    Report,
    Standing,
    YearValue,
)
from core.report_periods import ReportId

MADE = datetime(2026, 2, 27, 9, 30, tzinfo=UTC)
CUTOFF = datetime(2026, 2, 20, 22, 59, 59, tzinfo=UTC)
HOSTILE = "Zlý {{ 7*7 }} {% for x in y %} <w:p/> & \"a'\x00\x0b\x0c\a\u202e =1+1 ]]>" + "dlouhé" * 60
GOALS = (
    Goal(id="1.2", name="Zkrácení doby pro dostupnost zdravotnických služeb", strategic=StrategicGoal.FASTER),
    Goal(id="2.1", name="Úspora energie a vody na základě inteligentního měření", strategic=StrategicGoal.SAVE),
    Goal(id="2.2", name="Snížení emisí skleníkových plynů měřené v tunách na osobu", strategic=StrategicGoal.SAVE),
    Goal(id="3.3", name="Vyšší kvalita zdravotních služeb", strategic=StrategicGoal.BETTER),
)
PUBLISHED = PublishedAs(
    id="annual-2025-v1", version=1, at=MADE, by="Jana Nováková", digest="3f" * 32, replaces="", cause=""
)
FACTOR = Used(
    kind="emission_factor", key="mpo-electricity-2025", version=1, since="2025-01-01", value=0.33,
    source="MPO, přehled emisních faktorů",
)  # fmt: skip


def origin(**changes: object) -> Origin:
    made = Origin(
        method="final-energy", version=1, cutoff=CUTOFF, register=418, computed_at=MADE, used=(FACTOR,),
        publication="annual-2025-v1", digest="ab" * 32,
    )  # fmt: skip
    return replace(made, **changes)


def row(key: str, name: str, unit: str, value: float | None, **changes: object) -> IndicatorRow:
    decimals = changes.pop("decimals", 1)
    standing = changes.pop("standing", Standing(judgement=Judgement.NO_TARGET))
    before = changes.pop("before", None)
    low, high = changes.pop("interval", (None, None))
    cell = Cell(
        key="main", name="celkem", unit=unit, decimals=decimals, value=value, low90=low, high90=high,
        before=before, standing=standing,
    )  # fmt: skip
    made = IndicatorRow(
        indicator=key, name=name, definition=f"{name}: součet všech odběrných míst budov kraje za období.",
        goals=("2.1",), guarantor="Odbor investic", by_hand=False, direction=Direction.DOWN, cells=(cell,),
        status=ValueStatus.FINAL, published=True, first=date(2025, 1, 1), end=date(2026, 1, 1), least_measured=0.9,
        coverage=Coverage(measured=0.972, estimated=0.02, missing=0.008, points=214), origin=origin(),
    )  # fmt: skip
    return replace(made, **changes)


def years(*values: float | None, first: int = 2021) -> tuple[YearValue, ...]:
    return tuple(
        YearValue(
            year=first + place,
            value=value,
            status=ValueStatus.UNKNOWN if value is None else ValueStatus.FINAL,
            published=True,
            figures={"main": value},
        )
        for place, value in enumerate(values)
    )


def energy_rows() -> tuple[IndicatorRow, ...]:
    met = Standing(judgement=Judgement.MET, target=52_000.0, year=2025, gap=-1234.4)
    saving = Standing(judgement=Judgement.UNDER_WAY, target=4_000.0, year=2026, gap=-1_890.7, share=0.527325)
    two = (
        Cell(key="mwh", name="úspora", unit="MWh", decimals=1, value=2109.3, low90=1650.2, high90=2568.4,
             before=1204.9, standing=saving),
        Cell(key="pct", name="podíl na očekávané spotřebě", unit="%", decimals=1, value=4.0, low90=3.1, high90=4.9,
             before=2.3),
    )  # fmt: skip
    return (
        row("E1", "Konečná spotřeba energie krajských budov", "MWh", 50_765.6, before=52_010.2, standing=met,
            history=years(58_200.1, 56_010.4, 53_400.0, 52_010.2, 50_765.6)),
        row("E3", "Úspora energie z aktivit akčního plánu", "MWh", 2109.3, cells=two, direction=Direction.UP,
            history=years(None, None, 210.0, 1204.9, 2109.3), measures=("Výměna oken, Gymnázium F. X. Šaldy",
            "Fotovoltaická elektrárna, krajský úřad D"), activities=("Posílení odbornosti kraje",)),
        row("W1", "Spotřeba vody", "m³", 182_400.0, decimals=0, status=ValueStatus.PROVISIONAL, published=False,
            coverage=Coverage(measured=0.81, estimated=0.05, missing=0.14, points=96, lacking=("B07-VO", "B11-VO")),
            lacking=("Domov důchodců Jablonecké Paseky – studená voda", "Nemocnice Turnov, pavilon B – studená voda"),
            reasons=(Because(code="coverage", facts={"known": 81.0, "least": 90.0}),),
            history=(*years(201_000.0, 195_400.0, 190_100.0, 187_000.0),
            YearValue(year=2025, value=182_400.0, status=ValueStatus.PROVISIONAL, figures={"main": 182_400.0}))),
        row("G1", "Emise CO₂ z energie", "t", 14_210.4, goals=("2.2",), before=15_002.0,
            history=years(18_100.0, 17_050.0, 16_000.0, 15_002.0, 14_210.4)),
        row("G2", "Emise na obyvatele kraje", "kg/os.", None, goals=("2.2",), status=ValueStatus.UNKNOWN,
            coverage=None, reasons=(Because(code="no_population", facts={"year": 2025}),),
            standing=Standing(judgement=Judgement.UNKNOWN, target=30.0, year=2026)),
        row("G5", "Rozklad změny emisí", "t", -791.6, goals=("2.2",), pieces=(
            Piece(figure="main", kind="cause", name="consumption", value=-512.2),
            Piece(figure="main", kind="cause", name="weather", value=143.1),
            Piece(figure="main", kind="cause", name="factor", value=-430.0),
            Piece(figure="main", kind="cause", name="population", value=7.5))),
    )  # fmt: skip


def health_rows() -> tuple[IndicatorRow, ...]:
    return (
        row("Z1", "Zdravotnická zařízení sdílející dokumentaci elektronicky", "počet", 7.0, decimals=0, by_hand=True,
            goals=("1.2", "3.3"), coverage=None, direction=Direction.UP, note="Nově připojeny nemocnice v Semilech a v "
            "Jilemnici.", evidence=("zapis-2025-11.pdf",), origin=origin(method="hand", version=1, used=()),
            standing=Standing(judgement=Judgement.NOT_MET, target=9.0, year=2025, gap=-2.0, share=7 / 9),
            history=years(2.0, 4.0, 5.0, 7.0, first=2022)),
        row("Z2", "Lékaři zapojení do videokonzultací", "počet", None, decimals=0, by_hand=True, goals=("1.2",),
            coverage=None, status=ValueStatus.UNKNOWN, published=False, origin=None, direction=Direction.UP),
    )  # fmt: skip


ENERGY = AreaPart(
    id="energie", name="Energetický management a hospodaření s vodou", priority_area="Životní prostředí",
    guarantor="Odbor investic a správy nemovitého majetku", vision="Kraj, který ví, kolik spotřebuje.",
    goals=("2.1", "2.2"), strategic=(StrategicGoal.SAVE,), state=DeliveryState.CHECKED, delivered_by="Petr Dvořák",
    delivered_at=datetime(2026, 2, 12, 8, 0, tzinfo=UTC),
    texts={
        Text.REALISED: "V roce 2025 byla dokončena instalace dálkových odečtů v 31 budovách.\n\nDále se uskutečnilo:\n"
        "- školení 64 správců budov,\n- zavedení hlídání úniků vody v 18 školách.",
        Text.FULFILMENT: "Aktivity se plní podle harmonogramu.",
        Text.EVALUATION: "Spotřeba klesla o 2,4 % i při chladnější zimě.",
    },
    activities=(
        ActivityRow(id="2-1", name="Zavádění systematického energetického managementu", guarantor="Odbor investic",
                    description="Jednotná evidence a dálkové odečty.", text="Napojeno 214 odběrných míst.",
                    projects=(ProjectRow(name="Dálkové odečty, II. etapa", state=ProjectState.RUNNING,
                    begins=date(2024, 4, 1), ends=date(2026, 6, 30), cost_czk=18_400_000.0),
                    ProjectRow(name="Portál energie", state=ProjectState.DONE, begins=date(2024, 1, 1),
                    ends=date(2025, 3, 31), cost_czk=None))),
        ActivityRow(id="2-2", name="Posílení odbornosti kraje"),
    ),
    rows=energy_rows(),
)  # fmt: skip
HEALTH = AreaPart(
    id="zdravi", name="Digitalizace ve zdravotnictví", priority_area="Zdravotnictví",
    guarantor="Odbor zdravotnictví", vision="", goals=("1.2", "3.3"),
    strategic=(StrategicGoal.BETTER, StrategicGoal.FASTER), state=DeliveryState.DRAFT, rows=health_rows(),
)  # fmt: skip
MISSING = (
    Missing(lack=Lack.VALUE, area=ENERGY.name, subject="G2 Emise na obyvatele kraje",
            reasons=(Because(code="no_population", facts={"year": 2025}),)),
    Missing(lack=Lack.PROVISIONAL, area=ENERGY.name, subject="W1 Spotřeba vody",
            reasons=(Because(code="coverage"),), names=ENERGY.rows[2].lacking),
    Missing(lack=Lack.UNDELIVERED, area=HEALTH.name, subject="Z2 Lékaři zapojení do videokonzultací"),
    Missing(lack=Lack.TEXTS, area=HEALTH.name, names=(Text.REALISED, Text.FULFILMENT)),
)  # fmt: skip


def report(kind: ReportKind = ReportKind.ANNUAL, period: str = "2025", **changes: object) -> Report:
    made = Report(
        id=ReportId(kind=kind, period=period), region="Liberecký kraj", made_at=MADE, cutoff=CUTOFF, register=418,
        software="0.1.0", goals=GOALS, areas=(ENERGY, HEALTH), missing=MISSING, publication=PUBLISHED,
    )  # fmt: skip
    return replace(made, **changes)


def why(because: Because) -> str:
    """Return a reason in Czech."""
    told = {
        "no_population": "počet obyvatel pro tento rok není v tabulce",
        "coverage": "naměřeno je méně dat, než indikátor vyžaduje",
    }
    return told.get(because.code, "důvod neznámý")
