"""`odecet baseline` on the command line."""

import sys
from pathlib import Path

import click

from app.cli_exchange import FILE
from core.errors import InputError

CALENDARS = ("cz", "uk", "no", "us", "none")
COMMODITIES = ("electricity", "gas", "heat", "water")


@click.command("baseline")
@click.option("--consumption", type=FILE, required=True, help="CSV or Parquet: meter,at,kwh, or a column a meter.")
@click.option("--temperature", type=FILE, help="CSV or Parquet: at,temp_c. Without it the calendar alone explains.")
@click.option("--train", required=True, metavar="FROM/TO", help="Days to learn from: 2024-01-01/2024-12-31.")
@click.option("--predict", required=True, metavar="FROM/TO", help="Days to compare: 2025-01-01/2025-12-31.")
@click.option("--calendar", type=click.Choice(CALENDARS), default="cz", show_default=True)
@click.option("--commodity", type=click.Choice(COMMODITIES), default="electricity", show_default=True)
@click.option("--daily", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write days as CSV.")
@click.option("--day-types", type=FILE, help="Operating modes of days: date and a column a mode (0 or 1).")
@click.option("--zone", help="Zone of the local days; by the calendar where left out.")
def baseline_command(
    *,
    consumption: Path,
    temperature: Path | None,
    train: str,
    predict: str,
    calendar: str,
    commodity: str,
    daily: Path | None,
    day_types: Path | None,
    zone: str | None,
) -> None:
    """Print what each meter would have used, what it saved, and how sure that is, a JSON line each."""
    from analytics.baseline.cleaning import Commodity  # noqa: PLC0415 - each command loads its own
    from app.baseline import Files, Question, print_baselines  # noqa: PLC0415 - each command loads its own

    if daily is not None and not daily.parent.is_dir():
        raise InputError(f"folder {daily.parent} is not there", place="--daily", remedy="make it first")
    print_baselines(
        sys.stdout.buffer,
        Files(consumption=consumption, temperature=temperature, day_types=day_types, daily=daily),
        Question(train=train, predict=predict, calendar=calendar, commodity=Commodity(commodity), zone_name=zone),
    )
