"""Readings to their store and dead letters to the records, so that no message is lost and none blocks the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from core.errors import StoreError, StoreInUse, StoreUnavailable
from core.notes import DeadLetter
from core.ports import ReadingStore, RecordStore
from core.readings import Codes, Readings
from ingest.metrics import IngestMetrics
from ingest.patience import Abandoned, Attempt
from ingest.profile import Reject

WRITES_BEFORE_BLAME: Final = 2
"""A refused batch is written again before single messages are blamed."""

_WAIT: Final = (Abandoned, StoreUnavailable, StoreInUse)


class Writer:
    """Writes through `attempt`, which decides whether a store that is down is waited for."""

    def __init__(
        self, *, readings: ReadingStore, records: RecordStore, attempt: Attempt, metrics: IngestMetrics
    ) -> None:
        self._readings = readings
        self._records = records
        self._attempt = attempt
        self._metrics = metrics

    def write(self, readings: Readings, message: Codes) -> list[Reject]:
        """Store readings; return as rejects the messages that the store refuses though it is up."""
        why: Exception | None = None
        for _ in range(WRITES_BEFORE_BLAME if len(readings) else 0):
            why = self._refusal(readings)
            if why is None:
                return []
        return self._halve(readings, message, why) if why else []

    def _refusal(self, readings: Readings) -> Exception | None:
        """Write; return why the store refuses, None where it did not."""
        try:
            self._attempt("readings", lambda: self._write(readings))
        except _WAIT:
            raise
        except Exception as err:  # noqa: BLE001 - an adapter's bug must not stop the rest
            return err
        return None

    def _write(self, readings: Readings) -> None:
        """Write; where that fails for another reason than absence, ask the store whether it is well at all."""
        with self._metrics.write_seconds.time():
            try:
                self._readings.write(readings)
            except _WAIT:
                raise
            except Exception:
                self._readings.ready()
                raise

    def _halve(self, readings: Readings, message: Codes, why: Exception) -> list[Reject]:
        """Write the halves of a refused batch, down to the messages that are at fault."""
        numbers = np.unique(message)
        if len(numbers) == 1:
            reason = "store_refused" if isinstance(why, StoreError) else "internal"
            return [Reject(int(numbers[0]), "", reason, f"{type(why).__name__}: {why}"[:500])]
        rejects: list[Reject] = []
        middle = numbers[len(numbers) // 2]
        for mask in (message < middle, message >= middle):
            half = readings.take(mask)
            refusal = self._refusal(half)
            if refusal is not None:
                rejects += self._halve(half, message[mask], refusal)
        return rejects

    def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters; one that the records refuse is kept without its payload, with what it was."""
        if not letters:
            return
        try:
            self._attempt("records", lambda: self._records.keep_letters(letters))
        except _WAIT:
            raise
        except Exception as err:  # noqa: BLE001 - one letter must not keep the others from being kept
            if len(letters) == 1:
                self._keep_reduced(letters[0], err)
                return
            half = len(letters) // 2
            self.keep(letters[:half])
            self.keep(letters[half:])

    def _keep_reduced(self, refused: DeadLetter, why: Exception) -> None:
        """Keep what can be kept of a letter; where even that is refused, the records are not well: wait."""
        detail = f"only the start of {len(refused.payload)} bytes is kept ({why}); {refused.detail}"
        reduced = replace(
            refused, topic=ascii(refused.topic), payload=ascii(refused.payload[:4096]).encode(), detail=ascii(detail)
        )

        def keep() -> None:
            try:
                self._records.keep_letters([reduced])
            except _WAIT:
                raise
            except Exception as err:
                raise StoreUnavailable(f"dead letters cannot be kept: {err}") from err

        self._attempt("records", keep)
