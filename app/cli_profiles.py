"""The commands that concern profiles: list, test, new."""

import sys
from pathlib import Path

import click

from app.cli_decode import FOLDER, SITE

FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group("profiles")
def profiles_group() -> None:
    """Show what formats are read, and add one."""


@profiles_group.command("list")
@FOLDER
@SITE
def list_command(profiles: Path | None, site: str) -> None:
    """Print every profile with its topics, and which two read the same with equal right."""
    from app.profile_lists import overlaps, shown  # noqa: PLC0415 - each command loads its own

    for name, title, origin, topics in shown(profiles, site=site):
        click.echo(f"{name:24} {origin:8} {title}")
        for topic in topics:
            click.echo(f"{'':24} {topic}")
    for one, other, topic in overlaps(profiles, site=site):
        click.echo(f"overlap: {one} and {other} both read {topic}; where both claim a payload it becomes a dead letter")


@profiles_group.command("test")
@click.argument("names", nargs=-1)
@FOLDER
@SITE
def test_command(names: tuple[str, ...], profiles: Path | None, site: str) -> None:
    """Run the test cases that stand in profiles (NAMES, or all of them)."""
    from app.profile_lists import tried  # noqa: PLC0415 - each command loads its own

    trials = tried(profiles, names, site=site)
    for trial in trials:
        for fault in trial.faults:
            click.echo(f"{trial.profile}, line {trial.line}, {trial.topic}: {fault}")
    bad = sum(1 for trial in trials if trial.faults)
    click.echo(f"{len(trials)} cases, {len(trials) - bad} as expected, {bad} not")
    if bad:
        sys.exit(1)


@profiles_group.command("new")
@click.option(
    "--profiles",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("profiles"),
    show_default=True,
    help="Folder of your own profiles.",
)
@click.option("--topic", help="Topic of the sample.")
@click.option("--sample", type=FILE, help="File with the payload, instead of pasting it.")
@SITE
def new_command(folder: Path, topic: str | None, sample: Path | None, site: str) -> None:
    """Make a profile from a pasted sample: finds the numbers, asks what they mean, writes the file with its test."""
    from app.profile_wizard import wizard  # noqa: PLC0415 - each command loads its own

    wizard(folder=folder, topic=topic, sample_file=sample, site=site)
