"""What documents and notes of buildings are called, and how long documents are valid, in the reader's language."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from api.texts import N_, Language
from core.papers import Document, DocumentKind, PaperAct
from services.papers import Validity, validity

KINDS: Final[Mapping[str, str]] = {
    DocumentKind.PENB: N_("Energy performance certificate (PENB)"),
    DocumentKind.AUDIT: N_("Energy audit"),
    DocumentKind.CONTRACT: N_("Contract"),
    DocumentKind.INSPECTION: N_("Inspection report"),
    DocumentKind.PHOTO: N_("Photo"),
    DocumentKind.DRAWING: N_("Drawing"),
    DocumentKind.OTHER: N_("Other document"),
}
ACTS: Final[Mapping[str, str]] = {
    PaperAct.ADDED: N_("added"),
    PaperAct.CORRECTED: N_("corrected"),
    PaperAct.WITHDRAWN: N_("withdrawn"),
    PaperAct.PURGED: N_("purged"),
}


def validity_text(document: Document, today: date, words: Language) -> str:
    """Return in words how a document stands on a day, empty where it does not say."""
    standing, left = validity(document, today)
    if standing is Validity.AHEAD and document.valid_from is not None:
        return words.text("valid from %(day)s") % {"day": words.day(document.valid_from)}
    if document.valid_until is None or left is None:
        return ""
    until = {"day": words.day(document.valid_until)}
    if standing is Validity.OVER:
        return words.text("expired on %(day)s, %(age)s") % {**until, "age": words.ago(timedelta(days=-left))}
    if standing is Validity.VALID:
        return words.text("valid until %(day)s") % until
    if left == 0:
        return words.text("valid until today, %(day)s") % until
    plural = words.translations.ngettext(
        "valid until %(day)s, %(num)s day is left", "valid until %(day)s, %(num)s days are left", left
    )
    return plural % {**until, "num": left}
