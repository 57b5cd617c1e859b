"""What is wrong in a template, with its place and the remedy: a name that is not known, a tag that is not closed."""

import difflib
import re
import traceback
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError

from core.errors import InputError

_TAG: Final = re.compile(r"\{[{%#].*?(?:[}%#]\}|$)")
_PARAGRAPH: Final = re.compile(r"<w:p[ >].*?</w:p>", re.DOTALL)
_MARKUP: Final = re.compile(r"<[^>]+>")
_MISSING: Final = re.compile(r"'([^']+)' is undefined|has no attribute '([^']+)'|has no element '?([^' ]+)'?")
SHOWN: Final = 80
PARTS: Final = {"word/document.xml": "text", "word/header": "header", "word/footer": "footer"}


def fault_of(err: Exception, file: Path, said: Mapping[str, Any]) -> InputError:
    """Return what is wrong in a template that could not be filled."""
    place = f"template {file.name}"
    where = _where(err, file)
    if where:
        place = f"{place}, {where}"
    return InputError(_problem(err), place=place, remedy=_remedy(err, said))


def _problem(err: Exception) -> str:
    if isinstance(err, UndefinedError) and (name := _name(err)):
        return f"there is no {name!r}"
    if isinstance(err, SecurityError):
        return "a tag reaches beyond what templates may use"
    return str(err).strip() or type(err).__name__


def _remedy(err: Exception, said: Mapping[str, Any]) -> str:
    if isinstance(err, UndefinedError) and (name := _name(err)):
        near = difflib.get_close_matches(name, sorted(_names(said)), 1)
        return f"did you mean {near[0]!r}?" if near else "docs/reports.md lists the names that there are"
    if isinstance(err, TemplateSyntaxError):
        return "close every {{ with }}, every {% with %}, every for with endfor and every if with endif"
    return "use the names and loops as the template that ships does; docs/reports.md lists them"


def _name(err: UndefinedError) -> str:
    found = _MISSING.search(str(err))
    return next((group for group in found.groups() if group), "") if found else ""


def _names(said: Any) -> set[str]:  # noqa: ANN401 - whatever a template is given
    """Return all names that a template may use, at any depth."""
    if isinstance(said, Mapping):
        return set(said).union(*(_names(value) for value in said.values()))
    if isinstance(said, list | tuple):
        return set().union(*(_names(value) for value in said[:1]))
    return set()


def _where(err: Exception, file: Path) -> str:
    """Return the paragraph of a fault: what docxtpl counts as a line, searched by its number in the parts."""
    line = getattr(err, "lineno", None) or next(
        (frame.lineno for frame in reversed(traceback.extract_tb(err.__traceback__)) if frame.filename == "<template>"),
        None,
    )
    context = [text.strip() for text in getattr(err, "docx_context", None) or () if text.strip()]
    name = _name(err) if isinstance(err, UndefinedError) else ""
    for part, number, text in _paragraphs(file):
        tags = " ".join(_TAG.findall(text))
        if name and re.search(rf"\b{re.escape(name)}\b", tags):
            return f"{part}, paragraph {number}: {_short(text)}"
    if context:
        return f"near {_short(' / '.join(context))}"
    return f"paragraph {line}" if line else ""


def _paragraphs(file: Path) -> Iterator[tuple[str, int, str]]:
    with zipfile.ZipFile(file) as packed:
        for name in sorted(packed.namelist()):
            part = next((told for start, told in PARTS.items() if name.startswith(start)), "")
            if not part:
                continue
            content = packed.read(name).decode("utf-8", "replace")
            for number, found in enumerate(_PARAGRAPH.findall(content), 1):
                yield part, number, _MARKUP.sub("", found)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
