"""The rules that a record of the national catalogue has to keep, written down from the published norm.

They are those of the JSON schemas of the norm of 28.05.2024 (katalog, datová sada, text, více textů) and two of its
text: names and descriptions are in Czech, and a dataset that is no series has a distribution. A fault names its place
in the record, what is wrong and what to do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from reports.dcat import AUTHORITY, CONTEXT, FILE_TYPE, FREQUENCY, MEDIA_TYPE, NO_PERSONS, RUIAN, TERMS, THEME

THEMES: Final = frozenset({
    "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "OP_DATPRO", "REGI", "SOCI", "TECH", "TRAN",
})  # fmt: skip
_IRI: Final = re.compile(r"^[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+$")
_LANGUAGE: Final = re.compile(r"^[a-z]{2}(-[A-Za-z]+)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that is not kept: where in the record, what is wrong, what to do."""

    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}; {self.remedy}"


Faults = Iterator[Fault]
Check = Callable[[str, Any], Faults]


def faults(record: Any) -> list[Fault]:  # noqa: ANN401 - whatever JSON can say
    """Return what is wrong in the record of a catalogue or a dataset."""
    if not isinstance(record, Mapping):
        return [Fault(place="", problem="it is no object", remedy="write a JSON-LD object")]
    kinds = record.get("typ")
    named = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    if "Katalog" in named:
        return list(_object("", record, CATALOGUE_NEEDS, CATALOGUE))
    if "Datová sada" in named:
        return [*_object("", record, DATASET_NEEDS, DATASET), *_distributed(record)]
    remedy = "write Katalog or Datová sada"
    return [Fault(place="typ", problem=f"{kinds!r} is no kind of record", remedy=remedy)]


def _object(place: str, found: Any, needs: tuple[str, ...], checks: Mapping[str, Check]) -> Faults:  # noqa: ANN401 - whatever JSON can say
    if not isinstance(found, Mapping):
        yield Fault(place=place, problem="it is no object", remedy="write an object")
        return
    for name in needs:
        if name not in found:
            yield Fault(place=_below(place, name), problem="it is missing", remedy="add it: the norm requires it")
    for name, check in checks.items():
        if name in found:
            yield from check(_below(place, name), found[name])


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def is_exactly(wanted: str) -> Check:
    """Return a check that a value is this one."""

    def check(place: str, found: Any) -> Faults:  # noqa: ANN401 - whatever JSON can say
        if found != wanted:
            yield Fault(place=place, problem=f"{found!r} cannot be", remedy=f"write {wanted}")

    return check


def is_type(wanted: str) -> Check:
    """Return a check that a type, or one of several, is this one."""

    def check(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
        if found != wanted and not (isinstance(found, list) and wanted in found):
            yield Fault(place=place, problem=f"{found!r} is another type", remedy=f"write {wanted}")

    return check


def is_iri(start: str = "") -> Check:
    """Return a check that a value is an IRI, one that starts so."""

    def check(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
        if not isinstance(found, str) or not _IRI.match(found):
            yield Fault(place=place, problem=f"{found!r} is no IRI", remedy="write a full address without spaces")
        elif not found.startswith(start):
            yield Fault(place=place, problem=f"{found} does not start right", remedy=f"begin it with {start}")

    return check


def are(inner: Check, *, least: int = 0) -> Check:
    """Return a check of a list, each of its values, and that there are at least so many."""

    def check(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
        if not isinstance(found, list):
            yield Fault(place=place, problem="it is no list", remedy="write a list, also of one")
            return
        if len(found) < least:
            yield Fault(place=place, problem="it is empty", remedy=f"write at least {least}")
        for number, one in enumerate(found):
            yield from inner(f"{place}[{number}]", one)

    return check


def is_text(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check a text by language, one of them Czech."""
    yield from _by_language(place, found, lambda value: isinstance(value, str) and bool(value.strip()), "a text")


def are_texts(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check texts by language, of Czech at least one."""

    def fits(value: Any) -> bool:  # noqa: ANN401 - same
        each = [value] if isinstance(value, str) else value
        return isinstance(each, list) and bool(each) and all(isinstance(one, str) and one.strip() for one in each)

    yield from _by_language(place, found, fits, "a list of texts")


def _by_language(place: str, found: Any, fits: Callable[[Any], bool], what: str) -> Faults:  # noqa: ANN401 - same
    if not isinstance(found, Mapping):
        yield Fault(place=place, problem="it is no text by language", remedy='write {"cs": ...}')
        return
    if "cs" not in found:
        yield Fault(place=place, problem="Czech is missing", remedy="add cs")
    for code, value in found.items():
        if not _LANGUAGE.match(str(code)):
            yield Fault(place=_below(place, str(code)), problem="it is no language", remedy="write cs or en")
        if not fits(value):
            yield Fault(place=_below(place, str(code)), problem=f"it is not {what}", remedy=f"write {what}")


def is_day(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check a day."""
    try:
        date.fromisoformat(str(found)[:10])
    except ValueError:
        yield Fault(place=place, problem=f"{found!r} is no day", remedy="write it as 2025-12-31")


def is_theme(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check a theme of the European list; themes of other lists may stand beside it."""
    yield from is_iri()(place, found)
    if isinstance(found, str) and found.startswith(THEME) and found.removeprefix(THEME) not in THEMES:
        remedy = f"write one of {', '.join(sorted(THEMES))}"
        yield Fault(place=place, problem=f"{found} is not in the European list", remedy=remedy)


def are_themes(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check themes, one of which is of the European list."""
    yield from are(is_theme, least=1)(place, found)
    if isinstance(found, list) and not any(str(one).startswith(THEME) for one in found):
        yield Fault(place=place, problem="none is of the European list", remedy=f"add one of {THEME}")


def is_personal(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check what is said of personal data."""
    if found not in {NO_PERSONS, f"{TERMS}obsahuje-osobní-údaje/"}:
        yield Fault(place=place, problem=f"{found!r} cannot be", remedy=f"write {NO_PERSONS}")


def _distributed(record: Mapping[str, Any]) -> Faults:
    if not record.get("distribuce"):
        yield Fault(place="distribuce", problem="there is none", remedy="say where the data can be downloaded")


def is_distribution(place: str, found: Any) -> Faults:  # noqa: ANN401 - same
    """Check a distribution, which is a file or a service, never both."""
    yield from _object(place, found, DISTRIBUTION_NEEDS, DISTRIBUTION)
    if not isinstance(found, Mapping):
        return
    file, service = "soubor_ke_stažení" in found, "přístupová_služba" in found
    if file == service:
        yield Fault(place=place, problem="it is neither file nor service, or both", remedy="give one of them")
    elif file:
        yield from _object(place, found, FILE_NEEDS, {})
        if found.get("přístupové_url") != found["soubor_ke_stažení"]:
            remedy = "write the same address as soubor_ke_stažení"
            yield Fault(
                place=_below(place, "přístupové_url"), problem="it leads elsewhere than the file", remedy=remedy
            )


def part(needs: tuple[str, ...], checks: Mapping[str, Check]) -> Check:
    """Return a check of an object within another."""
    return lambda place, found: _object(place, found, needs, checks)


CONTACT: Final = part(("typ",), {"jméno": is_text, "e-mail": is_iri("mailto:")})
INTERVAL: Final = part(("typ",), {"typ": is_type("Časový interval"), "začátek": is_day, "konec": is_day})
TERMS_OF_USE: Final = part(
    ("typ", "autorské_dílo", "databáze_jako_autorské_dílo", "databáze_chráněná_zvláštními_právy", "osobní_údaje"),
    {
        "typ": is_type("Specifikace podmínek užití"),
        "autorské_dílo": is_iri(),
        "databáze_jako_autorské_dílo": is_iri(),
        "databáze_chráněná_zvláštními_právy": is_iri(),
        "osobní_údaje": is_personal,
    },
)
SERVICE: Final = part(
    ("typ", "název", "přístupový_bod", "iri"),
    {"typ": is_type("Datová služba"), "iri": is_iri("http"), "název": is_text, "přístupový_bod": is_iri("https://")},
)
DISTRIBUTION_NEEDS: Final = ("typ", "iri", "podmínky_užití", "přístupové_url")
FILE_NEEDS: Final = ("formát", "typ_média", "soubor_ke_stažení")
DISTRIBUTION: Final[Mapping[str, Check]] = {
    "typ": is_type("Distribuce"),
    "iri": is_iri("http"),
    "název": is_text,
    "podmínky_užití": TERMS_OF_USE,
    "přístupové_url": is_iri("https://"),
    "soubor_ke_stažení": is_iri("https://"),
    "formát": is_iri(FILE_TYPE),
    "typ_média": is_iri(MEDIA_TYPE),
    "schéma": is_iri(),
    "přístupová_služba": SERVICE,
}
DATASET_NEEDS: Final = (
    "@context", "typ", "iri", "název", "popis", "poskytovatel", "téma", "periodicita_aktualizace", "klíčové_slovo",
    "prvek_rúian",
)  # fmt: skip
DATASET: Final[Mapping[str, Check]] = {
    "@context": is_exactly(CONTEXT),
    "iri": is_iri("https://"),
    "název": is_text,
    "popis": is_text,
    "poskytovatel": is_iri(AUTHORITY),
    "téma": are_themes,
    "periodicita_aktualizace": is_iri(FREQUENCY),
    "klíčové_slovo": are_texts,
    "prvek_rúian": are(is_iri(RUIAN), least=1),
    "geografické_území": are(is_iri()),
    "časové_pokrytí": INTERVAL,
    "kontaktní_bod": CONTACT,
    "dokumentace": is_iri(),
    "specifikace": are(is_iri()),
    "koncept_euroVoc": are(is_iri("http://eurovoc.europa.eu/")),
    "je_součástí": is_iri(),
    "právní_předpis": are(is_iri()),
    "distribuce": are(is_distribution),
}
CATALOGUE_NEEDS: Final = ("@context", "typ", "iri", "název", "popis", "poskytovatel", "datová_sada")
CATALOGUE: Final[Mapping[str, Check]] = {
    "@context": is_exactly(CONTEXT),
    "iri": is_iri("http"),
    "název": is_text,
    "popis": is_text,
    "poskytovatel": is_iri(AUTHORITY),
    "kontaktní_bod": CONTACT,
    "domovská_stránka": is_iri("https://"),
    "datová_sada": are(is_iri("https://"), least=1),
}
