"""The commands that read messages: decode, and what concerns profiles."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import InputError

if TYPE_CHECKING:
    from app.vector_score import Score

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.option(
    "--profiles",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your own profiles, beside the bundled.",
)
COLUMNS = {"vectors": 7, "required": 8, "right": 6, "missing": 7, "wrong": 5, "ignored": 9, "explained": 9}
SITE = click.option("--zone", "site", default="Europe/Prague", show_default=True, help="Zone of times without offset.")


@click.command("decode")
@click.option("--topic", help="Topic of the message; its payload comes on standard input.")
@click.option("--vectors", type=FILE, help="JSON file of messages with expected readings: a line each.")
@FOLDER
@SITE
def decode(topic: str | None, vectors: Path | None, profiles: Path | None, site: str) -> None:
    """Print what would be read of a message, or why not, as JSON lines."""
    from app.decode import print_message, print_vectors  # noqa: PLC0415 - each command loads its own

    if (topic is None) == (vectors is None):
        raise InputError(
            "decode takes a topic, or a file of vectors", remedy="give --topic T < payload, or --vectors FILE"
        )
    out = sys.stdout.buffer
    if vectors is not None:
        print_vectors(out, vectors, profiles=profiles, site=site)
    elif not print_message(out, str(topic), sys.stdin.buffer.read(), profiles=profiles, site=site):
        sys.exit(1)


@click.command("score-vectors")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--notes/--no-notes", default=True, help="Tell each vector that is not as expected.")
@FOLDER
@SITE
def score_vectors(files: tuple[Path, ...], *, notes: bool, profiles: Path | None, site: str) -> None:
    """Print for vector FILES how many required readings come out right, missing or wrong."""
    from app.decode import scored  # noqa: PLC0415 - each command loads its own

    scores = scored(files, profiles=profiles, site=site)
    for one in scores:
        if notes:
            for note in one.notes:
                click.echo(f"  {one.name}: {note}")
    click.echo(f"{'set':18} " + " ".join(f"{name:>{width}}" for name, width in COLUMNS.items()))
    for one in scores:
        _print(one)


def _print(one: "Score") -> None:
    click.echo(
        f"{one.name:18} {one.vectors:7} {one.required:8} {one.right:6} {one.missing:7} {one.wrong:5} "
        f"{f'{one.ignored}/{one.ignorable}':>9} {f'{one.explained}/{one.unread}':>9}"
    )
