"""A plan of two areas in a real store: what the tests of deliveries and publications stand on."""

from datetime import UTC, datetime
from pathlib import Path

from core.deliveries import HandValue
from core.indicators import Amount
from core.plan import Activity, Area, Figure, Indicator, ReportKind
from core.registry import Entity
from core.report_periods import ReportId
from services.deliveries import Deliveries, Part
from services.held import HeldRegister
from storage.records import SqlRecordStore

NOW = datetime(2026, 2, 10, 9, tzinfo=UTC)
ANNUAL = ReportId(kind=ReportKind.ANNUAL, period="2025")
HALF = ReportId(kind=ReportKind.MID_YEAR, period="2026")
HEALTH, ENERGY = "digitalizace-zdravotnictvi", "energetika"
PLAN: tuple[Entity, ...] = (
    Area(id=HEALTH, name="Digitalizace ve zdravotnictví", priority_area="Zdravotnictví", guarantor="Jana Malá"),
    Area(id=ENERGY, name="Energetický management", priority_area="Energetika", guarantor="Petr Novák"),
    Activity(id="Z-1", area=HEALTH, name="Sdílení zdravotnické dokumentace"),
    Activity(id="Z-2", area=HEALTH, name="Kyberbezpečnost nemocnic"),
    Activity(id="2.1-EM-1", area=ENERGY, name="Zateplení"),
    Indicator(
        id="Z1",
        area=HEALTH,
        name="Nemocnice sdílející dokumentaci",
        figures=(
            Figure(key="pocet", name="Počet", unit="", decimals=0),
            Figure(key="podil", name="Podíl", unit="%"),
        ),
    ),
    Indicator(
        id="Z2",
        area=HEALTH,
        name="Jen ve výroční zprávě",
        figures=(Figure(key="pocet", name="Počet", unit=""),),
        reports=(ReportKind.ANNUAL,),
    ),
    Indicator(
        id="E1",
        area=ENERGY,
        name="Konečná spotřeba energie",
        figures=(Figure(key="energy", name="Spotřeba", unit="MWh"),),
        method="final_energy",
    ),
)  # fmt: skip
TEXTS = {"realised": "Zapojeny tři nemocnice.", "activity:Z-1": "Běží.", "activity:Z-2": "Dokončeno."}
VALUES = (
    HandValue(indicator="Z1", amounts=(Amount(figure="pocet", value=3), Amount(figure="podil", value=75.0))),
    HandValue(indicator="Z2", amounts=(Amount(figure="pocet", value=None),), comment="měření začne v roce 2026"),
)


def opened(folder: Path) -> SqlRecordStore:
    records = SqlRecordStore(f"sqlite:///{folder}/plan.sqlite")
    records.start()
    records.save(PLAN, by="test", now=NOW)
    return records


def acts(records: SqlRecordStore) -> Deliveries:
    return Deliveries(records, HeldRegister(records).view())


def part(area: str = HEALTH, by: str = "mala", version: int | None = None, report: ReportId = ANNUAL) -> Part:
    return Part(report=report, area=area, by=by, now=NOW, version=version)
