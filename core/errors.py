"""One error tree, split by who must act.

OdecetError
├── InputError            the sender or operator gave what cannot be right; the text says where and the remedy
│   ├── UnitError         a unit that is unknown, or not one of the quantity
│   └── TimeError         an instant that is naive, ambiguous, non-existent or out of bounds
├── NotFound              what was asked for is not there
├── Conflict              it would contradict what is stored
├── ConfigError           a setting is wrong: the path of the setting and the remedy are in the text
├── SourceUnavailable     somebody else's service does not answer: try again later, or do without it
└── StoreError            the store did not do what was asked
    ├── StoreUnavailable  it may work later: keep the work and retry
    └── StoreInUse        another process holds the embedded store: ask that one
"""


class OdecetError(Exception):
    """Whatever Odečet raises on purpose; the text is fit to be shown to the one who must act."""


class InputError(OdecetError):
    """Input that cannot be right. `place` says where (file, row, column, key), `remedy` what to do."""

    def __init__(self, problem: str, *, place: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        super().__init__(": ".join(filter(None, (place, problem))) + (f"; {remedy}" if remedy else ""))


class UnitError(InputError):
    """A unit that is unknown, or does not measure the quantity."""


class TimeError(InputError):
    """An instant that is naive, ambiguous, non-existent or out of bounds."""


class NotFound(OdecetError):
    """What was asked for is not there."""


class Conflict(OdecetError):
    """The act would contradict what is stored."""


class ConfigError(OdecetError):
    """A setting is wrong; the text names its path and the remedy."""


class SourceUnavailable(OdecetError):
    """Somebody else's service does not answer; the text says which, why and what to do."""


class StoreError(OdecetError):
    """The store did not do what was asked, and will not by waiting."""


class StoreUnavailable(StoreError):
    """The store may do it later: keep the work and retry."""


class StoreInUse(StoreError):
    """Another process holds the embedded store: ask that one over its API."""
