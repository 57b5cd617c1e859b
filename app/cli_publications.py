"""The commands of publications: publish and verify."""

import sys
from pathlib import Path

import click

from app.cli_exchange import CONFIG, settings_of

KINDS = click.Choice(["annual", "mid-year", "closing"])


@click.command("publish")
@click.argument("kind", type=KINDS)
@click.argument("period")
@click.option("--by", default="", help="Who publishes (default: the user of this machine).")
@click.option("--note", default="", help="What is to be known of it; a new version must say why.")
@click.option(
    "--exception", "exceptions", multiple=True, help="area:ID=WHY or indicator:ID=WHY: published though not checked."
)
@click.option("--cutoff", default="", help="Instant up to which readings count, with offset (default: now).")
@CONFIG
def publish_command(  # noqa: PLR0917 - its options
    kind: str, period: str, by: str, note: str, exceptions: tuple[str, ...], cutoff: str, config: Path | None
) -> None:
    """Freeze the report of KIND and PERIOD (2025, of a closing one 2024-2026) with all that it rests on."""
    from app.publications import publish_report  # noqa: PLC0415 - each command loads its own

    publish_report(settings_of(config), kind, period, by, note, exceptions, cutoff)


@click.command("verify")
@click.argument("publication")
@CONFIG
def verify_command(publication: str, config: Path | None) -> None:
    """Compute PUBLICATION (as annual-2025-v1) again from its cut-off and versions; exit code 1 where it differs."""
    from app.publications import verify_publication  # noqa: PLC0415 - each command loads its own

    if not verify_publication(settings_of(config), publication):
        sys.exit(1)
