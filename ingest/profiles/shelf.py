"""The shelf of profiles of a running process: shows them, tries messages on them, takes new ones."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from core.calendar import instant
from core.errors import InputError
from core.formats import Choices, Draft, Format, Sample, Trial
from core.notes import JsonValue
from core.ports import Clock
from ingest.accept import Bounds
from ingest.message import Message
from ingest.profile import Profile, Router
from ingest.profiles import drafting, trials
from ingest.profiles.catalog import Catalog, catalog
from ingest.profiles.engine import TomlProfile
from ingest.profiles.lines import explain
from ingest.profiles.load import ProfileError, Source, parse

log = logging.getLogger(__name__)

Use = Callable[[Sequence[Profile]], None]
NEW: Final = "profile.toml"


class ProfileShelf:
    """Profiles in TOML beside those that are code (`fixed`); `site` is the zone of naive times of the place.

    Another process may share the folder: `refresh` reads it again where it changed. `use` is told the profiles that
    hold from then on.
    """

    def __init__(
        self, fixed: Sequence[Profile], *, folder: Path | None, site: str, clock: Clock, without: Sequence[str] = ()
    ) -> None:
        self._fixed = tuple(fixed)
        self._folder = folder
        self._site = site
        self._clock = clock
        self._without = tuple(without)
        self._lock = threading.Lock()
        self._users: list[Use] = []
        self._seen = self._signature()
        self._catalog: Catalog = catalog(folder, site=site, without=without)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles that hold now."""
        return (*self._fixed, *self._catalog.profiles)

    def users(self, use: Use) -> None:
        """Tell this whenever other profiles hold."""
        self._users.append(use)

    def refresh(self) -> bool:
        """Read the folder again where it changed; return whether other profiles hold now. Raise ProfileError.

        A folder with a mistake leaves the profiles that were right in force; it is told again only when it changed.
        """
        signature = self._signature()
        if signature == self._seen:
            return False
        with self._lock:
            self._seen = signature
            self._catalog = catalog(self._folder, site=self._site, without=self._without)
            for use in self._users:
                use(self.profiles)
        return True

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        if self._folder is None or not self._folder.is_dir():
            return ()
        found = [(path, path.stat()) for path in sorted(self._folder.glob("*.toml"))]
        return tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in found)

    def known(self) -> list[Format]:
        """Return the profiles, an operator's own first."""
        return [_shown(profile) for profile in self.profiles]

    def overlaps(self) -> list[tuple[str, str, str]]:
        """Return pairs of profiles that read the same topic filter with equal right, and the filter."""
        return self._catalog.overlaps()

    def test(self, names: Sequence[str] = ()) -> list[Trial]:
        """Run the test cases of these profiles (none: of all)."""
        known = {p.name: p for p in self._catalog.profiles}
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise InputError(f"no profile is named {', '.join(unknown)}", remedy=f"one of {', '.join(sorted(known))}")
        router, now = Router(self._apart()), instant(self._clock())
        return [t for name in names or known for t in trials.run(known[name], router, now=now)]

    def _apart(self) -> list[Profile]:
        """Return the profiles in TOML: trying a message must teach nothing to those that remember."""
        return list(self._catalog.profiles)

    def decode(self, topic: str, payload: bytes) -> Mapping[str, JsonValue]:
        """Return what would be read of a message; what other messages describe (discovery) is not looked at."""
        now = instant(self._clock())
        message = Message(topic=topic, payload=payload, received=int(now.astype("int64")))
        return explain(message, Router([*self._fixed[:1], *self._apart()]), now=now, bounds=Bounds())

    def inspect(self, topic: str, payload: bytes, each: str = "") -> Sample:
        """Return what is in a message."""
        return drafting.inspect(topic, payload, each)

    def draft(self, topic: str, payload: bytes, choices: Choices) -> Draft:
        """Return the profile that says these choices."""
        sample = drafting.inspect(topic, payload, choices.each)
        text, read = drafting.written(sample, choices, site=self._site, now=instant(self._clock()))
        return Draft(name=choices.name, text=text, readings=tuple(read["readings"]))

    def save(self, text: str) -> Format:
        """Write a profile into the operator's folder and read by it from now on; raise InputError."""
        if self._folder is None:
            raise InputError("no folder for profiles is set", remedy="set ingest.profiles_folder, then try again")
        source = parse(text, path=Path(NEW))
        self._check(source)
        drafting.save(self._folder, source.spec.name, text)
        try:
            self.refresh()
        except ProfileError:
            (self._folder / f"{source.spec.name}.toml").unlink()
            raise
        return next(_shown(p) for p in self._catalog.profiles if p.name == source.spec.name)

    def _check(self, source: Source) -> None:
        """Raise InputError where a profile has no cases or they come out otherwise than they say."""
        profile = TomlProfile(source, self._catalog.fragments, site=self._site)
        others = [p for p in self._apart() if p.name != profile.name]
        done = trials.run(profile, Router([profile, *others]), now=instant(self._clock()))
        if not done:
            raise source.wrong(
                "tests", "the profile has no test case", "add one [[tests]] with a message and its readings"
            )
        for trial in done:
            if trial.faults:
                raise source.wrong(
                    f"tests[{done.index(trial)}]", "; ".join(trial.faults)[:1000], "mend profile or case"
                )


def _shown(profile: Profile) -> Format:
    if not isinstance(profile, TomlProfile):
        return Format(name=profile.name, title="", about="", origin="built in", topics=profile.filters)
    source = profile.source
    return Format(
        name=profile.name,
        title=source.spec.title,
        about=source.spec.about.strip(),
        origin="bundled" if source.bundled else "own",
        topics=tuple(source.spec.match.topics),
        cases=len(source.spec.tests),
        text=source.text,
    )
