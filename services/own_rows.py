"""The act of entering a row of a dated table: what it would replace, what speaks against it, and keeping it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from core.dated_tables import Validity
from core.errors import Conflict, InputError
from core.factors import RESIDUAL, CalorificRatio, Factor, FactorTables, GasConversion, Supply
from core.notes import AuditEntry, JsonValue
from core.own_rows import ENTITY, DatedTables, ListedRow, OwnRow, RowKind, StandingTables
from core.populations import Population
from core.ports import RecordStore
from core.publications import canonical
from core.registry import Building, Organisation, Point
from core.tariffs import MeasuredRule, Price, ReservedRule
from services.held import RegisterReader
from services.register import By

REACH: Final[Mapping[str, Any]] = {"points": Point, "buildings": Building, "organisations": Organisation}
LONGEST_WHY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row that somebody wants to enter. `after` is the number of the last entered row that they saw (None: any)."""

    kind: RowKind
    content: Mapping[str, JsonValue]
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another row of the same meaning that holds in some of the same months: from `since` on the later one counts."""

    row: ListedRow
    since: date
    replaced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What entering a row would do; `after` is the number of the last row that it was looked at with.

    `former` is the version that it replaces whole, `fields` are those that differ from it: name, before, after.
    `idle` says why nothing would be computed with it: `scheme`, `supplier`, or empty where something would.
    """

    row: ListedRow
    after: int
    former: ListedRow | None = None
    fields: tuple[tuple[str, JsonValue, JsonValue], ...] = ()
    beside: tuple[Beside, ...] = ()
    idle: str = ""


def proposed(tables: DatedTables, register: RegisterReader, draft: Draft) -> Change:
    """Return what entering a row would do; raise InputError, naming the field, where it cannot be entered.

    Raise Conflict where the tables are not as they were seen.
    """
    now = tables.standing()
    if draft.after is not None and draft.after != now.number:
        raise Conflict("the dated tables were changed meanwhile; look at them again and repeat what you did")
    row, made = tables.with_row(draft.kind, draft.content)
    former = next((one for one in now.rows if one.newest and _same_row(one, row, made)), None)
    if row.withdrawn and (former is None or former.withdrawn):
        raise InputError(f"there is no {row.key!r} to withdraw", place="withdrawn", remedy="leave it out")
    _check_reach(row, register)
    fields = tuple(_differences(former, row)) if former else ()
    if former is not None and not fields:
        raise InputError(f"nothing of {row.key!r} is changed", place="row", remedy="change a field")
    beside = () if row.withdrawn else tuple(_beside(row, former, made))
    return Change(
        row=row, after=now.number, former=former, fields=fields, beside=beside, idle=_idle(row.made, made.dated.factors)
    )


def _same_row(one: ListedRow, row: ListedRow, made: StandingTables) -> bool:
    """Return whether a row is the one that another replaces: it was the newest, and is no more."""
    return one.key == row.key and not any(
        other.newest
        for other in made.rows
        if (other.kind, other.key, other.version, other.origin) == (one.kind, one.key, one.version, one.origin)
    )


def _check_reach(row: ListedRow, register: RegisterReader) -> None:
    for name, kind in REACH.items():
        named = row.content.get(name)
        wanted = [str(key) for key in named] if isinstance(named, list) else []
        known = {one.id for one in register.find(kind)} if wanted else set()
        for key in wanted:
            if key not in known:
                raise InputError(f"{key!r} is not in the register", place=name, remedy="write ids of the register")


def _differences(former: ListedRow, row: ListedRow) -> Iterator[tuple[str, JsonValue, JsonValue]]:
    for name in dict.fromkeys((*former.content, *row.content)):
        before, after = former.content.get(name), row.content.get(name)
        if before != after and name != "id":  # an id that was made of the row may be written out
            yield name, before, after
    if former.withdrawn != row.withdrawn:
        yield "withdrawn", former.withdrawn, row.withdrawn


def _beside(row: ListedRow, former: ListedRow | None, made: StandingTables) -> Iterator[Beside]:
    """Yield other rows that say the same of some of the same time; raise InputError where neither goes before."""
    mine = _meaning(row.made)
    if mine is None:
        return
    for other in made.rows:
        if not other.counts or other.key == row.key or _meaning(other.made) != mine or not _meet(row.made, other.made):
            continue
        begin, end = _span(row.made).since, _span(other.made).since
        if begin == end and not (former is not None and _tied(former.made, other.made)):
            raise InputError(
                f"{other.key!r} says the same from {begin} on", place="since", remedy="correct that one, or begin later"
            )
        yield Beside(row=other, since=max(begin, end), replaced=begin >= end)


def _tied(one: Any, other: Any) -> bool:  # noqa: ANN401 - rows of any kind
    return bool(_meaning(one) == _meaning(other) and _span(one).since == _span(other).since)


_MEANING: Final[Mapping[type, Callable[[Any], tuple[object, ...]]]] = {
    Factor: lambda made: ("factor", made.carrier, made.supplier or made.scheme),
    CalorificRatio: lambda made: (
        "ratio",
        made.reach,
    ),
    GasConversion: lambda made: (
        "conversion",
        made.reach,
    ),
    Supply: lambda made: ("supply", made.commodity, made.reach),
    Price: lambda made: ("price", made.commodity, made.reach, made.distributor, made.level),
    ReservedRule: lambda made: ("rule", made.distributor, made.level),
    MeasuredRule: lambda made: ("rule", made.distributor, made.level),
    Population: lambda made: ("population", made.place, made.at, made.until),
}
"""What rows of which one counts at a time have in common; connections are kept apart by the table itself."""


def _meaning(made: Any) -> tuple[object, ...] | None:  # noqa: ANN401 - a row of any kind
    said = _MEANING.get(type(made))
    return None if said is None else said(made)


def _span(made: Any) -> Validity:  # noqa: ANN401 - a row of any kind
    """Return when a row holds; a state of inhabitants says one day, whose months are nobody else's."""
    if isinstance(made, Population):
        return Validity(since=made.at.replace(day=1))
    valid: Validity = made.valid
    return valid


def _meet(one: Any, other: Any) -> bool:  # noqa: ANN401 - rows of one meaning
    if isinstance(one, Price) and isinstance(other, Price) and not {*one.covers} & {*other.covers}:
        return False
    return _span(one).overlaps(_span(other))


def _idle(made: Any, factors: FactorTables) -> str:  # noqa: ANN401 - a row of any kind
    if not isinstance(made, Factor):
        return ""
    if made.supplier:
        return "" if any(one.supplier == made.supplier for one in factors.supplies) else "supplier"
    return "" if made.scheme in {*factors.order.get(made.carrier, ()), RESIDUAL} else "scheme"


def enter(records: RecordStore, tables: DatedTables, draft: Draft, act: By) -> OwnRow:
    """Keep a row, audited; it counts from now on in every process. Raise InputError as `proposed`, and without a why.

    Raise Conflict where somebody entered another row meanwhile.
    """
    why = act.why.strip()
    if not why or len(why) > LONGEST_WHY:
        raise InputError(
            "a row of the tables needs a reason", place="why", remedy=f"say why in up to {LONGEST_WHY} characters"
        )
    change = proposed(tables, records, draft)
    row, former = change.row, change.former
    kept = OwnRow(
        kind=row.kind,
        key=row.key,
        version=row.version,
        content=canonical(said(row)).decode(),
        by=act.by,
        at=act.now,
        why=why,
    )
    entry = AuditEntry(
        at=act.now,
        by=act.by,
        entity=ENTITY,
        key=f"{row.kind}/{row.key}",
        why=why,
        before=None if former is None else {**said(former), "version": former.version},
        after={**said(row), "version": row.version},
    )
    return records.add_own_row(kept, [entry], after=change.after)


def said(row: ListedRow) -> dict[str, JsonValue]:
    """Return what a row says, whether it is withdrawn among it."""
    return {**row.content, **({"withdrawn": True} if row.withdrawn else {})}
