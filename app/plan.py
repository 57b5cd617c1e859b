"""`odecet plan`: the action plan loaded from a file and shown; the one that ships into a store without a plan."""

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import click

from app.clock import now
from config.action_plan import load_plan
from config.settings import Settings
from core.errors import InputError
from core.plan import Indicator
from core.ports import RecordStore
from services.plan import PlanTree, load, load_first, tree
from services.register import By
from storage.records import SqlRecordStore

BY_US: Final = "odecet"


def load_shipped(records: RecordStore) -> None:
    """Load the plan that ships into a store that has none."""
    load_first(records, load_plan(), By(by=BY_US, now=now(), why="the plan that ships"))


@contextmanager
def _opened(settings: Settings) -> Iterator[RecordStore]:
    settings.data.folder.mkdir(parents=True, exist_ok=True)
    with closing(SqlRecordStore(settings.records_url())) as records:
        records.start()
        yield records


def load_file(settings: Settings, file: Path, *, by: str, why: str) -> None:
    """Add or replace what a file says of the plan; with an error nothing is changed."""
    if not file.exists():
        raise InputError("file is not there", place=str(file), remedy="check the path")
    plan = load_plan(file)
    act = By(by=by or getpass.getuser(), now=now(), why=why)
    with _opened(settings) as records:
        done = load(records, plan, act)
    click.echo(f"{file}: {len(plan)} rows, {len(done.saved)} of them new or changed")


def show(settings: Settings) -> None:
    """Print the plan: goals, and areas with their activities, projects and indicators."""
    with _opened(settings) as records:
        found = tree(records)
    if found.empty:
        click.echo("there is no plan yet; load one: odecet plan load FILE")
    for line in lines(found):
        click.echo(line)


def lines(found: PlanTree) -> list[str]:
    """Return the plan in lines of text."""
    told = [f"{goal.id}  {goal.name}" for goal in found.goals]
    for branch in found.areas:
        area = branch.area
        told += ["", f"{area.id}  {area.name} ({area.priority_area}; {', '.join(area.goals) or '-'})"]
        told += [f"  guarantor: {area.guarantor}"] if area.guarantor else []
        for one in branch.activities:
            told.append(f"  {one.activity.id}  {one.activity.name}")
            told += [f"    {project.id}  {project.name} ({project.state})" for project in one.projects]
        told += [f"  {_indicator(indicator)}" for indicator in branch.indicators]
    return told


def _indicator(indicator: Indicator) -> str:
    units = ", ".join(dict.fromkeys(figure.unit for figure in indicator.figures if figure.unit))
    return f"{indicator.id}  {indicator.name} [{units or '-'}] {indicator.method or 'by hand'}"
