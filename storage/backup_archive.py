"""The archive of a backup: a tar file that is written and read from front to end, its last member a list of all others.

`odecet-backup.json` comes first and says what made it; `manifest.json` comes last and holds the size and the SHA-256
of each member, so that an archive that was cut short or changed anywhere is known as such before a store is touched.
"""

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Self, cast

from core.errors import InputError

FORMAT: Final = 1
HEAD: Final = "odecet-backup.json"
MANIFEST: Final = "manifest.json"
_BLOCK: Final = tarfile.BLOCKSIZE
_END: Final = bytes(2 * _BLOCK)
_PIECE: Final = 1 << 20
_NAME: Final = re.compile(r"(?!/)[^\\\x00-\x1f\x7f]+")
"""Names within the archive: none leads out of a folder, on any system."""
LARGEST: Final = 1 << 30
"""Bytes of a member beyond which an archive is not ours: each is held in memory as a whole."""


class Member(NamedTuple):
    """A member of the archive: its name, its content, and the rows in it."""

    name: str
    content: bytes
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a member stands in the file [bytes]."""

    name: str
    offset: int
    size: int
    rows: int


def as_json(value: object) -> bytes:
    """Return JSON for people and programs."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def packed(head: Mapping[str, object], members: Iterable[Member], made: datetime) -> Iterator[bytes]:
    """Yield the bytes of an archive, member by member."""
    listed: list[dict[str, object]] = []

    def note(member: Member) -> Iterator[bytes]:
        digest = hashlib.sha256(member.content).hexdigest()
        listed.append({"name": member.name, "size": len(member.content), "sha256": digest, "rows": member.rows})
        return _tarred(member, made)

    yield from note(Member(HEAD, as_json({"format": FORMAT, "made": made.isoformat(), **head})))
    for member in members:
        yield from note(member)
    yield from _tarred(Member(MANIFEST, as_json({"format": FORMAT, "members": listed})), made)
    yield _END


def _tarred(member: Member, made: datetime) -> Iterator[bytes]:
    info = tarfile.TarInfo(member.name)
    info.size, info.mtime, info.mode = len(member.content), int(made.timestamp()), 0o600
    yield info.tobuf(tarfile.USTAR_FORMAT)
    yield member.content
    yield bytes(-info.size % _BLOCK)


class Archive:
    """An archive whose every byte was compared with its manifest. A context: it holds the file open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _opened(path)
        try:
            self._places = {place.name: place for place in self._index()}
            self.head: dict[str, Any] = self._json(HEAD)
            self._check_head()
            self._check()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def names(self, folder: str) -> list[str]:
        """Return the names of the members of a folder, in the order in which they were written."""
        return [name for name in self._places if name.startswith(f"{folder}/")]

    def rows(self, folder: str) -> int:
        """Return the number of rows in the members of a folder."""
        return sum(self._places[name].rows for name in self.names(folder))

    def read(self, name: str) -> bytes:
        """Return a member's content; raise InputError where it has none of this name."""
        place = self._places.get(name)
        if place is None:
            raise self._broken("it has no such member", name)
        self._file.seek(place.offset)
        return self._file.read(place.size)

    def parsed(self, name: str, parse: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - what the parser gives
        """Return a member as a parser reads it; raise InputError where it cannot."""
        try:
            return parse(self.read(name))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, EOFError, OSError) as err:
            raise self._broken(f"cannot be read: {err}", name) from err

    def _json(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self.parsed(name, json.loads))

    def _broken(self, problem: str, where: str) -> InputError:
        return InputError(problem, place=f"{self.path}, {where}", remedy="take another backup; this one is not whole")

    def _index(self) -> Iterator[Place]:
        """Yield where each member stands."""
        size, offset = self.path.stat().st_size, 0
        while True:
            header = self._file.read(_BLOCK)
            if header == bytes(_BLOCK):
                return
            try:
                info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
            except tarfile.HeaderError as err:
                raise self._broken(f"the archive ends or is broken here ({err})", f"byte {offset}") from err
            if not _NAME.fullmatch(info.name) or ".." in info.name.split("/"):
                raise self._broken(f"no backup has a member {info.name!r}", f"byte {offset}")
            if info.size > min(LARGEST, size - offset - _BLOCK):
                raise self._broken(f"{info.name} is cut short", f"byte {size}")
            yield Place(name=info.name, offset=offset + _BLOCK, size=info.size, rows=0)
            offset += _BLOCK + info.size + -info.size % _BLOCK
            self._file.seek(offset)

    def _check_head(self) -> None:
        if self.head.get("format") != FORMAT:
            raise InputError(
                f"its format is {self.head.get('format')!r}, this program reads {FORMAT}",
                place=str(self.path),
                remedy="restore it by the Odečet that made it, or a newer one",
            )

    def _check(self) -> None:
        """Compare every member with the manifest."""
        listed = self.parsed(MANIFEST, _listed)
        if [entry["name"] for entry in listed] != [name for name in self._places if name != MANIFEST]:
            raise self._broken("its members are not those that are listed", MANIFEST)
        for entry in listed:
            place = self._places[entry["name"]]
            if (place.size, self._digest(place)) != (entry["size"], entry["sha256"]):
                raise self._broken("its content is not what was written", place.name)
            self._places[place.name] = Place(
                name=place.name, offset=place.offset, size=place.size, rows=int(entry["rows"])
            )

    def _digest(self, place: Place) -> str:
        digest, left = hashlib.sha256(), place.size
        self._file.seek(place.offset)
        while left and (piece := self._file.read(min(_PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        return digest.hexdigest()


def _listed(content: bytes) -> list[dict[str, Any]]:
    """Return what a manifest says of each member; raise ValueError or KeyError where it does not."""
    entries = [
        {name: entry[name] for name in ("name", "size", "sha256", "rows")} for entry in json.loads(content)["members"]
    ]
    return [{**entry, "rows": int(entry["rows"])} for entry in entries]


def unpacked(content: bytes, most: int = LARGEST) -> bytes:
    """Return what a member of gzip holds; raise ValueError where that is more than `most` bytes, or none."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        made = unpacker.decompress(content, most)
    except zlib.error as err:
        raise ValueError(f"it cannot be unpacked: {err}") from err
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError(f"it is cut short, or unpacks to more than {most} bytes")
    return made


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as err:
        raise InputError(err.strerror or str(err), place=str(path), remedy="name a backup that can be read") from err
