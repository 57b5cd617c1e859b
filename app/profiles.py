"""The profiles of an installation: those in TOML, and the few that are code because their format has a state."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.sections import DiscoverySettings
from core.errors import OdecetError
from ingest.discovery.home_assistant import HomeAssistantProfile
from ingest.discovery.homie import HomieProfile
from ingest.discovery.zigbee2mqtt import Zigbee2MqttProfile
from ingest.keepalive import KeepAlive, Speaker
from ingest.keepalive_rules import rules_of
from ingest.native import NativeProfile
from ingest.profile import Profile
from ingest.profiles.catalog import catalog
from ingest.profiles.shelf import ProfileShelf
from ingest.sparkplug_profile import SparkplugProfile

log = logging.getLogger(__name__)

LOOKED_EVERY_S: Final = 5.0


def fixed_profiles(discovery: DiscoverySettings | None = None, *, without: Sequence[str] = ()) -> list[Profile]:
    """Return the profiles that are code, Odečet's own payload first, then what describes itself."""
    describing = [p for p in _describing(discovery or DiscoverySettings()) if p.name not in without]
    return [NativeProfile(), SparkplugProfile(), *describing]


def _describing(settings: DiscoverySettings) -> list[Profile]:
    """Return the profiles of discovery; a setting that is empty switches one off."""
    found: list[Profile] = []
    if settings.home_assistant:
        found.append(HomeAssistantProfile(prefix=settings.home_assistant))
    if settings.zigbee2mqtt:
        found.append(Zigbee2MqttProfile(roots=settings.zigbee2mqtt))
    if settings.homie:
        found.append(HomieProfile(roots=settings.homie))
    return found


def speakers_of(shelf: ProfileShelf) -> list[Speaker]:
    """Return what publishes to sources: keep-alives of the profiles that hold, rebirths of Sparkplug nodes."""
    keep_alive = KeepAlive(rules_of(shelf.profiles))
    shelf.users(lambda profiles: keep_alive.use(rules_of(profiles)))
    return [keep_alive, *sparkplugs(shelf)]


def sparkplugs(shelf: ProfileShelf) -> list[SparkplugProfile]:
    """Return the profiles that know nodes of Sparkplug."""
    return [profile for profile in shelf.profiles if isinstance(profile, SparkplugProfile)]


def all_profiles(folder: Path | None, *, site: str, without: Sequence[str] = ()) -> list[Profile]:
    """Return every profile, ready to read; raise ProfileError for a mistake in a file."""
    return [*fixed_profiles(without=without), *catalog(folder, site=site, without=without).profiles]


class ProfileWatch:
    """Looks now and then whether the operator's profiles changed: another process may have saved one."""

    def __init__(self, shelf: ProfileShelf, *, every_s: float = LOOKED_EVERY_S) -> None:
        self._shelf = shelf
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="profiles", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                if self._shelf.refresh():
                    log.info("the folder of profiles changed; messages are read by it from now on")
            except (OdecetError, OSError) as err:
                log.error("the folder of profiles has a mistake; those that held stay in force: %s", err)  # noqa: TRY400 - the text says it all
