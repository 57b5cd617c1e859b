"""`odecet profiles new`: a profile from a pasted sample, in a few questions."""

import sys
from pathlib import Path
from typing import Final

import click

from app.clock import now
from core.calendar import instant
from core.errors import UnitError
from core.formats import Choices, Chosen, Found, Sample
from core.units import Quantity, unit
from ingest.profiles.drafting import inspect, save, written
from ingest.profiles.load import NAME
from ingest.profiles.topics import TopicError, pattern

END: Final = "."
KINDS: Final = ("cumulative", "gauge", "delta", "interval")


def wizard(*, folder: Path, topic: str | None, sample_file: Path | None, site: str) -> None:
    """Ask, write the profile with its test case into `folder`, and say how to use it."""
    topic = topic or click.prompt("Topic of the sample, as it was published")
    payload = sample_file.read_bytes() if sample_file else _pasted()
    sample = _inspected(topic, payload)
    name = _named()
    title = click.prompt("A title for people", default=name)
    topics, meter, time = _filter(topic), _meter(sample), _time(sample)
    choices = Choices(
        name=name,
        title=title,
        topic=topics,
        meter=meter,
        time=time,
        time_format=sample.times.get(time, "auto"),
        zone=site,
        readings=tuple(_readings(sample)),
    )
    text, read = written(sample, choices, site=site, now=instant(now()))
    click.echo("\nOf the sample it reads:")
    for reading in read["readings"]:
        shown = f"{reading['value']:g} {reading['unit'] or '(unit to be asked)'}"
        at = reading["at"] or "at its arrival"
        click.echo(f"  {reading['meter']}: {reading['quantity']} {reading['register']} {reading['kind']} {shown}, {at}")
    if not click.confirm("Is that right?", default=True):
        sys.exit("nothing is written")
    path = save(folder, name, text)
    click.echo(f"Written: {path}, with this sample as its test case.")
    click.echo(f"Run its test: odecet profiles test --profiles {folder}")


def _pasted() -> bytes:
    click.echo(f"Paste the payload; end with a line that holds only {END} (or Ctrl-D):")
    lines = []
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == END:
            break
        lines.append(line)
    return "".join(lines).strip("\r\n").encode()


def _inspected(topic: str, payload: bytes) -> Sample:
    sample = inspect(topic, payload)
    click.echo(f"It is read as {sample.form}.")
    if sample.lists and sample.form == "json":
        rows = ", ".join(f"{n} = {text}" for n, text in enumerate(sample.lists, 1))
        chosen = click.prompt(
            f"Where are the readings? 0 = the message itself, {rows}",
            type=click.IntRange(0, len(sample.lists)),
            default=0,
        )
        if chosen:
            sample = inspect(topic, payload, sample.lists[chosen - 1])
    return sample


def _named() -> str:
    while True:
        name: str = click.prompt("Name of the profile (small letters, digits, - and _)")
        if NAME.fullmatch(name):
            return name
        click.echo(f"{name!r} is no name.")


def _filter(topic: str) -> str:
    click.echo("Which topics does it read? {name} stands for one level, {name...} for several.")
    levels = topic.split("/")
    proposed = "/".join("{id}" if any(c.isdigit() for c in level) and n else level for n, level in enumerate(levels))
    if proposed.count("{id}") > 1:
        proposed = "/".join(f"{{id{n}}}" if level == "{id}" else level for n, level in enumerate(proposed.split("/")))
    while True:
        text: str = click.prompt("Topic filter", default=proposed)
        try:
            if pattern(text).match(topic) is not None:
                return text
            click.echo(f"{text} does not fit {topic}.")
        except TopicError as err:
            click.echo(str(err))


def _meter(sample: Sample) -> str:
    for name in sample.names:
        click.echo(f"  in the payload: {name}")
    default = sample.names[0] if sample.names else "{$topic.id}" if any(c.isdigit() for c in sample.topic) else ""
    return str(
        click.prompt(
            "Whose reading is it? ({path} of the payload, {$topic.id} of the topic, or a text)", default=default or None
        )
    )


def _time(sample: Sample) -> str:
    default = next(iter(sample.times), "-")
    chosen = str(click.prompt("Where is its time? (a path; - for the time of arrival)", default=default))
    return "" if chosen == "-" else chosen


def _readings(sample: Sample) -> list[Chosen]:
    click.echo("Each number that was found; an empty quantity, or -, leaves it out.")
    chosen = []
    for found in sample.numbers:
        if f"{{{found.path}}}" in sample.names or found.path in sample.times:
            continue
        one = _reading(found)
        if one is not None:
            chosen.append(one)
    return chosen


def _reading(found: Found) -> Chosen | None:
    click.echo(f"\n{found.path or 'value'} = {found.value}")
    names = [str(q) for q in Quantity if q is not Quantity.UNSTATED]
    while True:
        quantity = str(click.prompt("  quantity", default=found.quantity or "-")).strip()
        if quantity == "-":
            return None
        if quantity in names:
            break
        click.echo(f"  one of {', '.join(names)}, or - to leave it out")
    return Chosen(
        path=found.path,
        quantity=quantity,
        unit=_unit(found.unit, quantity),
        kind=click.prompt("  kind", type=click.Choice(KINDS), default=_kind(quantity)),
        register=click.prompt("  register (total, import, export, with /t1 tariff or /l1 phase)", default="total"),
    )


def _kind(quantity: str) -> str:
    counted = {"energy", "reactive_energy", "apparent_energy", "volume", "pulse_count", "heat_cost_units"}
    return "cumulative" if quantity in counted else "gauge"


def _unit(proposed: str, quantity: str) -> str:
    while True:
        text = str(
            click.prompt("  unit (? where the maker states it nowhere: it will be asked for)", default=proposed or None)
        )
        if text == "?":
            return ""
        try:
            found = unit(text)
        except UnitError as err:
            click.echo(f"  {err}")
            continue
        if str(found.quantity) == quantity:
            return text
        click.echo(f"  {text} is a unit of {found.quantity}, not of {quantity}")
