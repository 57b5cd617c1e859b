"""What pages call tables of dated values, their rows and fields, how sources were seen, and school holidays."""

from collections.abc import Mapping
from typing import Final

from api.texts import N_, Language

TABLES: Final[Mapping[str, str]] = {
    "factors": N_("Emission factors"),
    "tariffs": N_("Prices and rules"),
    "populations": N_("Inhabitants"),
    "degree_days": N_("Degree-day normals"),
    "school_holidays": N_("School holidays"),
}
TRUST: Final[Mapping[str, str]] = {
    "primary": N_("read in the source itself"),
    "secondary": N_("read in another source"),
    "transcribed": N_("copied by hand: check the original"),
    "computed": N_("computed"),
    "operator": N_("entered by you"),
}
HOLIDAYS: Final[Mapping[str, str]] = {
    "autumn": N_("autumn holidays"),
    "christmas": N_("Christmas holidays"),
    "half-term": N_("half-term holidays"),
    "spring": N_("spring holidays"),
    "easter": N_("Easter holidays"),
    "summer": N_("summer holidays"),
}


ORIGINS: Final[Mapping[str, str]] = {
    "shipped": N_("ships with Odečet"),
    "file": N_("from your file"),
    "entered": N_("entered here"),
}
ROW_KINDS: Final[Mapping[str, str]] = {
    "factor": N_("Emission factor"),
    "ratio": N_("Gross over net calorific value of gas"),
    "conversion": N_("Energy of a cubic metre of gas"),
    "supply": N_("Who supplies the energy"),
    "price": N_("Price"),
    "connection": N_("Connection to the network"),
    "reserved": N_("Rule of reserved capacity (until 2026)"),
    "measured": N_("Rule of measured maxima (from 2027)"),
    "population": N_("Number of inhabitants"),
    "normal": N_("Degree-day normal"),
    "holiday": N_("School holiday"),
}


def table_word(texts: Mapping[str, str], code: str, words: Language) -> str:
    """Return the text of a code; one without a text is shown as it is."""
    return words.text(texts[code]) if code in texts else code
