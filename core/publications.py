"""Publications: an indicator's values as they were told, frozen with all that they rest on, chained by hash.

The content of a publication is canonical JSON: keys sorted, no spaces, UTF-8, numbers as their shortest text. Its
SHA-256 is the publication's `digest`. Each names the digest of the one before it, whatever report that was of, so that
none can be taken out or put in between unseen.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from core.deliveries import Delivery
from core.errors import InputError
from core.notes import AuditEntry
from core.report_periods import ReportId

ENTITY: Final = "publication"
"""How the audit trail names a publication."""
FORMAT: Final = 1
"""The version of the content's shape."""


def canonical(content: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """Return canonical JSON; raise InputError for what JSON cannot say."""
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError) as err:
        raise InputError(f"a content cannot be frozen: {err}", remedy="leave out what JSON cannot say") from err


def digest_of(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A frozen report. `version` counts those of one report from 1, `replaces` is the id of the one before.

    `cutoff` is the instant up to which readings had come in, `register` the version of the register and `audited` the
    last entry of the audit trail at that time. `previous` is the digest of the publication before this one.
    """

    report: ReportId
    version: int
    at: datetime
    by: str
    cutoff: datetime
    register: int
    audited: int
    digest: str
    previous: str
    content: bytes
    replaces: str = ""
    note: str = ""
    code: str = ""
    number: int = 0

    @property
    def id(self) -> str:
        """Kind, period and version: annual-2025-v1."""
        return f"{self.report.kind}-{self.report.period}-v{self.version}"

    def opened(self) -> Mapping[str, Any]:
        """Return the content as JSON says it."""
        found: Mapping[str, Any] = json.loads(self.content)
        return found


class PublicationStore(Protocol):
    """Keeps publications. There is no way to change or remove one."""

    def publish(
        self, publication: Publication, deliveries: Sequence[Delivery], entries: Sequence[AuditEntry]
    ) -> Publication:
        """Store a publication, and the deliveries that it closes, durably or nothing; return it with its number.

        Raise Conflict where its version is taken, where `previous` is not the digest of the last publication any
        more, or where one of the deliveries was changed meanwhile; InputError where the digest is not its content's.
        """
        ...

    def publication(self, key: str) -> Publication:
        """Return a publication by its id, as it is stored, whether or not its digest still holds; raise NotFound."""
        ...

    def publications(self, report: ReportId | None = None) -> list[Publication]:
        """Return publications of a report (None: of all) without content (empty), the oldest first."""
        ...
