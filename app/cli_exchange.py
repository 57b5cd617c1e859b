"""The commands that carry things in and out: import and export."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.calendar import Period
from core.errors import InputError

if TYPE_CHECKING:
    from config.settings import Settings

FILE = click.Path(dir_okay=False, path_type=Path)
CONFIG = click.option("--config", type=FILE, help="TOML file of settings; odecet.toml where there is one.")


def settings_of(config: Path | None) -> "Settings":
    """Return the settings of a file and the environment, the log set up as they say."""
    from app.journal import set_up_log  # noqa: PLC0415 - fast start of commands that need none
    from config.settings import load_settings  # noqa: PLC0415 - same

    settings = load_settings(config)
    set_up_log(settings.log.level, settings.log.format)
    return settings


class Importing(click.Group):
    """`odecet import FILE` imports the register, as it did before there was more to import."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take words that begin with no command for the register's."""
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["register", *args]
        return super().parse_args(ctx, args)


@click.group("import", cls=Importing)
def import_command() -> None:
    """Import the register (FILE), or readings (readings FILE); undo an import (undo ID)."""


@import_command.command("readings")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only tell what would be stored, and what is wrong.")
@click.option("--mapping", default="", help="JSON, or a file of it: what the columns mean.")
@click.option("--partial", is_flag=True, help="Leave rows with errors out instead of refusing the file.")
@click.option("--by", default="", help="Who imports (default: the user of this machine).")
@click.option("--why", default="", help="Why; it stands in the audit trail.")
@CONFIG
def import_readings_command(file: Path, config: Path | None, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Import hand readings, invoices, load profiles or any table of readings from an XLSX or CSV FILE."""
    from app import reading_files  # noqa: PLC0415 - each command loads its own

    reading_files.import_readings(settings_of(config), file, **given)


@import_command.command("undo")
@click.argument("number", metavar="ID")
@click.option("--by", default="", help="Who undoes it (default: the user of this machine).")
@click.option("--why", default="", help="Why; it stands in the audit trail.")
@CONFIG
def undo_import_command(number: str, config: Path | None, by: str, why: str) -> None:
    """Undo an import: of the register or of readings, everything is as it was before."""
    from app import reading_files  # noqa: PLC0415 - each command loads its own

    reading_files.undo_any(settings_of(config), number, by=by, why=why)


@import_command.command("register")
@click.argument("file", type=FILE, required=False)
@click.option("--dry-run", is_flag=True, help="Only tell what would change, and what is wrong.")
@click.option("--undo", help="Undo the import with this id.")
@click.option("--by", default="", help="Who imports (default: the user of this machine).")
@click.option("--why", default="", help="Why; it stands in the audit trail.")
@CONFIG
def import_register_command(file: Path | None, undo: str | None, config: Path | None, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Import organisations, buildings, points, meters and swaps from an XLSX or CSV FILE."""
    from app import exchange  # noqa: PLC0415 - each command loads its own

    if (file is None) == (undo is None):
        raise InputError("import takes a file, or --undo with an id", remedy="give one of them")
    settings = settings_of(config)
    if file is not None:
        exchange.import_register(settings, file, **given)
    elif undo is not None:
        exchange.undo(settings, undo, by=given["by"], why=given["why"])


@click.command("export")
@click.argument("file", type=FILE)
@click.option(
    "--what", type=click.Choice(["register", "consumption", "readings"]), default="register", show_default=True
)
@click.option("--language", type=click.Choice(["cs", "en"]), default="cs", show_default=True, help="Of the register.")
@click.option("--point", "points", multiple=True, help="Points of consumption or readings (default: all).")
@click.option("--period", type=click.Choice([p.value for p in Period]), default="month", show_default=True)
@click.option("--from", "start", help="Begin of consumption or readings, such as 2026-01-01.")
@click.option("--to", "end", help="End of consumption or readings, not included.")
@CONFIG
def export_command(file: Path, what: str, config: Path | None, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Write the register to FILE (.xlsx, or a .csv of one kind), or consumption or readings as CSV."""
    from app import exchange  # noqa: PLC0415 - each command loads its own

    settings = settings_of(config)
    if what == "register":
        exchange.export(settings, file, language=given["language"])
        return
    if not (given["start"] and given["end"]):
        raise InputError(f"{what} need --from and --to", remedy="write them as 2026-01-01")
    question: dict[str, str | list[str]] = {"from": given["start"], "to": given["end"], "format": "csv"}
    question |= {"point": list(given["points"])} if given["points"] else {}
    question |= {"period": given["period"]} if what == "consumption" else {"limit": "10000"}
    exchange.export_answer(settings, file, f"/api/v1/{what}", question)
