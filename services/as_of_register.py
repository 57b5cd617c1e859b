"""The register as it stood at an entry of the audit trail: what was changed since is taken back, step by step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, cast

import msgspec

from core.errors import NotFound
from core.notes import AuditEntry
from core.ports import RecordStore
from core.readings import SeriesKey
from core.registry import Entity
from services.as_of import Import
from services.held import KINDS, View

E = TypeVar("E", bound=Entity)
PAGE: Final = 500
ASTRAY: Final = timedelta(hours=1)
"""How far the times of entries may stray from their order: processes have clocks of their own."""
IMPORTS: Final = "reading_import"


def word_of(kind: type) -> str:
    """Return how the audit trail names a kind of the register: dial_event."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


WORDS: Final[Mapping[str, Any]] = {word_of(kind): kind for kind in KINDS}


def entries_since(records: RecordStore, audited: int) -> Iterator[AuditEntry]:
    """Yield the entries of the audit trail after one, newest first."""
    before: int | None = None
    while found := records.audit(before=before, limit=PAGE):
        for entry in found:
            if entry.id <= audited:
                return
            yield entry
        before = found[-1].id


def audited_at(records: RecordStore, at: datetime) -> int:
    """Return the last entry of the audit trail that was made by an instant, 0 where there is none."""
    last = 0
    for entry in entries_since(records, 0):
        if entry.at <= at:
            last = max(last, entry.id)
        if entry.at < at - ASTRAY:
            break
    return last


@dataclass(frozen=True, slots=True)
class _Rewound:
    """What stood in the register, by kind and id; texts are those that are given."""

    entities: Mapping[Any, Mapping[str, Entity]]
    texts: Mapping[str, str]

    def get(self, kind: type[E], key: str) -> E:
        if key not in self.entities[kind]:
            raise NotFound(f"no {word_of(kind)} had the id {key!r}")
        return cast("E", self.entities[kind][key])

    def find(self, kind: type[E], *, where: Mapping[str, str] | None = None) -> list[E]:
        fits = [e for _, e in sorted(self.entities[kind].items())]
        return [cast("E", e) for e in fits if all(getattr(e, n) == v for n, v in (where or {}).items())]

    def kept(self, key: str) -> str:
        return self.texts.get(key, "")


def register_at(records: RecordStore, audited: int, version: int, texts: Mapping[str, str]) -> View:
    """Return the register as it was after an entry of the audit trail; `texts` are those that were kept then."""
    entities = {kind: {e.id: e for e in records.find(kind)} for kind in KINDS}
    for entry in entries_since(records, audited):  # read after the register, so that they take back all of it
        kind = WORDS.get(entry.entity)
        if kind is None:
            continue
        if entry.before is None:
            entities[kind].pop(entry.key, None)
        else:
            entities[kind][entry.key] = msgspec.convert(entry.before, kind)
    return View(_Rewound(entities, texts), version)


def undone_since(records: RecordStore, cutoff: datetime) -> tuple[Import, ...]:
    """Return the imports of readings that were made by an instant and undone after it, with what they brought."""
    return tuple(
        Import(source=f"import/{entry.key}", undone=entry.at, series=_brought(records, entry.key))
        for entry in _imports(records, cutoff)
        if entry.after is None and entry.at > cutoff
    )


def _imports(records: RecordStore, cutoff: datetime) -> Iterator[AuditEntry]:
    before: int | None = None
    while found := records.audit(entity=IMPORTS, before=before, limit=PAGE):
        yield from (entry for entry in found if entry.at > cutoff)
        before = found[-1].id
        if found[-1].at < cutoff - ASTRAY:
            return


def _brought(records: RecordStore, number: str) -> tuple[SeriesKey, ...]:
    """Return the series of an import, as its note says."""
    text = records.kept(f"reading-import/{number}")
    said = msgspec.json.decode(text)["series"] if text else []
    return tuple(SeriesKey(meter, register) for meter, register, *_ in said)
