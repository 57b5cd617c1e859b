"""The profiles that a process reads by: the operator's and the bundled ones, loaded, compiled, and their overlaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ingest.profiles.engine import TomlProfile
from ingest.profiles.load import Source, read_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Profiles ready to read, and the fragments that they may use."""

    profiles: tuple[TomlProfile, ...]
    fragments: Mapping[str, Source]

    def overlaps(self) -> list[tuple[str, str, str]]:
        """Return pairs of profiles that name the same topic filter with equal right, and the filter.

        Two that both say how their payload is known (match.when) are told apart by it, message by message.
        """
        found = []
        for one, other in combinations(self.profiles, 2):
            if one.source.bundled != other.source.bundled or one.source.spec.priority != other.source.spec.priority:
                continue
            if one.source.spec.match.when and other.source.spec.match.when:
                continue
            shared = set(one.source.spec.match.topics) & set(other.source.spec.match.topics)
            found += [(one.name, other.name, topic) for topic in sorted(shared)]
        return found


def catalog(folder: Path | None, *, site: str, without: Sequence[str] = ()) -> Catalog:
    """Return the profiles of a folder and the bundled ones, but `without` these; raise ProfileError.

    `site` is the zone of naive times whose profile says `zone = "site"`.
    """
    sources = read_all(folder)
    fragments = {s.spec.name: s for s in sources if s.spec.fragment}
    chosen = [s for s in sources if not s.spec.fragment and s.spec.name not in without]
    return Catalog(profiles=tuple(TomlProfile(s, fragments, site=site) for s in chosen), fragments=fragments)
