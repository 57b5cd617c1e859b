"""Passwords: argon2id hashes, made anew where they were made with less than today's effort."""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from core.errors import InputError
from core.people import Person

LONGEST: Final = 256
"""So long a password may be: hashing a book would be somebody's way to keep us busy."""
FEWEST_DIFFERENT: Final = 5
SHORTEST_NAME: Final = 4


class Passwords:
    """Hashes and verifies; `memory_kib`, `rounds` and `lanes` are what a guess costs whoever stole the hashes."""

    def __init__(self, *, memory_kib: int = 65_536, rounds: int = 3, lanes: int = 1, shortest: int = 10) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes)
        self._shortest = shortest
        self._nobody: str = ""

    def hashed(self, password: str) -> str:
        """Return what is kept of a password."""
        return self._hasher.hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        """Return whether a password is the one; takes as long where there is none."""
        if len(password) > LONGEST:
            return False
        if not hashed and not self._nobody:
            self._nobody = self._hasher.hash("nobody")
        try:
            return self._hasher.verify(hashed or self._nobody, password) and bool(hashed)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def is_weak(self, hashed: str) -> bool:
        """Return whether a hash was made with less effort than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def check(self, password: str, person: Person) -> None:
        """Raise InputError for a password that is guessed at once."""
        if not self._shortest <= len(password) <= LONGEST:
            raise InputError(
                f"a password has {self._shortest} to {LONGEST} characters",
                place="password",
                remedy="take several words that only you would put together",
            )
        local = person.mail.partition("@")[0]
        names = [n.casefold() for n in (person.id, local, *person.name.split()) if len(n) >= SHORTEST_NAME]
        if any(name in password.casefold() for name in names) or len(set(password)) < FEWEST_DIFFERENT:
            raise InputError(
                "this password is easily guessed",
                place="password",
                remedy="take several words that have nothing to do with your name",
            )
