"""Numbers as people and programs write them in tables, in bulk: decimal comma or point, thousands parted or not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.calendar import Bools
from core.readings import Floats
from ingest.tables_xlsx import Value

SHEET_ERRORS: Final = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
_NOTHING: Final = ("", "-", "–", "—", "null", "NULL", "None", "NaN", "nan", "N/A", "n/a", "x")
_SPACES: Final = "[\u00a0\u2007\u2009\u202f]"
_UNSURE: Final = r"^[+-]?[1-9]\d{0,2}%s\d{3}$"
_SHAPE: Final = r"^[+-]?(\d+|\d{1,3}([ ']\d{3})+|\d{1,3}(%s\d{3})+)?(%s\d*)?([eE][+-]?\d{1,2})?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A column as numbers (NaN where there is none), which cells are empty, and which are no numbers."""

    value: Floats
    empty: Bools
    bad: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The decimal mark that cells tell: `,` or `.`, empty where none is needed; `unsure` is a cell that leaves it."""

    mark: str
    unsure: str = ""


def _texts(cells: Sequence[Value]) -> pa.Array:
    """Return the cells that are text, plainly written; others are null."""
    kinds = set(map(type, cells))
    column = list(cells) if kinds <= {str, type(None)} else [c if isinstance(c, str) else None for c in cells]
    text = pa.array(column, pa.string())
    if kinds.isdisjoint({str}):
        return text
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, _SPACES, " "))
    return pc.replace_substring(text, "\u2212", "-")


def decimal_mark(columns: Iterable[Sequence[Value]]) -> Mark:
    """Return the decimal mark of a table: the first column that leaves no doubt tells it."""
    unsure = ""
    for cells in columns:
        texts = _texts(cells)
        marked = texts.filter(pc.match_substring_regex(texts, r"\d*[.,]\d"))
        if not len(marked):
            continue
        for mark, other in ((",", r"\."), (r"\.", ",")):
            sure = (
                rf"^[+-]?(0?{mark}\d*|\d+{mark}\d{{1,2}}|\d+{mark}\d{{4,}}|\d{{4,}}{mark}\d+|0\d*{mark}\d+)$"
                rf"|^[+-]?\d{{1,3}}({other}\d{{3}})+{mark}\d+$|^[+-]?\d{{1,3}}({other}\d{{3}}){{2,}}$"
                rf"|^[+-]?\d{{1,3}}( \d{{3}})+{mark}\d+$"
            )
            if pc.any(pc.match_substring_regex(marked, sure)).as_py():
                return Mark(mark=mark[-1])
        doubtful = marked.filter(pc.match_substring_regex(marked, _UNSURE % "[.,]"))
        unsure = unsure or (doubtful[0].as_py() if len(doubtful) else "")
    return Mark(mark="", unsure=unsure)


def numbers(cells: Sequence[Value], mark: str) -> Numbers:
    """Return a column as numbers, with the decimal mark of its table; empty is what is blank or a dash."""
    quick = _quick(cells, mark or ",")
    if quick is not None:
        return quick
    texts = _texts(cells)
    parsed, blank = _parsed(texts, mark or ",")
    is_text = np.asarray(texts.is_valid())
    value, bad = np.where(is_text, parsed, np.nan), is_text & ~blank & np.isnan(parsed)
    empty = absent(cells) | (is_text & blank)
    if not set(map(type, cells)) <= {str, type(None)}:
        plain = np.array([_plain(c) for c in cells], float)
        value = np.where(is_text, value, plain)
        bad |= ~is_text & ~empty & ~np.isfinite(plain)
    return Numbers(value=value, empty=empty, bad=bad)


def _quick(cells: Sequence[Value], mark: str) -> Numbers | None:
    """Return a column of plainly written numbers and nothing else, the usual case; None for any other."""
    if set(map(type, cells)) != {str}:
        return None
    texts = pa.array(cells, pa.string())
    if pc.any(pc.match_substring(texts, "." if mark == "," else ",")).as_py():
        return None
    try:
        value = np.asarray(pc.replace_substring(texts, mark, ".").cast(pa.float64()))
    except pa.ArrowInvalid:
        return None
    if not np.isfinite(value).all():
        return None
    none = np.zeros(len(value), bool)
    return Numbers(value=value, empty=none, bad=none)


def absent(cells: Sequence[Value]) -> Bools:
    """Return which cells are empty."""
    if None not in cells:
        return np.zeros(len(cells), bool)
    return np.fromiter((c is None for c in cells), bool, len(cells))


def _plain(cell: Value) -> float:
    wrong = cell is None or isinstance(cell, str | bool | datetime)
    return float("nan") if wrong else float(cell)  # type: ignore[arg-type]  # the others are numbers


def _parsed(texts: pa.Array, mark: str) -> tuple[Floats, Bools]:
    """Return the numbers of texts, NaN where there is none, and which are blank."""
    parting = "." if mark == "," else ","
    blank = np.asarray(pc.fill_null(pc.is_in(texts, pa.array(_NOTHING)), fill_value=False))
    good = pc.match_substring_regex(texts, _SHAPE % (f"[{parting}]", f"[{mark}]"))
    good = pc.and_(good, pc.match_substring_regex(texts, r"^[^eE]*\d"))
    plain = pc.replace_substring_regex(texts, rf"^\+|[ '{parting}]", "")
    plain = pc.replace_substring(plain, ",", ".") if mark == "," else plain
    plain = pc.if_else(pc.fill_null(good, fill_value=False), plain, "nan")
    return np.asarray(plain.cast(pa.float64()), float), blank
