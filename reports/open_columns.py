"""The columns of the open data: their names in the files, their types and what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from reports.open_tables import Column, Table, Value, column

INDICATORS: Final[tuple[Column, ...]] = (
    column(("publikace", "string", "publikace", "publication", "Označení vydání zprávy."), required=True),
    column(("verze", "integer", "číslo vydání", "version", "Pořadí vydání téže zprávy."), required=True),
    column(("platna", "boolean", "platné vydání", "valid", "Zda jde o poslední vydání zprávy."), required=True),
    column(
        ("druh_zpravy", "string", "druh zprávy", "kind of report", "vyrocni, monitorovaci nebo zaverecna."),
        required=True,
    ),
    column(("obdobi", "string", "období zprávy", "period", "Rok, u závěrečné zprávy roky od a do."), required=True),
    column(("zverejneno", "dateTime", "zveřejněno", "published at", "Okamžik zveřejnění (UTC)."), required=True),
    column(("oblast_kod", "string", "kód oblasti", "area code", "Kód oblasti aktivit akčního plánu."), required=True),
    column(("oblast", "string", "oblast aktivit", "area", "Název oblasti aktivit.")),
    column(("indikator", "string", "kód indikátoru", "indicator", "Kód indikátoru."), required=True),
    column(("nazev", "string", "název indikátoru", "name", "Název indikátoru."), required=True),
    column(("ukazatel_kod", "string", "kód ukazatele", "figure code", "Kód údaje v rámci indikátoru."), required=True),
    column(("ukazatel", "string", "ukazatel", "figure", "Název údaje v rámci indikátoru.")),
    column(("jednotka", "string", "jednotka", "unit", "Měrná jednotka hodnoty.")),
    column(("od", "date", "od", "from", "První den období."), required=True),
    column(("do", "date", "do", "to", "Poslední den období."), required=True),
    column(("hodnota", "decimal", "hodnota", "value", "Hodnota; prázdná, nelze-li ji stanovit.")),
    column(("dolni_mez_90", "decimal", "dolní mez", "lower bound", "Dolní mez 90% intervalu odhadu.")),
    column(("horni_mez_90", "decimal", "horní mez", "upper bound", "Horní mez 90% intervalu odhadu.")),
    column(("stav", "string", "stav hodnoty", "status", "konecna, predbezna nebo nelze_stanovit."), required=True),
    column(("cil", "decimal", "cíl", "target", "Cílová hodnota.")),
    column(("cil_rok", "integer", "rok cíle", "target year", "Rok, pro který je cíl stanoven.")),
    column(("podil_mereno", "decimal", "podíl měřených dat", "measured", "Podíl času s měřenými daty, 0 až 1.")),
    column(("podil_odhad", "decimal", "podíl odhadu", "estimated", "Podíl času s odhadem, 0 až 1.")),
    column(("podil_chybi", "decimal", "podíl chybějících dat", "missing", "Podíl času bez dat, 0 až 1.")),
    column(("pocet_mist", "integer", "počet míst", "points", "Počet odběrných míst, z nichž hodnota vychází.")),
    column(
        ("metoda", "string", "metoda", "method", "Označení výpočtu; hand je hodnota zadaná garantem."), required=True
    ),
    column(("metoda_verze", "integer", "verze metody", "method version", "Verze výpočtu."), required=True),
    column(("uzaverka_dat", "dateTime", "uzávěrka dat", "data cut-off", "Dokdy přijaté odečty se započetly (UTC).")),
    column(("otisk", "string", "otisk vydání", "digest", "SHA-256 obsahu vydání."), required=True),
    column(("duvody", "string", "důvody", "reasons", "Proč je hodnota předběžná nebo ji nelze stanovit.")),
)
COMPARISON: Final[tuple[Column, ...]] = (
    column(("rok", "integer", "rok", "year", "Rok výroční zprávy."), required=True),
    column(("od", "date", "od", "from", "První den období."), required=True),
    column(("do", "date", "do", "to", "Poslední den období."), required=True),
    column(("druh_budovy", "string", "kód druhu budovy", "kind", "Kód druhu budovy."), required=True),
    column(("druh_budovy_nazev", "string", "druh budovy", "kind of building", "Název druhu budovy."), required=True),
    column(("ukazatel", "string", "ukazatel", "measure", "energie_na_plochu nebo voda_na_osobu."), required=True),
    column(("jednotka", "string", "jednotka", "unit", "Měrná jednotka za období."), required=True),
    column(("pocet_budov", "integer", "počet budov", "buildings", "Počet budov; prázdný u potlačených údajů.")),
    column(("dolni_kvartil", "decimal", "dolní kvartil", "lower quartile", "Čtvrtina budov má nejvýše tolik.")),
    column(("median", "decimal", "medián", "median", "Polovina budov má nejvýše tolik.")),
    column(("horni_kvartil", "decimal", "horní kvartil", "upper quartile", "Čtvrtina budov má alespoň tolik.")),
    column(
        ("potlaceno", "boolean", "potlačeno", "suppressed", "Budov je příliš málo, údaje se nezveřejňují."),
        required=True,
    ),
    column(("publikace", "string", "publikace", "publication", "Vydání zprávy, z něhož údaje jsou."), required=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What a table is called and means."""

    key: str
    title: tuple[str, str]
    description: tuple[str, str]
    keywords: tuple[tuple[str, ...], tuple[str, ...]]
    primary: tuple[str, ...]

    def table(
        self, columns: tuple[Column, ...], rows: Sequence[tuple[Value, ...]], first: date | None, last: date | None
    ) -> Table:
        """Return the table with its rows."""
        return Table(
            key=self.key,
            title=dict(zip(("cs", "en"), self.title, strict=True)),
            description=dict(zip(("cs", "en"), self.description, strict=True)),
            keywords=dict(zip(("cs", "en"), self.keywords, strict=True)),
            columns=columns,
            primary=self.primary,
            rows=tuple(rows),
            first=first,
            last=last,
        )


INDICATOR_TEXTS: Final = Texts(
    key="indikatory",
    title=("Indikátory akčního plánu Chytřejší kraj", "Indicators of the action plan Smarter Region"),
    description=(
        (
            "Zveřejněné hodnoty indikátorů akčního plánu: spotřeba energie a vody v budovách kraje, úspory, emise a"
            " indikátory dalších oblastí, s pokrytím daty, metodou a cílem. Obsahuje všechna vydání zpráv."
        ),
        (
            "Published indicators of the action plan: energy and water used in the region's buildings, savings,"
            " emissions and indicators of other areas, with coverage, method and target. Holds all versions."
        ),
    ),
    keywords=(
        ("energie", "voda", "emise", "úspory", "indikátory", "akční plán", "kraj"),
        ("energy", "water", "emissions", "savings", "indicators"),
    ),
    primary=("publikace", "indikator", "ukazatel_kod"),
)
COMPARISON_TEXTS: Final = Texts(
    key="srovnani-budov",
    title=("Měrná spotřeba budov kraje podle druhu", "Specific consumption of the region's buildings by kind"),
    description=(
        (
            "Kvartily měrné spotřeby energie a vody v budovách kraje podle druhu budovy, bez jmen. Druhy s malým počtem"
            " budov jsou potlačeny, aby nebylo možné poznat jednotlivou budovu."
        ),
        (
            "Quartiles of specific use of energy and water in the region's buildings by kind, without names. Kinds"
            " with few buildings are suppressed so that no single building can be told."
        ),
    ),
    keywords=(
        ("energie", "voda", "budovy", "srovnání", "benchmarking"),
        ("energy", "water", "buildings", "benchmarking"),
    ),
    primary=("publikace", "druh_budovy", "ukazatel"),
)
