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
        self.shortest = shortest
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

    def trouble(self, password: str, person: Person) -> str:
        """Return why a password is not taken (length, easy), empty where it is."""
        if not self.shortest <= len(password) <= LONGEST:
            return "length"
        local = person.mail.partition("@")[0]
        names = [n.casefold() for n in (person.id, local, *person.name.split()) if len(n) >= SHORTEST_NAME]
        easy = any(name in password.casefold() for name in names) or len(set(password)) < FEWEST_DIFFERENT
        return "easy" if easy else ""

    def check(self, password: str, person: Person) -> None:
        """Raise InputError for a password that is not taken; its `problem` is what `trouble` says."""
        trouble = self.trouble(password, person)
        if trouble:
            remedy = f"take several words, {self.shortest} characters or more, that have nothing to do with the name"
            raise InputError(trouble, place="password", remedy=remedy)
