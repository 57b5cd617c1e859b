"""`odecet publish` and `odecet verify`: a report frozen, and one computed again from what it rested on."""

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib.metadata import version

import click

from app.clock import now
from app.dated_tables import PresentTables, table_files
from app.wiring import Parts, day_types, facts, reading_store
from config.settings import Settings
from core.errors import InputError
from core.indicators import Because, Value
from core.report_periods import ReportId
from services.freezing import opened
from services.publishing import Wish, publish, verify
from services.stands import Live
from services.verification import Difference, Verified
from storage.records import SqlRecordStore


def live_of(parts: Parts) -> Live:
    """Return what values rest on in a running process."""
    return Live(
        readings=parts.readings,
        records=parts.records,
        dated=parts.dated,
        facts=parts.facts,
        code=version("odecet"),
        day_types=parts.calendar.day_types,
        zone=parts.settings.calendar.tz(),
    )


@contextmanager
def _opened(settings: Settings) -> Iterator[Live]:
    """Give the stores of the settings; raise StoreInUse where a running process holds the embedded one."""
    types, readings, records = day_types(settings), reading_store(settings), SqlRecordStore(settings.records_url())
    with ExitStack() as stack:
        for store in (records, readings):
            stack.callback(store.close)
            store.start()
        tables = PresentTables(table_files(settings), records, facts(settings, types))
        yield Live(
            readings=readings,
            records=records,
            dated=tables.dated(),
            facts=tables.facts(),
            code=version("odecet"),
            day_types=types,
            zone=settings.calendar.tz(),
        )


def publish_report(  # noqa: PLR0917 - the options of one command
    settings: Settings, kind: str, period: str, by: str, note: str, exceptions: Sequence[str], cutoff: str
) -> None:
    """Publish a report and print what was frozen."""
    wish = Wish(
        report=ReportId.parse(kind, period),
        by=by or getpass.getuser(),
        now=now(),
        note=note,
        exceptions=_exceptions(exceptions),
        cutoff=_instant(cutoff),
    )
    with _opened(settings) as live:
        made = publish(live, wish)
        for value in opened(made).values:
            click.echo(_told(value))
    click.echo(f"{made.id}  {made.digest}")


def _exceptions(given: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for one in given:
        subject, mark, why = one.partition("=")
        if not mark:
            raise InputError(f"exception {one!r} has no reason", place="--exception", remedy="write indicator:E1=why")
        found[subject.strip()] = why
    return found


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputError(f"{text!r} is no instant", place="--cutoff", remedy="write 2026-02-28T12:00:00+01:00") from err
    if at.tzinfo is None:
        raise InputError(f"{text} has no offset", place="--cutoff", remedy="write 2026-02-28T12:00:00+01:00")
    return at


def _told(value: Value) -> str:
    amounts = ", ".join(f"{a.figure} {'–' if a.value is None else f'{a.value:g}'}" for a in value.amounts)
    reasons = ", ".join(dict.fromkeys(reason.code for reason in value.reasons))
    return f"{value.indicator}  {value.status}  {amounts}" + (f"  ({reasons})" if reasons else "")


def verify_publication(settings: Settings, key: str) -> bool:
    """Check a publication, print what was found, and return whether all of it holds."""
    with _opened(settings) as live:
        found = verify(live, key, now())
    for line in lines(found):
        click.echo(line)
    return found.holds


def lines(found: Verified) -> list[str]:
    """Return the outcome of a check in lines of text."""
    published = found.publication
    at, cutoff = published.at.isoformat(), published.cutoff.isoformat()
    head = f"{published.id}  published {at} by {published.by}, cut-off {cutoff}"
    told = [head, *(f"  {_fault(one)}" for one in found.faults), *(f"  {_difference(d)}" for d in found.differences)]
    outcome = "holds" if found.holds else "DOES NOT HOLD"
    counted = f"{found.compared} figures compared, {len(found.differences)} differences, {len(found.faults)} faults"
    return [*told, f"{outcome}: {counted}; SHA-256 {published.digest}"]


def _fault(one: Because) -> str:
    return f"{one.code}: " + ", ".join(f"{name} {fact}" for name, fact in one.facts.items())


def _difference(one: Difference) -> str:
    said = f"{one.indicator} {one.scope} {one.place}: {one.published} published, {one.recomputed} now"
    return f"{said} ({one.why})" if one.why else said
