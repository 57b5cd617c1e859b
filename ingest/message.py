"""A message as it came in, from a broker or over HTTP, before anybody read it."""

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A payload with its topic.

    `received` is when it came in [µs since 1970, UTC]; `ticket` is what its source needs to acknowledge it, None
    where nothing is to be acknowledged; `retained` marks the broker's replay of an old value after a subscription,
    `again` a delivery that may be the second of the same message (MQTT's DUP flag).
    """

    topic: str
    payload: bytes
    received: int
    retained: bool = False
    ticket: int | None = None
    again: bool = False


def topic_text(raw: bytes) -> str:
    r"""Return a topic as text that any store takes; bytes that are no UTF-8, and NUL, are written as \\xNN."""
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
