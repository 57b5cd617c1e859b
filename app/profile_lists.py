"""What `odecet profiles list` and `test` print."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.clock import now
from app.profiles import all_profiles
from core.calendar import instant
from core.errors import InputError
from core.formats import Trial
from ingest.profile import Router
from ingest.profiles.catalog import catalog
from ingest.profiles.engine import TomlProfile
from ingest.profiles.trials import run


def shown(folder: Path | None, *, site: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Return name, title, origin (own, bundled, built in) and topic filters of every profile."""
    for profile in all_profiles(folder, site=site):
        if isinstance(profile, TomlProfile):
            spec = profile.source.spec
            topics = [*spec.match.topics, *(["(any topic, by its payload)"] if spec.match.anywhere else [])]
            yield profile.name, spec.title, "bundled" if profile.source.bundled else "own", tuple(topics)
        else:
            yield profile.name, "", "built in", profile.filters


def overlaps(folder: Path | None, *, site: str) -> list[tuple[str, str, str]]:
    """Return pairs of profiles that read the same topic filter with equal right."""
    return catalog(folder, site=site).overlaps()


def tried(folder: Path | None, names: Sequence[str], *, site: str) -> list[Trial]:
    """Run the cases of these profiles (none: of all); raise InputError for a name that none has."""
    profiles = all_profiles(folder, site=site)
    known = {profile.name for profile in profiles}
    unknown = sorted(set(names) - known)
    if unknown:
        raise InputError(f"no profile is named {', '.join(unknown)}", remedy=f"one of {', '.join(sorted(known))}")
    router, at = Router(profiles), instant(now())
    chosen = [p for p in profiles if isinstance(p, TomlProfile) and (not names or p.name in names)]
    return [trial for profile in chosen for trial in run(profile, router, now=at)]
