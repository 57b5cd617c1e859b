"""What is said to sources over the connection that listens to them: QoS 0, and only while there is one."""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from paho.mqtt import client as paho

from core.calendar import instant, micros
from core.ports import Clock
from ingest.keepalive import Publication, Speaker
from ingest.message import Message

log = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000


class Voice:
    """Gathers what speakers want published in one thread, and sends it in another.

    What cannot be sent is dropped: it comes due again. A speaker that fails does not keep the others from speaking.
    """

    def __init__(self, speakers: Sequence[Speaker], clock: Clock) -> None:
        self._speakers = tuple(speakers)
        self._clock = clock
        self._waiting: deque[Publication] = deque(maxlen=MOST_WAITING)
        self.sent = 0

    def hear(self, messages: Sequence[Message]) -> None:
        """Let the speakers note who spoke."""
        for speaker in self._speakers:
            try:
                speaker.hear(messages)
            except Exception:
                log.exception("a source's keep-alive could not listen; the messages are taken")

    def gather(self) -> bool:
        """Take what is due now and return whether there is anything to send."""
        now_us = int(micros(instant(self._clock()))) if self._speakers else 0
        for speaker in self._speakers:
            try:
                self._waiting.extend(speaker.due(now_us))
            except Exception:
                log.exception("a source's keep-alive failed; the others are sent")
        return bool(self._waiting)

    def send(self, client: paho.Client) -> None:
        """Hand over what waits to a connection; without one it is dropped."""
        while self._waiting:
            topic, payload = self._waiting.popleft()
            if client.is_connected():
                client.publish(topic, payload, qos=0)
                self.sent += 1
