"""The command line of Odečet. Commands load what they need when called, so that each starts fast."""

import sys
from pathlib import Path

import click

from app.cli_backup import backup_command, check_upgrade_command, restore_command
from app.cli_baseline import baseline_command
from app.cli_decode import decode, score_vectors
from app.cli_detect import detect_command
from app.cli_exchange import CONFIG, FILE, export_command, import_command, settings_of
from app.cli_people import people_group
from app.cli_plan import plan_group
from app.cli_profiles import profiles_group
from app.cli_publications import publish_command, verify_command
from app.cli_report import open_data_command, report_command
from app.cli_simulate import replay, simulate
from app.cli_weather import weather
from core.calendar import Period
from core.errors import OdecetError


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


@main.command("curve")
@click.option("--readings", type=FILE, required=True, help="CSV or Parquet: meter,register,at,value,unit (dials).")
@click.option("--meters", type=FILE, help="CSV: meter,digits,max_kw,max_m3_h,allowed_gap_h.")
@click.option("--events", type=FILE, help="CSV: meter,at,kind,final,first,new_meter (swap, reset, rollover).")
@click.option("--period", type=click.Choice([p.value for p in Period]), default="day", show_default=True)
@click.option("--zone", "zone_name", default="Europe/Prague", show_default=True, help="Zone of the calendar periods.")
def curve_command(readings: Path, meters: Path | None, events: Path | None, period: str, zone_name: str) -> None:
    """Print consumption by calendar period from dial readings, a JSON line each."""
    from app.curve import print_curve  # noqa: PLC0415 - each command loads its own

    print_curve(
        sys.stdout.buffer,
        readings=readings,
        meters=meters,
        events=events,
        period=Period(period),
        zone_name=zone_name,
    )


@main.command("demo")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where the demo keeps its data.")
@click.option("--buildings", type=click.IntRange(1, 300), default=12, show_default=True)
@CONFIG
def demo_command(folder: Path | None, buildings: int, config: Path | None) -> None:
    """Run a sample region with live meters on embedded parts; prints the address."""
    from app.demo import demo  # noqa: PLC0415 - each command loads its own

    demo(settings_of(config), folder=folder, buildings=buildings)


def _run(config: Path | None, **parts: bool) -> None:
    from app.process import run  # noqa: PLC0415 - each command loads its own

    run(settings_of(config), **parts)


@main.command("run")
@CONFIG
def run_command(config: Path | None) -> None:
    """Ingest, roll up and serve, all in this process."""
    _run(config, ingest=True, worker=True, api=True)


@main.command("ingest")
@CONFIG
def ingest_command(config: Path | None) -> None:
    """Take readings from the broker into the store."""
    _run(config, ingest=True)


@main.command("worker")
@CONFIG
def worker_command(config: Path | None) -> None:
    """Keep the roll-ups up to date."""
    _run(config, worker=True)


@main.command("api")
@CONFIG
def api_command(config: Path | None) -> None:
    """Serve the API and the pages."""
    _run(config, api=True)


@main.command("check-config")
@click.argument("file", type=FILE, required=False)
@CONFIG
def check_config_command(file: Path | None, config: Path | None) -> None:
    """Check the settings of FILE (or --config, ODECET_CONFIG, odecet.toml), environment, tables and profiles."""
    from app.dated_tables import region_tables  # noqa: PLC0415 - each command loads its own
    from app.profiles import all_profiles  # noqa: PLC0415 - same

    settings = settings_of(file or config)
    region_tables(settings)
    ingest = settings.ingest
    all_profiles(ingest.profiles_folder, site=settings.calendar.zone, without=ingest.profiles_off)
    for path, value in settings.shown():
        click.echo(f"{path} = {value}")


main.add_command(backup_command)
main.add_command(restore_command)
main.add_command(check_upgrade_command)
main.add_command(baseline_command)
main.add_command(detect_command)
main.add_command(import_command)
main.add_command(export_command)
main.add_command(simulate)
main.add_command(replay)
main.add_command(weather)
main.add_command(decode)
main.add_command(score_vectors)
main.add_command(profiles_group)
main.add_command(people_group)
main.add_command(plan_group)
main.add_command(publish_command)
main.add_command(verify_command)
main.add_command(report_command)
main.add_command(open_data_command)
