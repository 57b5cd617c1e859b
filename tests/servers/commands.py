"""Commands of Odečet run in this process: nothing is loaded twice, so many of them cost little."""

import contextlib
import logging
import subprocess
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from app.cli import main


def run_here(
    *words: str, cwd: Path, environment: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as a process of its own would be; raise what it does not tell by its exit code."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with contextlib.chdir(cwd):
            done = CliRunner(env=environment).invoke(main, words, input=stdin, prog_name="odecet")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
