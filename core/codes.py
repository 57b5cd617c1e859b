"""Identifiers and names, as everything that is kept under one of them checks them."""

import re
from typing import Final

from core.errors import InputError

_ID: Final = re.compile(r"[^\s,;\"'\\\x00-\x1f]{1,120}")


def check_id(thing: str, code: str) -> None:
    """Raise InputError for what is no identifier."""
    if not _ID.fullmatch(code):
        raise InputError(
            f"{thing} id {code!r} cannot be used",
            remedy="use 1 to 120 characters without spaces, commas, semicolons, quotes or backslashes",
        )


def check_text(thing: str, text: str) -> None:
    """Raise InputError for an empty text."""
    if not text.strip():
        raise InputError(f"{thing} is empty", remedy="fill it in")
