"""A real Mosquitto that keeps its sessions over a kill."""

import os
from pathlib import Path

from tests.servers.process import ServerProcess, free_port, program

CONFIGURATION = """\
listener {port} 127.0.0.1
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval {changes}
max_queued_messages 1000000
max_inflight_messages 10000
{extra}
"""


def mosquitto(folder: Path, *, conf_extra: str = "", port: int | None = None, changes: int = 1) -> ServerProcess:
    """Return a broker on a free port with its data in `folder`; not yet started.

    It writes its whole database to disk after so many `changes`: with 1 a kill loses nothing, at some 50 messages a
    second while there is a queue. Messages in flight to a connected client are in memory alone whatever is set, so
    their number is below what an ingester takes: it has them in hand when the broker dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    file = folder / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    anonymous = "" if "allow_anonymous" in conf_extra else "allow_anonymous true\n"
    file.write_text(
        CONFIGURATION.format(port=chosen, folder=folder, changes=changes, extra=user + anonymous + conf_extra)
    )
    return ServerProcess("mosquitto", [program("mosquitto"), "-c", str(file)], folder=folder, port=chosen)
