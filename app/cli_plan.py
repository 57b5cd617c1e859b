"""The commands of the action plan: load and show."""

from pathlib import Path

import click

from app.cli_exchange import CONFIG, FILE, settings_of


@click.group("plan")
def plan_group() -> None:
    """Load the action plan (load FILE), or show it (show)."""


@plan_group.command("load")
@click.argument("file", type=FILE)
@click.option("--by", default="", help="Who loads it (default: the user of this machine).")
@click.option("--why", default="", help="Why; it stands in the audit trail.")
@CONFIG
def load_command(file: Path, config: Path | None, by: str, why: str) -> None:
    """Add or replace the goals, areas, activities, projects and indicators of a TOML FILE; the others stay."""
    from app import plan  # noqa: PLC0415 - each command loads its own

    plan.load_file(settings_of(config), file, by=by, why=why)


@plan_group.command("show")
@CONFIG
def show_command(config: Path | None) -> None:
    """Print goals, areas, activities, projects and indicators as they stand."""
    from app import plan  # noqa: PLC0415 - each command loads its own

    plan.show(settings_of(config))
