"""`odecet people` on the command line: for whoever may write the record store."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli_exchange import CONFIG, settings_of

if TYPE_CHECKING:
    from app.people_desk import Desk

ORGANISATION = click.option("--organisation", "organisations", multiple=True, help="Within this organisation.")
BUILDING = click.option("--building", "buildings", multiple=True, help="Within this building.")
AREA = click.option("--area", "areas", multiple=True, help="For this area of the plan (guarantors).")
ROLE = click.option("--role", required=True, help="administrator, energy_manager, facility_staff, coordinator, ...")


@contextmanager
def _desk(config: Path | None) -> Iterator["Desk"]:
    from app.people_desk import open_desk  # noqa: PLC0415 - each command loads its own

    with open_desk(settings_of(config)) as desk:
        yield desk


@click.group("people")
def people_group() -> None:
    """People who come in, their links and keys of programs."""


@people_group.command("list")
@CONFIG
def list_command(config: Path | None) -> None:
    """Print everybody with their roles."""
    with _desk(config) as desk:
        for line in desk.people():
            click.echo(line)


@people_group.command("add")
@click.argument("person")
@click.option("--name", required=True, help="How they are called.")
@click.option("--mail", default="", help="Their mail address.")
@ROLE
@ORGANISATION
@BUILDING
@AREA
@CONFIG
def add_command(
    *,
    person: str,
    name: str,
    mail: str,
    role: str,
    organisations: tuple[str, ...],
    buildings: tuple[str, ...],
    areas: tuple[str, ...],
    config: Path | None,
) -> None:
    """Add PERSON and print the link by which they set their password."""
    with _desk(config) as desk:
        grant = desk.grant(role, organisations, buildings, areas)
        click.echo(desk.add(person, name, mail, grant))


@people_group.command("link")
@click.argument("person")
@CONFIG
def link_command(person: str, config: Path | None) -> None:
    """Print a new link by which PERSON sets their password; the one before is void."""
    with _desk(config) as desk:
        click.echo(desk.link(person))


@people_group.command("key")
@click.argument("name")
@ROLE
@ORGANISATION
@BUILDING
@click.option("--days", type=click.IntRange(min=1), help="So long it holds (default: for good).")
@CONFIG
def key_command(
    *,
    name: str,
    role: str,
    organisations: tuple[str, ...],
    buildings: tuple[str, ...],
    days: int | None,
    config: Path | None,
) -> None:
    """Make a key for the program NAME and print it, this once."""
    with _desk(config) as desk:
        key, secret = desk.key(name, desk.grant(role, organisations, buildings), days)
        click.echo(f"key {key}, kept nowhere else:", file=sys.stderr)
        click.echo(secret)


@people_group.command("revoke")
@click.argument("key")
@CONFIG
def revoke_command(key: str, config: Path | None) -> None:
    """Let the key of the id KEY open nothing any more."""
    with _desk(config) as desk:
        desk.revoke(key)
        click.echo(f"key {key} opens nothing any more")
