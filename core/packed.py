"""Archives that somebody sent: opened only where they are small enough unpacked, whatever they say of themselves.

What a zip declares is not believed: the list of parts is counted before it is read, each part is unpacked piece by
piece up to its bound, and only by the two methods that office documents use.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from core.errors import InputError

PARTS_LIMIT: Final = 5_000
UNPACKED_LIMIT: Final = 256 * 2**20
"""The most that an archive may unpack to [bytes]."""
_LISTED: Final = b"PK\x01\x02"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE: Final = 1 << 20
_FAULTS: Final = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error)


class Packed:
    """An archive whose parts were counted; `read` gives a part, and refuses one that is more than it said."""

    def __init__(self, name: str, archive: zipfile.ZipFile) -> None:
        self._name = name
        self._archive = archive
        self.parts: Sequence[zipfile.ZipInfo] = archive.infolist()
        if len(self.parts) > PARTS_LIMIT or sum(part.file_size for part in self.parts) > UNPACKED_LIMIT:
            raise too_much(name)
        if any(part.compress_type not in _METHODS for part in self.parts):
            raise InputError("a part is packed in a strange way", place=name, remedy="save the file again")

    def read(self, part: zipfile.ZipInfo) -> bytes:
        """Return a part's content [bytes]; raise InputError where it is not as long as the archive says."""
        said, part.file_size = part.file_size, part.file_size + 1  # one byte more than it may have shows a lie
        try:
            with self._archive.open(part) as source:
                content = b"".join(iter(lambda: source.read(_PIECE), b""))
        finally:
            part.file_size = said
        if len(content) != said:
            raise InputError("a part is not as long as the file says", place=self._name, remedy="save the file again")
        return content

    def check(self, *, most_tags: int | None = None) -> None:
        """Read every part and keep none, so that what reads the archive after us finds no more than it says.

        With `most_tags` a part of more tags of XML is refused too: a parser's tree is far larger than its text.
        """
        for part in self.parts:
            content = self.read(part)
            if most_tags is not None and content.count(b"<") > most_tags and part.filename.endswith((".xml", ".rels")):
                raise too_much(self._name)


@contextmanager
def unpacking(name: str, content: bytes) -> Iterator[Packed]:
    """Give an archive; raise InputError, naming the file, where it is broken, a bomb, or its parts are."""
    if content.count(_LISTED) > PARTS_LIMIT:
        raise too_much(name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield Packed(name, archive)
    except _FAULTS as err:
        raise InputError(f"the file is damaged ({err})", place=name, remedy="save the file again") from err


def too_much(name: str) -> InputError:
    """Return the refusal of an archive that unpacks to more than is read."""
    return InputError("the file unpacks to too much", place=name, remedy="split it into smaller files")
