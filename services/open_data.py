"""Open data: what is published, as tables for machines, and the catalogue's records of them."""

from dataclasses import dataclass
from typing import Final

FEWEST_BUILDINGS: Final = 3
"""The least bound below which kinds of building are kept back: of two, each would know the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who publishes: the address of these pages (https), the authority's number (IČO), its area in RÚIAN, a contact.

    Kinds of building with fewer than `least_buildings` are kept back from the export for comparison.
    """

    url: str = ""
    ico: str = "70891508"
    area: str = "vusc/78"
    name: str = "Liberecký kraj"
    mail: str = ""
    least_buildings: int = 5
