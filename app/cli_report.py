"""`odecet report` and `odecet open-data`: what is told, as files. The commands load what they need when called."""

import sys
from pathlib import Path
from typing import Any

import click

from app.cli_exchange import CONFIG, settings_of
from core.plan import ReportKind

FORMATS = ("docx", "xlsx", "csv", "json", "html")


@click.command("report")
@click.argument("kind", type=click.Choice([one.value for one in ReportKind]))
@click.argument("period")
@click.option("--format", "form", type=click.Choice(FORMATS), default="docx", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File, - for standard output.")
@click.option("--open", "open_state", is_flag=True, help="As it is now, though it is published.")
@CONFIG
def report_command(
    kind: str,
    period: str,
    config: Path | None,
    **how: Any,  # noqa: ANN401 - options of click
) -> None:
    """Write the report of KIND for PERIOD: annual 2025, mid-year 2026, closing 2024-2026."""
    from app.reporting import write_report  # noqa: PLC0415 - each command loads its own

    write_report(settings_of(config), kind, period, **how)


@click.command("open-data")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@CONFIG
def open_data_command(folder: Path, config: Path | None) -> None:
    """Write all open data into FOLDER and check their records; exit code 1 where a rule is not kept."""
    from app.open_data import write_open_data  # noqa: PLC0415 - each command loads its own

    if not write_open_data(settings_of(config), folder):
        sys.exit(1)
