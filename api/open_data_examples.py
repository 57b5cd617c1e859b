"""Examples of open data, as the contract shows them."""

from typing import Final

CATALOGUE: Final = """{
  "@context": "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/...",
  "iri": "https://odecet.example.cz/api/v1/open-data",
  "typ": "Katalog",
  "název": {"cs": "Katalog otevřených dat o energii a vodě: Liberecký kraj"},
  "datová_sada": ["https://odecet.example.cz/api/v1/open-data/indikatory"]
}"""
DATASET: Final = """{
  "@context": "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/...",
  "iri": "https://odecet.example.cz/api/v1/open-data/indikatory",
  "typ": "Datová sada",
  "název": {"cs": "Indikátory akčního plánu Chytřejší kraj"}
}"""
CSV: Final = (
    "publikace,verze,platna,indikator,ukazatel_kod,hodnota\r\nannual-2025-v1,1,true,E1,total,14415.873594199\r\n"
)
METADATA: Final = """{
  "@context": ["http://www.w3.org/ns/csvw", {"@language": "cs"}],
  "url": "indikatory.csv",
  "tableSchema": {"columns": [{"name": "publikace", "datatype": "string"}], "primaryKey": ["publikace"]}
}"""
