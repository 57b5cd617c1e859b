"""Deliveries and publications as the API writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from api.indicator_texts import status_text
from api.publication_texts import STATES, cause_text, told
from api.texts import Language
from core.deliveries import Delivery, HandValue, Step, ValueCheck
from core.indicators import Amount, Because, Coverage, Value
from core.publications import Publication
from services.delivery_steps import allowed
from services.freezing import Opened
from services.frozen import value_digest
from services.restatement import FigureChange, Named, Part, Restatement
from services.verification import Verified


class Why(msgspec.Struct, frozen=True):
    """A reason: its code, its text, what it names and whom it concerns."""

    code: str
    text: str
    facts: Mapping[str, Any]
    subjects: Sequence[str]

    @classmethod
    def of(cls, because: Because, words: Language) -> "Why":
        """Return the JSON form."""
        return cls(because.code, told(because, words), dict(because.facts), because.subjects)


class DeliveryDocument(msgspec.Struct, frozen=True):
    """An area's delivery: texts, values entered by hand, checks, who did what, what may be done, what lacks."""

    kind: str
    period: str
    area: str
    state: str
    state_text: str
    version: int
    texts: Mapping[str, str]
    values: Sequence[HandValue]
    checks: Sequence[ValueCheck]
    steps: Sequence[Step]
    allowed: Sequence[str]
    missing: Sequence[Why]

    @classmethod
    def of(cls, delivery: Delivery, missing: Sequence[Because], words: Language) -> "DeliveryDocument":
        """Return the JSON form."""
        return cls(
            kind=delivery.report.kind,
            period=delivery.report.period,
            area=delivery.area,
            state=delivery.state,
            state_text=words.text(STATES[delivery.state]),
            version=delivery.version,
            texts=dict(delivery.texts),
            values=delivery.values,
            checks=delivery.checks,
            steps=delivery.steps,
            allowed=allowed(delivery),
            missing=[Why.of(one, words) for one in missing],
        )


class PublicationHead(msgspec.Struct, frozen=True):
    """A publication: version, who and when, cut-off, hash, and the one that it replaces."""

    id: str
    kind: str
    period: str
    version: int
    at: datetime
    by: str
    cutoff: datetime
    register: int
    digest: str
    previous: str
    replaces: str
    note: str
    code: str

    @classmethod
    def of(cls, one: Publication) -> "PublicationHead":
        """Return the JSON form."""
        said = {name: getattr(one, name) for name in cls.__struct_fields__ if name not in {"kind", "period"}}
        return cls(**said, kind=one.report.kind, period=one.report.period)


class ValueLine(msgspec.Struct, frozen=True):
    """A value with its status, coverage and reasons; `digest` is what a check of it names."""

    indicator: str
    scope: str
    first: str
    end: str
    status: str
    status_text: str
    amounts: Sequence[Amount]
    method: str
    version: int
    coverage: Coverage | None
    reasons: Sequence[Why]
    activities: Sequence[str]
    measures: Sequence[str]
    note: str
    digest: str

    @classmethod
    def of(cls, value: Value, words: Language) -> "ValueLine":
        """Return the JSON form."""
        names = ("indicator", "status", "amounts", "method", "version", "coverage", "activities", "measures", "note")
        return cls(
            **{name: getattr(value, name) for name in names},
            scope=str(value.scope),
            first=value.first.isoformat(),
            end=value.end.isoformat(),
            status_text=status_text(words, value.status),
            reasons=[Why.of(one, words) for one in value.reasons],
            digest=value_digest(value),
        )


class PublicationDocument(msgspec.Struct, frozen=True):
    """A publication with its values, what was published though not checked, and what changed since the one before."""

    head: PublicationHead
    values: Sequence[ValueLine]
    exceptions: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]
    restatement: Any

    @classmethod
    def of(cls, held: Opened, words: Language) -> "PublicationDocument":
        """Return the JSON form."""
        values = [ValueLine.of(value, words) for value in held.values]
        head = PublicationHead.of(held.publication)
        return cls(head, values, dict(held.exceptions), held.names, held.restatement)


class ChangePart(msgspec.Struct, frozen=True):
    """What one cause (several where a number lacks between them) did to a figure; decimals are texts."""

    causes: Sequence[str]
    text: str
    before: str | None
    after: str | None
    difference: str | None
    named: Sequence[Named]

    @classmethod
    def of(cls, part: Part, words: Language) -> "ChangePart":
        """Return the JSON form."""
        numbers = {name: getattr(part, name) for name in ("before", "after", "difference")}
        return cls(
            causes=part.causes,
            text=cause_text(part.causes, words),
            **{name: None if number is None else str(number) for name, number in numbers.items()},
            named=[Named(kind=one.kind, key=one.key, facts=dict(one.facts)) for one in part.named],
        )


class ChangeLine(msgspec.Struct, frozen=True):
    """A figure that is another now; the differences of its parts add up exactly to its own."""

    indicator: str
    scope: str
    figure: str
    old: str | None
    new: str | None
    difference: str | None
    old_status: str | None
    new_status: str | None
    parts: Sequence[ChangePart]

    @classmethod
    def of(cls, one: FigureChange, words: Language) -> "ChangeLine":
        """Return the JSON form."""
        numbers = {name: getattr(one, name) for name in ("old", "new", "difference")}
        return cls(
            indicator=one.indicator,
            scope=str(one.scope),
            figure=one.figure,
            **{name: None if number is None else str(number) for name, number in numbers.items()},
            old_status=one.old_status,
            new_status=one.new_status,
            parts=[ChangePart.of(part, words) for part in one.parts],
        )


class RestatementDocument(msgspec.Struct, frozen=True):
    """What has changed in a report since it was published."""

    kind: str
    period: str
    publication: str
    cutoff: datetime
    changes: Sequence[ChangeLine]

    @classmethod
    def of(cls, one: Restatement, words: Language) -> "RestatementDocument":
        """Return the JSON form."""
        changes = [ChangeLine.of(change, words) for change in one.changes]
        return cls(one.report.kind, one.report.period, one.publication, one.cutoff, changes)


class DifferenceLine(msgspec.Struct, frozen=True):
    """A place where what was computed again is not what was published."""

    indicator: str
    scope: str
    place: str
    published: Any
    recomputed: Any
    why: str


class VerifiedDocument(msgspec.Struct, frozen=True):
    """What a check came to: faults of the publication itself or of what it rests on, and figures that differ."""

    publication: str
    holds: bool
    compared: int
    faults: Sequence[Why]
    differences: Sequence[DifferenceLine]
    digest: str

    @classmethod
    def of(cls, found: Verified, words: Language) -> "VerifiedDocument":
        """Return the JSON form."""
        names = DifferenceLine.__struct_fields__
        return cls(
            publication=found.publication.id,
            holds=found.holds,
            compared=found.compared,
            faults=[Why.of(one, words) for one in found.faults],
            differences=[DifferenceLine(*(getattr(one, name) for name in names)) for one in found.differences],
            digest=found.publication.digest,
        )
