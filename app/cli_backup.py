"""The commands that keep data safe: backup, restore, check-upgrade."""

from pathlib import Path

import click

from app.cli_exchange import CONFIG, FILE, settings_of


@click.command("backup")
@click.argument("file", type=FILE, required=False)
@CONFIG
def backup_command(file: Path | None, config: Path | None) -> None:
    """Back up all stores into FILE while everything runs (default: a dated name in backup.folder)."""
    from app import backup_now  # noqa: PLC0415 - each command loads its own

    backup_now.make_backup(settings_of(config), file)


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--check", is_flag=True, help="Only tell whether the backup is whole, and what is in it.")
@click.option("--replace", is_flag=True, help="Put it in the place of what is there; the former file is kept aside.")
@CONFIG
def restore_command(file: Path, config: Path | None, *, check: bool, replace: bool) -> None:
    """Put the backup FILE into the empty stores of the settings, of whatever kind they are."""
    from app import backup_restore  # noqa: PLC0415 - each command loads its own

    settings = settings_of(config)
    if check:
        backup_restore.check(file)
        return
    backup_restore.restore(settings, file, replace=replace)


@click.command("check-upgrade")
@click.option("--backup", type=FILE, help="Make this backup first, of the stores as they are.")
@CONFIG
def check_upgrade_command(backup: Path | None, config: Path | None) -> None:
    """Say what starting this version would do to the stores; refuse where they are newer."""
    from app.backup_now import make_backup  # noqa: PLC0415 - each command loads its own
    from app.upgrade import check_upgrade  # noqa: PLC0415 - same

    settings = settings_of(config)
    if backup is not None:
        make_backup(settings, backup)
    check_upgrade(settings)
