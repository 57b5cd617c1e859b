"""`odecet decode`: what would be read of a message, or of a file of vectors; and how right that is."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from app.clock import now
from app.profiles import all_profiles
from app.vector_score import Score, score
from core.calendar import instant
from core.errors import InputError
from ingest.accept import Bounds
from ingest.message import Message
from ingest.profile import Router
from ingest.profiles.lines import Line, explain

Vector = dict[str, Any]


class Decoder:
    """Explains messages one after the other with the profiles of an installation; what they describe is remembered."""

    def __init__(self, folder: Path | None, *, site: str) -> None:
        self._router = Router(all_profiles(folder, site=site))
        self._bounds = Bounds()

    def line(self, topic: str, payload: bytes, *, retained: bool = False) -> Line:
        """Return what would be read of a message."""
        at: np.datetime64 = instant(now())
        message = Message(topic=topic, payload=payload, received=int(at.astype(np.int64)), retained=retained)
        return explain(message, self._router, now=at, bounds=self._bounds)

    def vector(self, vector: Vector) -> Line:
        """Return what would be read of a vector, after the discovery messages that it names."""
        for described in vector.get("discovery") or []:
            self.line(described["topic"], _payload(described), retained=True)
        return self.line(vector["topic"], _payload(vector), retained=bool(vector.get("retain")))


def _payload(vector: Vector) -> bytes:
    if vector.get("payload_b64") is not None:
        try:
            return base64.b64decode(vector["payload_b64"], validate=True)
        except binascii.Error as err:
            raise InputError(f"vector {vector.get('id')}: payload_b64 is no base64", remedy="mend the file") from err
    payload = vector.get("payload", "")
    return payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)


def vectors_of(path: Path) -> list[Vector]:
    """Return the vectors of a file; raise InputError."""
    try:
        tree = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as err:
        raise InputError(f"{path.name} cannot be read: {err}", remedy="give a JSON file with a list `vectors`") from err
    vectors = tree.get("vectors") if isinstance(tree, dict) else tree
    if not isinstance(vectors, list) or not all(isinstance(v, dict) and type(v.get("topic")) is str for v in vectors):
        raise InputError(f"{path.name} has no list `vectors` of objects with a topic", remedy="give such a file")
    return vectors


def lines(vectors: Sequence[Vector], decoder: Decoder) -> Iterator[Line]:
    """Return a line a vector, in their order."""
    for number, vector in enumerate(vectors):
        yield {"id": vector.get("id", number), **decoder.vector(vector)}


def print_vectors(out: BinaryIO, path: Path, *, profiles: Path | None, site: str) -> None:
    """Write a JSON line a vector."""
    encoder = msgspec.json.Encoder()
    out.writelines(encoder.encode(line) + b"\n" for line in lines(vectors_of(path), Decoder(profiles, site=site)))


def print_message(out: BinaryIO, topic: str, payload: bytes, *, profiles: Path | None, site: str) -> bool:
    """Write what would be read of a message, a JSON line; return whether it is readable."""
    line = Decoder(profiles, site=site).line(topic, payload)
    out.write(msgspec.json.encode(line) + b"\n")
    return "rejected" not in line


def scored(paths: Sequence[Path], *, profiles: Path | None, site: str) -> list[Score]:
    """Return how right the readings of vector files are, a score a file."""
    found = []
    for path in paths:
        vectors = vectors_of(path)
        found.append(score(path.stem, vectors, list(lines(vectors, Decoder(profiles, site=site)))))
    return found
