"""Profile files: read, checked, and a mistake named with file, line and key."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from core.errors import InputError
from ingest.profiles.spec import ProfileSpec

BUNDLED: Final = Path(__file__).parent / "bundled"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LONGEST: Final = 500_000
"""Characters of a profile; the longest that ships has a tenth."""
_DOTTED: Final = re.compile(r"""(?<![\w'"-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
"""A key of so many parts; a parser keeps each of its beginnings."""
_WHERE: Final = re.compile(r"(?P<what>.*?)(?: - at `(?P<key>[^`]*)`)?", re.DOTALL)
_STRANGE: Final = re.compile(r"unknown field `([^`]*)`")
_PART: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_TABLE: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"-]+)\s*\]\]?\s*(?:#.*)?")
_ASSIGNED: Final = re.compile(r"\s*(?:\"([^\"]+)\"|([A-Za-z0-9_-]+))\s*=")


class ProfileError(InputError):
    """A mistake in a profile file; the text names file, line and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A profile file that was read: its text is kept to name the line of what is found later."""

    path: Path
    text: str
    spec: ProfileSpec
    bundled: bool

    def wrong(self, key: str, why: str, remedy: str = "") -> ProfileError:
        """Return the error for what stands at a key (rows[0].readings[2].unit)."""
        return mistake(self.path.name, self.text, key, why, remedy)


def mistake(file: str, text: str, key: str, why: str, remedy: str = "") -> ProfileError:
    """Return the error for a key of a file, with its line where it is written."""
    line = line_of(text, key)
    where = f"{file}, line {line}" if line else file
    return ProfileError(
        f"{where}, key {key or 'name'}: {why}", remedy=remedy or "mend the profile; see docs/profiles.md"
    )


def read(path: Path, *, bundled: bool = False) -> Source:
    """Return a profile file; raise ProfileError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ProfileError(f"{path.name} cannot be read: {err}", remedy="give a TOML file in UTF-8") from err
    return parse(text, path=path, bundled=bundled)


def parse(text: str, *, path: Path, bundled: bool = False) -> Source:
    """Return the profile of a text; raise ProfileError."""
    if len(text) > LONGEST or _DOTTED.search(text):
        raise ProfileError(
            f"{path.name} is too long, or a key of it is", remedy=f"keep below {LONGEST} characters, keys short"
        )
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as err:
        raise ProfileError(f"{path.name} is no TOML: {err}", remedy="mend that line") from err
    try:
        spec = msgspec.convert(tree, ProfileSpec)
    except msgspec.ValidationError as err:
        raise mistake(path.name, text, *_told(str(err))) from err
    if not NAME.fullmatch(spec.name):
        raise mistake(path.name, text, "name", f"{spec.name!r} is no name", "use small letters, digits, - and _")
    return Source(path=path, text=text, spec=spec, bundled=bundled)


def _told(message: str) -> tuple[str, str]:
    """Return the key and the text of what msgspec found wrong; a key that is not known is named itself."""
    found = _WHERE.fullmatch(message)
    what, place = (found["what"], found["key"] or "") if found else (message, "")
    key = place.removeprefix("$").removeprefix(".")
    strange = _STRANGE.search(what)
    if strange is None:
        return key, what
    return f"{key}.{strange[1]}".removeprefix("."), "this key is not known here"


def line_of(text: str, key: str) -> int:
    """Return the line of a key such as rows[1].readings[0].unit in TOML text; of its table where it is not found."""
    wanted = [name or index for name, index in _PART.findall(key)]
    counts: dict[str, int] = {}
    at: list[str] = []
    best, best_depth = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        table = _TABLE.fullmatch(line)
        assigned = _ASSIGNED.match(line)
        if table:
            at = _placed(table[2].split("."), counts, listed=table[1] == "[[")
            place = at
        elif assigned:
            place = [*at, assigned[1] or assigned[2]]
        else:
            continue
        depth = _shared(place, wanted)
        if depth == len(place) and depth > best_depth:
            best, best_depth = number, depth
    return best


def _placed(names: Sequence[str], counts: dict[str, int], *, listed: bool) -> list[str]:
    """Return the path of a table with the numbers of its lists, which are counted."""
    path: list[str] = []
    for depth, name in enumerate(names):
        path.append(name)
        dotted = ".".join(path)
        if depth == len(names) - 1 and listed:
            counts[dotted] = counts.get(dotted, -1) + 1
            for other in [c for c in counts if c.startswith(f"{dotted}[")]:
                del counts[other]
        if dotted in counts:
            path[-1] = name
            path.append(str(counts[dotted]))
    return path


def _shared(place: Sequence[str], wanted: Sequence[str]) -> int:
    """Return how many steps a place and a wanted key share from the left."""
    for depth, (one, other) in enumerate(zip(place, wanted, strict=False)):
        if one != other:
            return depth
    return min(len(place), len(wanted))


def read_all(folder: Path | None) -> list[Source]:
    """Return the operator's profiles and then the bundled ones; raise ProfileError.

    A file of the operator's with a bundled profile's name takes its place.
    """
    own = [read(path) for path in _files(folder)] if folder else []
    seen: dict[str, Path] = {}
    for source in own:
        if source.spec.name in seen:
            other = seen[source.spec.name].name
            raise source.wrong("name", f"{source.spec.name!r} is also the name in {other}", "give each its own")
        seen[source.spec.name] = source.path
    bundled = [read(path, bundled=True) for path in _files(BUNDLED)]
    return own + [source for source in bundled if source.spec.name not in seen]


def _files(folder: Path) -> Iterable[Path]:
    if folder.exists() and not folder.is_dir():
        raise ProfileError(f"{folder} is no folder", remedy="mend the setting ingest.profiles_folder")
    return sorted(folder.glob("*.toml"))
