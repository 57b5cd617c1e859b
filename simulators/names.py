"""Czech names and places for a sample region. Places are real, buildings and organisations are made up."""

from typing import Final, NamedTuple

from core.registry import BuildingKind
from simulators.school_year import District


class Town(NamedTuple):
    """A town: name, postcode, district, latitude and longitude [°] of its middle."""

    name: str
    postcode: str
    district: District
    latitude: float
    longitude: float


TOWNS: Final = (
    Town("Liberec", "460 01", District.LIBEREC, 50.767, 15.056),
    Town("Jablonec nad Nisou", "466 01", District.JABLONEC, 50.724, 15.171),
    Town("Česká Lípa", "470 01", District.CESKA_LIPA, 50.686, 14.538),
    Town("Turnov", "511 01", District.SEMILY, 50.587, 15.157),
    Town("Semily", "513 01", District.SEMILY, 50.602, 15.335),
    Town("Frýdlant", "464 01", District.LIBEREC, 50.921, 15.080),
    Town("Nový Bor", "473 01", District.CESKA_LIPA, 50.758, 14.556),
    Town("Tanvald", "468 41", District.JABLONEC, 50.737, 15.306),
    Town("Jilemnice", "514 01", District.SEMILY, 50.609, 15.507),
    Town("Hrádek nad Nisou", "463 34", District.LIBEREC, 50.853, 14.845),
    Town("Doksy", "472 01", District.CESKA_LIPA, 50.565, 14.656),
    Town("Železný Brod", "468 22", District.JABLONEC, 50.643, 15.254),
)

STREETS: Final = (
    "Na Výsluní", "U Potoka", "Lipová", "Pod Strání", "Školní", "Jiráskova", "Sokolská", "Za Tratí", "Zahradní",
    "Luční", "Nádražní", "Komenského", "Horská", "Javorová", "K Prameni", "Sluneční", "Tkalcovská", "Sklářská",
)  # fmt: skip

FACILITIES: Final = {
    BuildingKind.SCHOOL: (
        "Gymnázium {street}", "Střední průmyslová škola {street}", "Obchodní akademie {street}",
        "Střední škola řemesel {street}", "Základní škola speciální {street}", "Zdravotnická škola {street}",
    ),
    BuildingKind.HOSPITAL: ("Nemocnice {street}", "Léčebna {street}"),
    BuildingKind.CARE_HOME: ("Domov seniorů {street}", "Domov Vlaštovka, {street}", "Centrum péče {street}"),
    BuildingKind.OFFICE: ("Správa silnic {street}", "Pedagogická poradna {street}", "Úřadovna kraje {street}"),
    BuildingKind.MUSEUM: ("Muzeum skla a hor {street}", "Galerie {street}", "Knihovna {street}"),
}  # fmt: skip
