"""The documents tell the truth: links, commands, targets, settings, tests and examples that they name exist."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.cli import main
from config.describe import describe
from config.settings import Settings
from ingest.metrics import IngestMetrics

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def code(page: Path) -> str:
    """Return what a page sets as code, in blocks and within lines."""
    blocks = [body for _, body in FENCE.findall(text_of(page))]
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", prose(page))])


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        if not linked.exists() or (anchor and linked.suffix == ".md" and anchor not in anchors(linked)):
            yield target


@pages
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


@pages
def test_make_targets_named_are_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|[`\s(])make ([a-z][\w-]*)", code(page), re.MULTILINE))
    assert named <= targets


@pages
def test_commands_named_are_on_the_command_line(page: Path) -> None:
    named = set(re.findall(r"(?:^|[\s/])odecet ([a-z][a-z-]+)", code(page), re.MULTILINE))
    assert named <= set(main.commands)


def test_every_command_is_in_the_readme() -> None:
    named = set(re.findall(r"^\| `odecet ([a-z-]+)` \|", README, re.MULTILINE)) - {"--version"}
    assert named == set(main.commands)


def test_every_room_is_in_the_readme() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE)) == rooms


@pages
def test_settings_named_exist(page: Path) -> None:
    paths = {row.path for row in describe(Settings)}
    sections = "|".join(Settings.model_fields)
    named = set(re.findall(rf"`((?:{sections})\.[a-z_.]+)`", prose(page)))
    assert {name for name in named if name not in paths and not name.endswith((".py", ".duckdb", ".sqlite"))} == set()


@pages
def test_variables_named_exist(page: Path) -> None:
    known = {row.environment for row in describe(Settings)} | {"ODECET_CONFIG"}
    named = set(re.findall(r"\bODECET_[A-Z0-9_]*[A-Z0-9]\b", text_of(page)))
    assert {name for name in named - known if not name.startswith(("ODECET_TEST_", "ODECET_API__TOKENS__"))} == set()


@pages
def test_metrics_named_exist(page: Path) -> None:
    registry = CollectorRegistry()
    IngestMetrics(registry)
    known = {family.name for family in registry.collect()}
    texts = [path.read_text("utf-8") for room in ("api", "app") for path in (ROOT / room).rglob("*.py")]
    known |= {name.removesuffix("_total") for text in texts for name in re.findall(r'"(odecet_\w+)"', text)}
    named = set(re.findall(r"`(odecet_(?:ingest|rollup|http)_\w+)`", text_of(page)))
    assert {name for name in named if name.removesuffix("_total") not in known} == set()


@pages
def test_files_of_the_project_named_exist(page: Path) -> None:
    named = set(
        re.findall(r"`((?:tests|config|docs|app|core|ingest|storage|services|api)/[\w./-]+\.\w+)`", prose(page))
    )
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pages
def test_examples_of_toml_and_json_can_be_read(page: Path) -> None:
    readers = {"toml": tomllib.loads, "json": json.loads}
    for language, body in FENCE.findall(text_of(page)):
        if language in readers:
            readers[language](body)
        elif language == "jsonl":
            for line in body.splitlines():
                json.loads(line)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decision_is_one_page_and_names_a_test_that_enforces_it(page: Path) -> None:
    text = text_of(page)
    assert re.match(rf"# {int(page.stem[:4])}\. \S", text)
    assert len(text.splitlines()) <= 60
    enforced = text.partition("## Enforced by")[2]
    assert re.search(r"`tests/[\w/]+\.py`", enforced)


def test_decisions_are_numbered_once() -> None:
    numbers = [page.stem[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_glossary_has_the_czech_of_every_english_word() -> None:
    rows = re.findall(r"^\| (.+?) \| (.*?) \| (.*?) \|$", text_of(ROOT / "docs/glossary.md"), re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if not all(cell.strip() for cell in row)] == []
