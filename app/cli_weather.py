"""The commands of weather stations: import and fetch."""

from pathlib import Path

import click

from app.cli_exchange import CONFIG, FILE, settings_of

STATION = click.option("--station", required=True, help="Id of the station in the register.")


@click.group("weather")
def weather() -> None:
    """Bring in the outdoor temperatures of a weather station."""


@weather.command("import")
@click.argument("file", type=FILE)
@STATION
@click.option("--zone", default="", help="Zone of times without offset (default: the setting calendar.zone).")
@CONFIG
def import_command(file: Path, station: str, zone: str, config: Path | None) -> None:
    """Store the temperatures of a CSV FILE (times or days, and °C) as those of a station."""
    from app.weather import import_file  # noqa: PLC0415 - each command loads its own

    import_file(settings_of(config), file, station=station, zone=zone)


@weather.command("fetch")
@STATION
@click.option("--from", "first", default="", help="First day (default: 1 January of weather.since_year).")
@CONFIG
def fetch_command(station: str, first: str, config: Path | None) -> None:
    """Fetch a station's temperatures from Open-Meteo's archive; the setting weather.fetch must be on."""
    from app.weather import fetch  # noqa: PLC0415 - each command loads its own

    settings = settings_of(config)
    fetch(settings, station=station, first=first or f"{settings.weather.since_year}-01-01")
