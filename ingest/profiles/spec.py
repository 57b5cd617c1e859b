"""What a profile file may say; docs/profiles.md tells it to operators. Checked by msgspec when a file is loaded."""

from typing import Any, Literal

import msgspec


class Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table of a profile; a key that is not known is a mistake."""


class MatchSpec(Table):
    """Which messages: topic filters with captures ({name} one level, {name...} the rest), and what must hold.

    `described_first`: where a device describes a topic itself (discovery), its description says more than the format.
    """

    topics: list[str] = []
    anywhere: bool = False
    when: dict[str, Any] = {}
    subscribe: bool = True
    described_first: bool = False


class IgnoreSpec(Table):
    """Messages that say nothing to be stored, and why."""

    reason: str
    topics: list[str] = []
    when: dict[str, Any] = {}


class DecodeSpec(Table):
    """How bytes become a tree."""

    form: Literal["json", "text", "number", "csv", "xml", "mbus", "line", "p1"] = msgspec.field(
        name="as", default="json"
    )
    nested: list[str] = []
    delimiter: str = ";"
    header: bool = True
    columns: list[str] = []
    regex: str = ""
    encoding: str = "utf-8"
    telegram: str = ""
    precision: Literal["s", "ms", "us", "ns", "auto"] = "auto"


class TimeSpec(Table):
    """Where an instant stands and how it is written; the first that is there counts, then the arrival."""

    path: str = ""
    text: str = ""
    format: str | list[str] = "auto"
    zone: str = ""
    standard: bool = False
    doubtful: Literal["reject", "arrival"] = "reject"


class ReadingSpec(Table):
    """A reading of a row: where its value stands and what it means.

    `path` names one place (or the first of several that is there), `keys` every key of the object at `at` that a
    regular expression fits, whose named groups may stand in braces in the other texts. Of several that fit a key the
    first counts; `skip` says that a key is none. Where a key holds an object, its number is at the first of `inner`
    that is there; `unit_at` are paths beside the keys where their unit may stand. `words` says what a group stands for
    (small letters), and what stands in brackets in `register` is left out where its group is empty.
    """

    path: str | list[str] = ""
    keys: str = ""
    at: str = ""
    inner: list[str] = []
    skip: str = ""
    quantity: str = ""
    register: str = "total"
    words: dict[str, str] = {}
    kind: str = ""
    unit: str = ""
    unit_at: list[str] = []
    units: dict[str, str] = {}
    unit_regex: str = ""
    unknown_unit: Literal["reject", "skip"] = "reject"
    scale: float = 1.0
    offset: float = 0.0
    minus: str = ""
    decimal: Literal[".", ","] = "."
    number: str = ""
    sentinels: list[float | str] = []
    zero: Literal["keep", "drop"] = "keep"
    wrap: int = 0
    bound: float = 0.0
    span_s: int | str = 0
    when: dict[str, Any] = {}
    meter: str | list[str] = ""
    time: list[str | TimeSpec] | str = ""
    field: str = ""


class RowSpec(Table):
    """What is found how often in a message: a meter's record, an element of a list, a key of an object.

    `named` is where a row says what it is called: it is then read as an object of that one key. `use` names a fragment
    whose rows are read within each of these; `final` leaves out the rows behind it where it fits. Rows that say nothing
    to be stored have `skip`, those that must not be passed over `reject` (reason) and `detail` (what to do).
    """

    each: str = ""
    zip: list[str] = []
    named: str = ""
    topics: list[str] = []
    when: dict[str, Any] = {}
    skip: str = ""
    reject: str = ""
    detail: str = ""
    meter: str | list[str] = ""
    time: list[str | TimeSpec] | str = ""
    suspect: dict[str, Any] = {}
    use: str = ""
    final: bool = False
    readings: list[ReadingSpec] = []


class PublishSpec(Table):
    """What the source wants to hear, again and again: `topic` may name captures."""

    topic: str
    payload: str = ""
    every_s: float = 50.0


class ExpectedReading(Table):
    """A reading that a case expects; `unit` empty where none is stated."""

    meter: str
    quantity: str
    value: float
    register: str = "total"
    kind: str = "cumulative"
    unit: str = ""
    at: str = ""


class CaseSpec(Table):
    """A message and what must come of it."""

    topic: str
    payload: str = ""
    payload_base64: str = ""
    retained: bool = False
    readings: list[ExpectedReading] = []
    ignored: str = ""
    rejected: str = ""


class ProfileSpec(Table):
    """A profile file."""

    name: str
    title: str = ""
    about: str = ""
    fragment: bool = False
    priority: int = 0
    zone: str = ""
    nothing: Literal["reject", "ignore"] = "reject"
    match: MatchSpec = msgspec.field(default_factory=MatchSpec)
    decode: DecodeSpec = msgspec.field(default_factory=DecodeSpec)
    ignore: list[IgnoreSpec] = []
    rows: list[RowSpec] = []
    publish: list[PublishSpec] = []
    tests: list[CaseSpec] = []
