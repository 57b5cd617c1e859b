"""`odecet report`: a report of the action plan as a file. The command loads what it needs when called."""

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
