"""`odecet detect` on the command line."""

import sys
from pathlib import Path

import click

from app.cli_exchange import FILE


@click.command("detect")
@click.option("--readings", type=FILE, required=True, help="CSV or Parquet: meter,register,at,value,unit, or wide.")
@click.option("--commodity", type=click.Choice(["water", "electricity", "gas", "heat"]), required=True)
@click.option("--zone", default="Europe/Prague", show_default=True, help="Zone of nights, weekends and bare times.")
@click.option("--from", "start", default="", help="Leave out what ended before; learning still sees it.")
@click.option("--to", "end", default="", help="Look at nothing after it, as if it were now.")
@click.option("--unit", default="", help="Unit where no column tells it (default: m³ of water, else kWh).")
@click.option("--kind", type=click.Choice(["auto", "dial", "interval"]), default="auto", show_default=True)
@click.option("--reserved-kw", type=click.FloatRange(min=0), help="Reserved capacity [kW] of the quarter-hours.")
@click.option("--temperature", type=FILE, help="CSV or Parquet: at,temp_c; asks the baseline of the year before too.")
def detect_command(
    *,
    readings: Path,
    commodity: str,
    zone: str,
    start: str,
    end: str,
    unit: str,
    kind: str,
    reserved_kw: float | None,
    temperature: Path | None,
) -> None:
    """Print what is wrong with meters, pipes and buildings, a JSON line each."""
    from analytics.baseline.cleaning import Commodity  # noqa: PLC0415 - each command loads its own
    from app.detect import Question, print_findings  # noqa: PLC0415 - each command loads its own

    print_findings(
        sys.stdout.buffer,
        readings,
        Question(
            commodity=Commodity(commodity),
            zone_name=zone,
            start=start,
            end=end,
            unit=unit,
            kind=kind,
            reserved_kw=reserved_kw,
            temperature=temperature,
        ),
    )
