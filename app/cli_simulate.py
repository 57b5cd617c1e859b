"""The commands of testers: simulate and replay."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

from core.calendar import zone
from core.errors import InputError

FILE = click.Path(dir_okay=False, path_type=Path)


class Moment(click.ParamType[datetime]):
    """An instant: ISO 8601 with offset, or a local day or time of Europe/Prague."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 - click's signature
        """Return the instant, aware."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant: write 2026-01-31 or 2026-01-31T12:00:00+01:00", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=zone("Europe/Prague"))).astimezone(UTC)


BROKER = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Broker to publish to."),
    click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True),
    click.option("--username", default="", help="User at the broker."),
    click.option("--password-file", type=FILE, help="File that holds the password."),
    click.option("--ca", default="", help="Certificates to trust (PEM), or 'system': publish over TLS."),
)


def broker_options(command: Any) -> Any:  # noqa: ANN401 - any command
    """Add the options of the broker to a command."""
    for option in reversed(BROKER):
        command = option(command)
    return command


def broker_of(given: dict[str, Any]) -> Any:  # noqa: ANN401 - loaded when needed
    """Return the broker that the options name, taken out of them."""
    from simulators.publish import Broker  # noqa: PLC0415 - each command loads its own

    file = given.pop("password_file")
    if file is not None and not file.exists():
        raise InputError("file is not there", place=f"--password-file {file}", remedy="check the path")
    password = file.read_text(encoding="utf-8").strip() if file else ""
    named = {name: given.pop(name) for name in ("host", "port", "username")}
    return Broker(**named, password=password, ca_file=given.pop("ca"))


@click.command("simulate")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same meters.")
@click.option("--buildings", type=click.IntRange(1, 300), default=12, show_default=True)
@click.option("--faults/--no-faults", default=True, show_default=True, help="Leaks, swaps, gaps, glitches and others.")
@click.option("--from", "start", type=Moment(), help="Begin of the history, or of live simulation (default: now).")
@click.option("--to", "end", type=Moment(), help="End; live simulation without it goes on.")
@click.option("--files", type=click.Path(file_okay=False, path_type=Path), help="Write files with the ground truth.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--history", is_flag=True, help="Publish the span at once instead of as time passes.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Simulated seconds a second.")
@click.option("--cursor", type=FILE, help="File that remembers how far a history was published.")
@click.option("--per-message", type=click.IntRange(1, 5000), default=50, show_default=True)
@broker_options
def simulate(**given: Any) -> None:  # noqa: ANN401 - options of click
    """Simulate the meters of a seeded region: into files, as history over MQTT, or live at any speed."""
    from app import simulate as work  # noqa: PLC0415 - each command loads its own

    broker = broker_of(given)
    region = work.Region(seed=given["seed"], buildings=given["buildings"], faults=given["faults"])
    start, end = given["start"], given["end"]
    if given["files"] is None and not given["history"]:
        work.simulate_live(region, broker, given["speed"], start, end)
        return
    if start is None or end is None:
        raise InputError("a history needs --from and --to", remedy="write them as 2026-01-31")
    if given["files"] is not None:
        form: Literal["csv", "parquet"] = given["form"]
        work.simulate_files(region, given["files"], start, end, form)
    else:
        work.simulate_history(region, broker, start, end, cursor=given["cursor"], per_message=given["per_message"])


@click.command("replay")
@click.argument("file", type=FILE)
@click.option("--what", type=click.Choice(["amounts", "dials"]), default="amounts", show_default=True)
@click.option("--unit", default="", help="Unit of the values, where no column tells: kWh, m³, l ...")
@click.option("--register", default="energy.total", show_default=True)
@click.option("--zone", default="UTC", show_default=True, help="Zone of instants without offset.")
@click.option("--stamp", type=click.Choice(["start", "end"]), default="start", show_default=True)
@click.option("--first-dial", type=float, default=0.0, show_default=True, help="Dial before the first amount.")
@click.option("--gaps", type=click.Choice(["closed", "open"]), default="closed", show_default=True)
@click.option("--zero-is-missing", is_flag=True, help="The source writes 0 where nothing was measured.")
@click.option("--negative", type=click.Choice(["refuse", "skip"]), default="refuse", show_default=True)
@click.option("--meter", "meters", multiple=True, help="Only these columns or meters.")
@click.option("--prefix", default="", help="Put before the names of meters.")
@click.option("--time-column", default="")
@click.option("--meter-column", default="")
@click.option("--value-column", default="")
@click.option("--cursor", type=FILE, help="File that remembers how far the table was published.")
@click.option("--per-message", type=click.IntRange(1, 5000), default=50, show_default=True)
@broker_options
def replay(file: Path, **given: Any) -> None:  # noqa: ANN401 - options of click
    """Publish real data of a CSV or Parquet FILE as meter dials over MQTT; every value is acknowledged."""
    from app import simulate as work  # noqa: PLC0415 - each command loads its own
    from simulators.replay import ReplayOptions  # noqa: PLC0415 - each command loads its own

    broker, cursor, per_message = broker_of(given), given.pop("cursor"), given.pop("per_message")
    zone(given["zone"])
    work.replay(file, ReplayOptions(**given), broker, cursor, per_message)
