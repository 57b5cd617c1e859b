"""What our code says where it raises: every text of an error, of its place and of its remedy, read from the source."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import core

ROOT = Path(core.__file__ or "").parent.parent
ROOMS = (
    "core",
    "services",
    "ingest",
    "storage",
    "analytics",
    "alerts",
    "reports",
    "simulators",
    "config",
    "api",
    "app",
)
HOLE = "\0"
"""Stands where a value is put in."""
FIELDS = {"problem": "", "remedy": "", "place": "place"}
BESIDES = {"Fault": ("sheet", "row", "column", "problem", "remedy"), "Place": ("place", "problem", "remedy")}
"""Values that hold such texts without being raised: cells of a file, places of a request."""
CALLS = {"_of": (2, 3), "fault": (1, 2), "refuse": (2, 3), "mistake": (3, 4), "wrong": (1, 2)}
"""Functions that are given a problem and a remedy, by the numbers of those arguments."""
RULES = "services/register_rules.py"
"""The one module whose `_of` is such a function."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text in the source: where, by which error, in which context, and its forms with `HOLE` for values.

    It has no forms where it comes from elsewhere; `source` is then the expression.
    """

    path: str
    line: int
    error: str
    context: str
    forms: tuple[str, ...]
    source: str


@cache
def trees() -> dict[str, ast.Module]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            found[str(path.relative_to(ROOT))] = ast.parse(path.read_text())
    return found


@cache
def constants() -> dict[str, ast.expr]:
    """Return the constants of texts by name; one name of two texts is none."""
    found: dict[str, ast.expr] = {}
    for tree in trees().values():
        for node in tree.body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(target, ast.Name) and isinstance(node, ast.AnnAssign) and node.value is not None:
                found[target.id] = node.value
    return found


@cache
def errors() -> frozenset[str]:
    """Return the names of the error tree."""
    heirs: dict[str, set[str]] = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                heirs.setdefault(node.name, set()).update(_name(b) for b in node.bases)
    found = {"OdecetError"}
    while more := {name for name, bases in heirs.items() if bases & found} - found:
        found |= more
    return frozenset(found)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


Local = Mapping[str, list[ast.expr]]
"""What the names of a function are set to there."""


def forms(node: ast.expr, local: Local) -> tuple[str, ...]:  # noqa: PLR0911 - one for each form of an expression
    """Return the texts that an expression can be; none where it is no text written there."""
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.IfExp(body=body, orelse=orelse):
            return forms(body, local) + forms(orelse, local)
        case ast.JoinedStr(values=parts):
            return _joined([_part(part) for part in parts])
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _joined([forms(side, local) or (HOLE,) for side in (left, right)])
        case ast.Call(func=func, args=[first, *_]) if _name(func) in {"N_", "text"}:
            return forms(first, local)
        case ast.Name(id=name) if name in local:
            return tuple(form for value in local[name] for form in forms(value, {}))
        case ast.Name(id=name) if name.isupper() and name in constants():
            return forms(constants()[name], {})
    return ()


def _local(function: ast.AST) -> Local:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _part(node: ast.expr) -> tuple[str, ...]:
    return (node.value,) if isinstance(node, ast.Constant) and isinstance(node.value, str) else (HOLE,)


def _joined(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    made = ("".join(chosen) for chosen in product(*parts))
    return tuple(_once(text) for text in made)


def _once(text: str) -> str:
    while HOLE * 2 in text:
        text = text.replace(HOLE * 2, HOLE)
    return text


def said() -> Iterator[Said]:
    """Return every text of every error in the rooms."""
    for path, tree in trees().items():
        for call, local in _calls(tree):
            name = _name(call.func)
            if name != "_of" or path == RULES:
                for context, node in _texts(call):
                    yield Said(path, call.lineno, name, context, forms(node, local), ast.unparse(node))


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, Local]]:
    """Return the calls of a module with what the names of their function are set to."""
    within: dict[ast.AST, Local] = {}
    for node in ast.walk(tree):
        local = within.get(node, {})
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            local = _local(node)
        for child in ast.iter_child_nodes(node):
            within[child] = local
        if isinstance(node, ast.Call):
            yield node, local


def _texts(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = _name(call.func)
    if name in CALLS and len(call.args) > min(CALLS[name]):
        yield from (("", call.args[n]) for n in CALLS[name] if n < len(call.args))
    elif name in BESIDES:
        yield from (
            (FIELDS[field], arg) for field, arg in zip(BESIDES[name], call.args, strict=False) if field in FIELDS
        )
    elif name in errors():
        yield from (("", arg) for arg in call.args[name == "Refused" :])  # a Refused says its status first
    else:
        return
    if name not in CALLS:
        yield from ((FIELDS[k.arg], k.value) for k in call.keywords if k.arg in FIELDS)
