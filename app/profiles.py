"""The profiles of an installation: those in TOML, and the few that are code because their format has a state."""

from collections.abc import Sequence
from pathlib import Path

from ingest.native import NativeProfile
from ingest.profile import Profile
from ingest.profiles.catalog import catalog


def all_profiles(folder: Path | None, *, site: str, without: Sequence[str] = ()) -> list[Profile]:
    """Return every profile, ready to read; raise ProfileError for a mistake in a file."""
    return [NativeProfile(), *catalog(folder, site=site, without=without).profiles]
