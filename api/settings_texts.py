"""What pages call tables of dated values, how their sources were seen, and school holidays."""

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


def table_word(texts: Mapping[str, str], code: str, words: Language) -> str:
    """Return the text of a code; one without a text is shown as it is."""
    return words.text(texts[code]) if code in texts else code
