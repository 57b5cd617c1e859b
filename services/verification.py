"""Whether a publication is what it was, and whether its figures come out again from what they rested on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose
from typing import Any, Final

from core.errors import NotFound, OdecetError, StoreError
from core.indicators import Because, Value
from core.ports import ReadingStore, RecordStore
from core.publications import Publication, digest_of
from services.as_of import BEGIN, END, Import
from services.freezing import Opened, head_of
from services.frozen import told
from services.indicators import Evaluation
from services.stands import Live, Stand, inputs_of

RELATIVE: Final = 1e-9
"""How far a figure may be from the published one: the order in which machines add floats."""
MOST_PLACES: Final = 12
"""Places that are listed of one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place where what was computed again is not what was published."""

    indicator: str
    scope: str
    place: str
    published: Any
    recomputed: Any
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check came to: `faults` of the publication itself or of what it rests on, `differences` of figures."""

    publication: Publication
    faults: tuple[Because, ...] = ()
    compared: int = 0
    differences: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is as it was published."""
        return not self.faults and not self.differences


# The chain of hashes


def broken_links(records: RecordStore, publication: Publication) -> list[Because]:
    """Return what is wrong with a publication's hash, its row, its evidence, and the chain that it stands in."""
    return [
        *_spoilt(publication),
        *_unchained(records, publication),
        *(_evidence(records, publication) if not _spoilt(publication) else ()),
    ]


def _spoilt(publication: Publication) -> list[Because]:
    found = digest_of(publication.content)
    if found != publication.digest:
        facts = {"publication": publication.id, "digest": publication.digest, "found": found}
        return [Because(code="content_changed", facts=facts, subjects=(publication.id,))]
    said, row = publication.opened(), head_of(publication)
    wrong = [name for name, value in row.items() if said.get(name) != value]
    return [
        Because(code="row_changed", facts={"publication": publication.id, "field": name}, subjects=(publication.id,))
        for name in wrong
    ]


def _unchained(records: RecordStore, publication: Publication) -> Iterator[Because]:
    """Yield what breaks the chain from the first publication to the last; content of others is hashed too."""
    before = ""
    for head in records.publications():
        if head.previous != before:
            facts = {"publication": head.id, "previous": head.previous, "found": before}
            yield Because(code="chain_broken", facts=facts, subjects=(head.id,))
        if head.id != publication.id:
            yield from _other(records, head.id)
        before = head.digest


def _other(records: RecordStore, key: str) -> list[Because]:
    try:
        return _spoilt(records.publication(key))
    except StoreError as err:
        return [Because(code="content_changed", facts={"publication": key, "found": str(err)}, subjects=(key,))]


def _evidence(records: RecordStore, publication: Publication) -> Iterator[Because]:
    for delivery in publication.opened()["deliveries"]:
        for value in delivery["values"]:
            for one in value["evidence"]:
                try:
                    records.evidence(one["digest"])
                except (NotFound, StoreError) as err:
                    facts = {"indicator": value["indicator"], "name": one["name"], "problem": str(err)}
                    yield Because(code="evidence_lost", facts=facts, subjects=(one["digest"],))


# The figures


def recomputed(
    held: Opened, stand: Stand, live: Live, now: datetime
) -> tuple[list[Value | OdecetError], list[Because]]:
    """Return the published values computed again, or why one cannot be, and what was lost that they rested on."""
    evaluation = Evaluation(inputs_of(stand, live), now)
    plan = {one.id: one for one in held.indicators}
    found: list[Value | OdecetError] = []
    for value in held.values:
        try:
            found.append(evaluation.value(plan[value.indicator], value.scope, value.first, value.end))
        except OdecetError as err:
            found.append(err)
    return found, [_lost(one) for one in stand.undone if not _kept_aside(one, live.readings)]


def _kept_aside(one: Import, readings: ReadingStore) -> bool:
    return not one.series or one.source in _sources(readings, one)


def _sources(readings: ReadingStore, one: Import) -> set[str]:
    aside = readings.withdrawn(one.series, BEGIN, END)
    return {aside.sources[code] for code in set(aside.source.tolist())}


def _lost(one: Import) -> Because:
    facts = {"import": one.source.removeprefix("import/"), "undone": one.undone.isoformat()}
    return Because(code="withdrawn_and_not_kept", facts=facts, subjects=tuple(key.meter for key in one.series))


def compared(published: Sequence[Value], again: Sequence[Value | OdecetError]) -> list[Difference]:
    """Return where values that were computed again differ from the published ones, by place."""
    return [difference for old, new in zip(published, again, strict=True) for difference in _of_value(old, new)]


def _of_value(old: Value, new: Value | OdecetError) -> list[Difference]:
    if isinstance(new, OdecetError):
        return [_difference(old, "", None, None, str(new))]
    why = (
        "" if (old.method, old.version) == (new.method, new.version) else f"{old.method} {old.version} → {new.version}"
    )
    places = list(walked(told(old), told(new)))
    shown = [_difference(old, place, was, now, why) for place, was, now in places[:MOST_PLACES]]
    more = len(places) - len(shown)
    return [*shown, _difference(old, f"… {more}", None, None, why)] if more else shown


def _difference(old: Value, place: str, was: Any, now: Any, why: str) -> Difference:  # noqa: ANN401 - any JSON
    return Difference(
        indicator=old.indicator, scope=str(old.scope), place=place, published=was, recomputed=now, why=why
    )


def close(one: float, other: float) -> bool:
    """Return whether two figures are the same but for the order in which they were added."""
    return one == other or isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-9)


def walked(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - any JSON
    """Yield each place at which two JSON values differ, with both."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys((*old, *new)):
            yield from walked(old.get(name), new.get(name), _at(place, name))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        for n in range(max(len(old), len(new))):
            parts = [side[n] if n < len(side) else None for side in (old, new)]
            yield from walked(parts[0], parts[1], _at(place, _named(parts[0] or parts[1], n)))
    elif not _same(old, new):
        yield place, old, new


def _at(place: str, name: str) -> str:
    return f"{place}/{name}" if place else name


def _named(item: Any, number: int) -> str:  # noqa: ANN401 - any JSON
    """Return what an entry of a list is called: figures and parts by what they are of."""
    names = [str(item[name]) for name in ("figure", "kind", "code", "key") if item.get(name)] if _is_map(item) else []
    return ".".join(names) or str(number)


def _is_map(item: object) -> bool:
    return isinstance(item, Mapping)


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401 - any JSON
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (old, new))
    return close(float(old), float(new)) if numbers else bool(old == new)
