"""The command line of Odečet. Commands load what they need when called, so that each starts fast."""

import sys
from pathlib import Path

import click

from core.calendar import Period
from core.errors import OdecetError

FILE = click.Path(exists=False, dir_okay=False, path_type=Path)


class Shell(click.Group):
    """A group whose commands end with one clear line where input or settings are wrong."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error of ours is shown without a traceback, exit code 2."""
        try:
            return super().invoke(ctx)
        except OdecetError as err:
            click.echo(f"odecet: {err}", err=True)
            sys.exit(2)


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="odecet", prog_name="odecet")
def main() -> None:
    """Odečet: energy and water monitoring for public buildings."""


@main.command()
@click.option("--readings", type=FILE, required=True, help="CSV or Parquet: meter,register,at,value,unit (dials).")
@click.option("--meters", type=FILE, help="CSV: meter,digits,max_kw,max_m3_h,allowed_gap_h.")
@click.option("--events", type=FILE, help="CSV: meter,at,kind,final,first,new_meter (swap, reset, rollover).")
@click.option("--period", type=click.Choice([p.value for p in Period]), default="day", show_default=True)
@click.option("--zone", "zone_name", default="Europe/Prague", show_default=True, help="Zone of the calendar periods.")
def curve(readings: Path, meters: Path | None, events: Path | None, period: str, zone_name: str) -> None:
    """Print consumption by calendar period from dial readings, a JSON line each."""
    from app import curve as command  # noqa: PLC0415 - each command loads its own

    command.curve(
        click.get_binary_stream("stdout"),
        readings=readings,
        meters=meters,
        events=events,
        period=Period(period),
        zone_name=zone_name,
    )
