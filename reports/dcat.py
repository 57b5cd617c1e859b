"""Records of the national catalogue: DCAT-AP-CZ as JSON-LD, by the Czech open formal norm of 28.05.2024.

Source: https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from reports.open_tables import METADATA_ENDING, Table

Record = dict[str, Any]

CONTEXT: Final = (
    "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/"
    "rozhraní-katalogů-otevřených-dat.jsonld"
)
MEDIA: Final = "application/ld+json"
AUTHORITY: Final = "https://rpp-opendata.egon.gov.cz/odrpp/zdroj/orgán-veřejné-moci/"
RUIAN: Final = "https://linked.cuzk.cz/resource/ruian/"
THEME: Final = "http://publications.europa.eu/resource/authority/data-theme/"
FREQUENCY: Final = "http://publications.europa.eu/resource/authority/frequency/"
FILE_TYPE: Final = "http://publications.europa.eu/resource/authority/file-type/"
MEDIA_TYPE: Final = "http://www.iana.org/assignments/media-types/"
TERMS: Final = "https://data.gov.cz/podmínky-užití/"
NO_WORK: Final = f"{TERMS}neobsahuje-autorská-díla/"
NO_DATABASE: Final = f"{TERMS}není-autorskoprávně-chráněnou-databází/"
NO_SPECIAL: Final = f"{TERMS}není-chráněna-zvláštním-právem-pořizovatele-databáze/"
NO_PERSONS: Final = f"{TERMS}neobsahuje-osobní-údaje/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the data are: the address of the folder (https), the page that explains them, and who answers for them."""

    folder: str
    page: str
    ico: str
    area: str
    name: str
    mail: str = ""


def catalogue(site: Site, tables: Sequence[Table]) -> Record:
    """Return the record of the local catalogue."""
    return {
        "@context": CONTEXT,
        "iri": site.folder,
        "typ": "Katalog",
        "název": {
            "cs": f"Katalog otevřených dat o energii a vodě: {site.name}",
            "en": f"Open data on energy and water: {site.name}",
        },
        "popis": {
            "cs": "Zveřejněné hodnoty indikátorů akčního plánu Chytřejší kraj a srovnání budov podle druhu.",
            "en": "Published indicators of the action plan Smarter Region, and how kinds of buildings compare.",
        },
        "poskytovatel": f"{AUTHORITY}{site.ico}",
        **_contact(site),
        "domovská_stránka": site.page,
        "datová_sada": [f"{site.folder}/{table.key}" for table in tables],
    }


def dataset(site: Site, table: Table) -> Record:
    """Return the record of a dataset with its one distribution."""
    iri = f"{site.folder}/{table.key}"
    return {
        "@context": CONTEXT,
        "iri": iri,
        "typ": "Datová sada",
        "název": dict(table.title),
        "popis": dict(table.description),
        "poskytovatel": f"{AUTHORITY}{site.ico}",
        "téma": [f"{THEME}{theme}" for theme in table.themes],
        "periodicita_aktualizace": f"{FREQUENCY}ANNUAL",
        "klíčové_slovo": {code: list(words) for code, words in table.keywords.items()},
        "prvek_rúian": [f"{RUIAN}{site.area}"],
        **_covered(table.first, table.last),
        **_contact(site),
        "dokumentace": site.page,
        "distribuce": [_distribution(iri, table)],
    }


def _covered(first: date | None, last: date | None) -> Record:
    if first is None or last is None:
        return {}
    interval = {"typ": "Časový interval", "začátek": first.isoformat(), "konec": last.isoformat()}
    return {"časové_pokrytí": interval}


def _contact(site: Site) -> Record:
    if not site.mail:
        return {}
    return {"kontaktní_bod": {"typ": "Organizace", "jméno": {"cs": site.name}, "e-mail": f"mailto:{site.mail}"}}


def _distribution(iri: str, table: Table) -> Record:
    return {
        "iri": f"{iri}.csv#distribuce",
        "typ": "Distribuce",
        "název": {"cs": f"{table.title['cs']} (CSV)", "en": f"{table.title['en']} (CSV)"},
        "podmínky_užití": {
            "typ": "Specifikace podmínek užití",
            "autorské_dílo": NO_WORK,
            "databáze_jako_autorské_dílo": NO_DATABASE,
            "databáze_chráněná_zvláštními_právy": NO_SPECIAL,
            "osobní_údaje": NO_PERSONS,
        },
        "přístupové_url": f"{iri}.csv",
        "soubor_ke_stažení": f"{iri}.csv",
        "formát": f"{FILE_TYPE}CSV",
        "typ_média": f"{MEDIA_TYPE}text/csv",
        "schéma": f"{iri}{METADATA_ENDING}",
    }
