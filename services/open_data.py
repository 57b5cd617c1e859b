"""Open data: what is published, as tables for machines, and the catalogue's records of them.

Nothing that is not published is told. Values of buildings leave the house only as quartiles of a kind of building,
and only where at least so many buildings stand behind them that none can be told from the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from core.errors import NotFound
from core.indicators import Amount, Because, Coverage, Part, Scope, Value, ValueStatus
from core.plan import Area, Figure, Indicator, ReportKind
from core.ports import RecordStore
from core.registry import Building, BuildingKind
from reports import dcat, dcat_rules, open_tables
from reports.dcat import Site
from reports.figures import Why
from reports.open_columns import COMPARISON, COMPARISON_TEXTS, INDICATOR_TEXTS, INDICATORS
from reports.open_tables import CSV_MEDIA, METADATA_ENDING, METADATA_MEDIA, Table
from services.freezing import Opened, opened, stand_of
from services.report_standing import target_of

__all__ = ["CSV_MEDIA", "METADATA_ENDING", "METADATA_MEDIA", "RECORD_MEDIA", "OpenData", "Publisher", "Site"]

RECORD_MEDIA: Final = dcat.MEDIA
KINDS: Final[Mapping[ReportKind, str]] = {
    ReportKind.ANNUAL: "vyrocni",
    ReportKind.MID_YEAR: "monitorovaci",
    ReportKind.CLOSING: "zaverecna",
}
STATUSES: Final[Mapping[ValueStatus, str]] = {
    ValueStatus.FINAL: "konecna",
    ValueStatus.PROVISIONAL: "predbezna",
    ValueStatus.UNKNOWN: "nelze_stanovit",
}
COMPARED: Final = {
    "consumption_by_area": ("energie_na_plochu", "kWh/m²", "energy_kwh", "area_m2"),
    "water_by_user": ("voda_na_osobu", "m³/os.", "volume_m3", "users"),
}
"""Methods whose parts are buildings: what is compared, its unit, and of which facts it is the ratio."""
KIND_NAMES: Final[Mapping[BuildingKind, tuple[str, str]]] = {
    BuildingKind.SCHOOL: ("skola", "škola"),
    BuildingKind.HOSPITAL: ("nemocnice", "nemocnice"),
    BuildingKind.CARE_HOME: ("socialni_zarizeni", "sociální zařízení"),
    BuildingKind.OFFICE: ("urad", "úřad"),
    BuildingKind.MUSEUM: ("muzeum", "muzeum"),
    BuildingKind.OTHER: ("jine", "jiná budova"),
}
DECIMALS: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who publishes: the address of these pages (https), the authority's number (IČO), its area in RÚIAN, a contact.

    `headline` are the indicators at the head of the public page. Kinds of building with fewer than `least_buildings`
    are kept back from the export for comparison.
    """

    url: str = ""
    ico: str = "70891508"
    area: str = "vusc/78"
    name: str = "Liberecký kraj"
    mail: str = ""
    headline: tuple[str, ...] = ()
    least_buildings: int = 5

    def site(self, otherwise: str, *, folder: str, page: str) -> Site:
        """Return where the data are: below the publisher's address, or else the one that was asked."""
        begin = (self.url or otherwise).rstrip("/")
        return Site(
            folder=f"{begin}{folder}",
            page=f"{begin}{page}",
            ico=self.ico,
            area=self.area,
            name=self.name,
            mail=self.mail,
        )


class OpenData:
    """Tells what is published."""

    def __init__(self, records: RecordStore, publisher: Publisher, why: Why) -> None:
        self._records, self._publisher, self._why = records, publisher, why

    def tables(self) -> tuple[Table, ...]:
        """Return all tables."""
        return self.indicators(), self.comparison()

    def table(self, key: str) -> Table:
        """Return a table by the name of its file; raise NotFound."""
        makers = {INDICATOR_TEXTS.key: self.indicators, COMPARISON_TEXTS.key: self.comparison}
        if key not in makers:
            raise NotFound(f"there is no open data {key!r}, only {', '.join(makers)}")
        return makers[key]()

    def indicators(self) -> Table:
        """Return every published value of the region, of every version: a row for each figure."""
        found = [opened(self._records.publication(head.id)) for head in self._records.publications()]
        newest = {one.publication.report: one.publication.id for one in found}
        rows = [row for one in found for row in self._figures(one, valid=newest[one.publication.report])]
        days = [(value.first, value.end) for one in found for value in one.values]
        return INDICATOR_TEXTS.table(INDICATORS, rows, _first(days), _last(days))

    def _figures(self, held: Opened, *, valid: str) -> Iterator[tuple[open_tables.Value, ...]]:
        by_id = {one.id: one for one in held.indicators}
        areas: dict[str, Area] = {area.id: area for area in held.plan["areas"]}
        for value in held.values:
            indicator = by_id.get(value.indicator)
            if indicator is None or value.scope != Scope():
                continue
            for figure in indicator.figures:
                head = _head(held, valid=valid)
                area = areas.get(indicator.area)
                named = (indicator.area, area.name if area else "", indicator.id, indicator.name)
                yield (*head, *named, *_figure(held, indicator, figure, value), *self._basis(held, value))

    def _basis(self, held: Opened, value: Value) -> tuple[open_tables.Value, ...]:
        covered: Coverage | None = value.coverage
        shares: tuple[open_tables.Value, ...] = (None, None, None, None)
        if covered is not None:
            shares = (covered.measured, covered.estimated, covered.missing, covered.points)
        reasons = "; ".join(dict.fromkeys(map(self._why, (nameless(one) for one in value.reasons))))
        return (*shares, value.method, value.version, held.publication.cutoff, held.publication.digest, reasons)

    def comparison(self) -> Table:
        """Return quartiles of specific consumption by kind of building, of each year whose report is published."""
        heads = [one for one in self._records.publications() if one.report.kind is ReportKind.ANNUAL]
        newest = {head.report: head.id for head in heads}
        rows: list[tuple[open_tables.Value, ...]] = []
        days = []
        for report, key in newest.items():
            rows += self._compared(opened(self._records.publication(key)))
            days.append((report.first, report.end))
        return COMPARISON_TEXTS.table(COMPARISON, rows, _first(days), _last(days))

    def _compared(self, held: Opened) -> Iterator[tuple[open_tables.Value, ...]]:
        values = [value for value in held.values if value.method in COMPARED and value.scope == Scope()]
        if not values:
            return
        kinds = {b.id: b.kind for b in stand_of(held, self._records).register.find(Building)}
        for value in values:
            what, unit, amount, size = COMPARED[value.method]
            for kind in BuildingKind:
                mine = [part for part in value.parts if part.kind == "building" and kinds.get(part.key) is kind]
                ratios = [ratio for part in mine if (ratio := _ratio(part, amount, size)) is not None]
                if ratios:
                    told = KIND_NAMES[kind]
                    year = (held.publication.report.first.year, value.first, _day_before(value.end))
                    quartiles = _quartiles(ratios, self._publisher.least_buildings)
                    yield (*year, *told, what, unit, *quartiles, held.publication.id)


def _head(held: Opened, *, valid: str) -> tuple[open_tables.Value, ...]:
    made = held.publication
    report = made.report
    return made.id, made.version, made.id == valid, KINDS[report.kind], report.period, made.at


def _figure(held: Opened, indicator: Indicator, figure: Figure, value: Value) -> tuple[open_tables.Value, ...]:
    amount = next((one for one in value.amounts if one.figure == figure.key), Amount(figure=figure.key, value=None))
    report = held.publication.report
    target = target_of(indicator, figure, report.end.year - (report.end.month == 1))
    status = value.status if amount.value is not None else ValueStatus.UNKNOWN
    return (
        figure.key, figure.name, figure.unit, value.first, _day_before(value.end), amount.value, amount.low90,
        amount.high90, STATUSES[status], target.value if target else None, target.year if target else None,
    )  # fmt: skip


def nameless(reason: Because) -> Because:
    """Return a reason without what it concerns: ids of points and buildings are nobody's business outside."""
    hidden = {"measure", "point", "points", "building"}
    return Because(code=reason.code, facts={name: fact for name, fact in reason.facts.items() if name not in hidden})


def _ratio(part: Part, amount: str, size: str) -> float | None:
    above, below = part.facts.get(amount), part.facts.get(size)
    return None if above is None or not below else float(above) / float(below)


def _quartiles(ratios: Sequence[float], least: int) -> tuple[open_tables.Value, ...]:
    """Return count, quartiles and whether they are kept back: then not even the exact count is told."""
    if len(ratios) < least:
        return None, None, None, None, True
    low, middle, high = (round(float(q), DECIMALS) for q in np.quantile(np.array(ratios), (0.25, 0.5, 0.75)))
    return len(ratios), low, middle, high, False


def _day_before(end: date) -> date:
    return end - timedelta(days=1)


def _first(days: Sequence[tuple[date, date]]) -> date | None:
    return min((first for first, _ in days), default=None)


def _last(days: Sequence[tuple[date, date]]) -> date | None:
    return max((_day_before(end) for _, end in days), default=None)


def csv_of(table: Table) -> bytes:
    """Return a table's file."""
    return open_tables.as_csv(table)


def metadata_of(table: Table, site: Site) -> bytes:
    """Return the description of a table's columns by CSVW."""
    return open_tables.metadata(table, publisher=f"{dcat.AUTHORITY}{site.ico}", licence=dcat.NO_WORK)


def record_of(table: Table, site: Site) -> dcat.Record:
    """Return the catalogue's record of a table."""
    return dcat.dataset(site, table)


def catalogue_of(tables: Sequence[Table], site: Site) -> dcat.Record:
    """Return the record of the catalogue itself."""
    return dcat.catalogue(site, tables)


def faults_of(record: object) -> list[str]:
    """Return which rules of DCAT-AP-CZ a record does not keep."""
    return [str(fault) for fault in dcat_rules.faults(record)]
