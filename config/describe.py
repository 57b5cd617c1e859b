"""What settings there are, read from the models themselves: for the page of settings and for errors' remedies."""

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo


class Row(NamedTuple):
    """A setting: path, what kind of value it takes, default and description; `secret` where it is never shown."""

    path: str
    kind: str
    default: str
    description: str
    secret: bool

    @property
    def environment(self) -> str:
        """The variable that sets it."""
        return environment_name(self.path)

    @property
    def remedy(self) -> str:
        """What to write."""
        return f"write {self.kind}" + (f", such as {self.default}" if self.default else "")


def environment_name(path: str) -> str:
    """Return the variable of a path: ODECET_MQTT__TLS__CA of mqtt.tls.ca."""
    return "ODECET_" + path.upper().replace(".", "__")


def closest(path: str, known: Iterable[str]) -> str:
    """Return the known path that is most like one that is not."""
    names = list(known)
    return (difflib.get_close_matches(path, names, n=1, cutoff=0.0) or names)[0]


def describe(model: type[BaseModel], above: str = "") -> tuple[Row, ...]:
    """Return a row for each setting of a model and of the sections in it, in their order."""
    return tuple(row for name, info in model.model_fields.items() for row in _rows(f"{above}{name}", info))


def _rows(path: str, info: FieldInfo) -> Iterator[Row]:
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from describe(kind, f"{path}.")
        return
    secret = kind is SecretStr or SecretStr in get_args(kind)
    text = info.description or ""
    yield Row(path, _kind(kind, info.metadata), _written(info.get_default(call_default_factory=True)), text, secret)


_NAMES: Final[dict[Any, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Path: "a path",
    SecretStr: "a secret text",
}


def _kind(kind: object, metadata: list[Any]) -> str:
    inner = [part for part in get_args(kind) if part is not NoneType]
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if get_origin(kind) is tuple:
        return "a list of texts"
    if get_origin(kind) is dict:
        return "a table of names and secret texts"
    return _NAMES[inner[0] if inner else kind] + _bounds(metadata)


def _bounds(metadata: list[Any]) -> str:
    words = {"gt": "above", "ge": "from", "le": "to"}
    told = [f"{word} {getattr(m, b)}" for b, word in words.items() for m in metadata if hasattr(m, b)]
    return " ".join(["", *told])


def _written(default: object) -> str:
    """Return a default as TOML writes it, empty where there is none."""
    if default is None or default == {} or default == SecretStr(""):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return "[" + ", ".join(_written(part) for part in default) + "]"
    if isinstance(default, int | float):
        return str(default)
    return f'"{default}"' if str(default) else ""


def settings_page(model: type[BaseModel]) -> str:
    """Return the page of all settings, as Markdown."""
    parts = [_HEAD]
    for name, info in model.model_fields.items():
        parts.append(f"\n## {name}\n\n{info.description}\n")
        parts.append("| setting | value | default | meaning |\n|---|---|---|---|")
        parts += [
            f"| `{row.path}` | {row.kind} | {f'`{row.default}`' if row.default else ''} | {row.description} |"
            for row in _rows(name, info)
        ]
    return "\n".join(parts) + "\n"


def settings_example(model: type[BaseModel], above: str = "") -> str:
    """Return a TOML file with every setting at its default, commented out where it has none."""
    parts = [_EXAMPLE_HEAD] if not above else []
    sections = []
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            heading = f"\n# {info.description}\n[{above}{name}]\n"
            sections.append(heading + settings_example(kind, f"{above}{name}."))
        else:
            parts += [_example_line(row) for row in _rows(name, info)]
    return "".join(parts + sections)


def _example_line(row: Row) -> str:
    setting = f"{row.path} = {row.default}" if row.default else f'# {row.path} = ""'
    if row.kind.startswith("a table"):
        setting = f"# {row.path} = {{}}"
    return f"# {row.description} ({row.kind})\n{setting}\n"


_EXAMPLE_HEAD: Final = """\
# Every setting of Odečet at its default. Copy this file to odecet.toml and keep the lines that you change.
# Written by `python -m config` from the models in config/sections.py.
"""

_HEAD: Final = """\
# Settings

Written by `python -m config` from the models in `config/sections.py`; a test keeps the two equal.

Odečet reads one TOML file: the one named by `--config`, else by the variable `ODECET_CONFIG`, else `odecet.toml` in the
working folder where there is one. Every setting has a default, so no file is needed. The environment outdoes the file:
`ODECET_` and the path in capitals, with two underscores for each dot (`ODECET_MQTT__TLS__CA` is `mqtt.tls.ca`); lists
are parted by commas; an empty variable counts as not set. Relative paths are relative to the working folder.

A secret may stand in a file of its own, named by the setting that ends in `_file` (Docker and Kubernetes secrets).
Unknown settings, wrong values and values that do not go together are refused with their place and the remedy, all at
once; `odecet check-config` does only that, and shows what holds.

`config/odecet.example.toml` holds every setting with its default."""
