"""The rules of the house that no linter knows: rooms, sizes, names, clocks, reasons, lock files."""

import ast
import re
import statistics
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
NO_ROOMS = {"tests", "benchmarks"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
LONGEST_FUNCTION, USUAL_FUNCTION, MEDIAN_FUNCTION, LONGEST_MODULE = 60, 30, 8, 500


class Function(NamedTuple):
    place: str
    lines: int


def kept(*patterns: str) -> list[Path]:
    """Return the files that git keeps, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return sorted(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions() -> Iterator[Function]:
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield Function(f"{name_of(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)


def called(path: Path, names: set[str]) -> list[str]:
    """Return the places where one of these dotted names is used."""
    return [
        f"{name_of(path)}:{node.lineno} {ast.unparse(node)}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in names
    ]


def test_rooms_of_the_wheel_the_import_rules_and_the_folders_are_the_same() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NO_ROOMS
    assert set(ROOMS) == folders
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == folders
    assert set(PROJECT["tool"]["mypy"]["packages"]) == folders
    assert set(PROJECT["tool"]["coverage"]["run"]["source"]) == folders


def test_layers_of_the_import_rules_name_every_room_once() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert sorted(room for layer in layers for room in layer.split(" | ")) == sorted(ROOMS)


def test_package_files_hold_a_docstring_only() -> None:
    for path in [p for p in modules() if p.name == "__init__.py"]:
        body = tree(path).body
        assert len(body) == 1, name_of(path)
        assert isinstance(body[0], ast.Expr), name_of(path)
        assert isinstance(body[0].value, ast.Constant), name_of(path)


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert [f for f in functions() if f.lines > LONGEST_FUNCTION] == []


def test_nine_functions_of_ten_are_short_and_half_are_tiny() -> None:
    lengths = [f.lines for f in functions()]
    assert sum(n <= USUAL_FUNCTION for n in lengths) >= 0.9 * len(lengths)
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_no_module_is_longer_than_five_hundred_lines() -> None:
    sizes = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: size for name, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_no_module_has_a_vague_name() -> None:
    assert [name_of(p) for p in kept("*.py") if {p.stem, p.parent.name} & VAGUE] == []


def test_only_the_clock_of_the_app_tells_the_time() -> None:
    names = {
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "dt.datetime.now", "dt.date.today"),
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
        *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
    }
    users = [place for path in modules() if path != ROOT / "app/clock.py" for place in called(path, names)]
    assert users == []
    assert [p for p in map(name_of, modules()) if "np.datetime64('now'" in ast.unparse(tree(ROOT / p))] == []


def test_only_settings_read_the_environment() -> None:
    names = {"os.environ", "os.getenv", "os.environb"}
    users = [p for path in modules() if path != ROOT / "config/settings.py" for p in called(path, names)]
    assert users == []


def imports(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_clock_and_environment_are_not_taken_under_other_names() -> None:
    hidden = {("time", "time"), ("time", "time_ns"), ("os", "environ"), ("os", "getenv")}
    assert [(name_of(path), found) for path in modules() for found in imports(path) if found in hidden] == []


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("paho", ("ingest/mqtt", "alerts/channels/mqtt", "simulators/publish")),
        ("duckdb", ("storage/",)),
        ("influxdb_client", ("storage/",)),
        ("sqlalchemy", ("storage/",)),
        ("alembic", ("storage/",)),
        ("fastapi", ("api/", "app/")),
        ("starlette", ("api/", "app/")),
        ("uvicorn", ("app/",)),
        ("click", ("app/",)),
        ("iotcore", ("app/",)),
    ],
)
def test_libraries_stay_in_their_rooms(library: str, homes: tuple[str, ...]) -> None:
    users = {name_of(path) for path in modules() for module, _ in imports(path) if module.split(".")[0] == library}
    assert [user for user in sorted(users) if not user.startswith(homes)] == []


def test_every_ruff_exception_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    lines = re.findall(r'^ +"[A-Z]+\d*",.*$', text, re.MULTILINE)
    assert len(lines) > len(PROJECT["tool"]["ruff"]["lint"]["ignore"])
    assert [line for line in lines if not re.search(r"#\s+\w+", line)] == []


def test_every_exception_in_code_names_its_rule_and_reason() -> None:
    bare = []
    for path in kept("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            exception = re.search(r"#\s*(noqa|type:\s*ignore)(?P<rest>.*)", line)
            if exception is None or path == Path(__file__):
                continue
            rule = re.match(r"(:\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*|\[[a-z-]+(,\s*[a-z-]+)*\])", exception["rest"])
            if rule is None or (exception[1] == "noqa" and not re.search(r"\w{2}", exception["rest"][rule.end() :])):
                bare.append(f"{name_of(path)}:{number}: {line.strip()}")
    assert bare == []


def test_no_kept_file_names_a_path_of_a_machine() -> None:
    pattern = re.compile(r"(?<![\w.$\])}<>:/*~-])/(work|farm|root|home|Users)/\w")
    found = []
    for path in kept():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{name_of(path)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if path != Path(__file__) and pattern.search(line)
        ]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_file_holds_a_hash_of_each_package_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    packages = re.split(r"\n(?=[a-z0-9])", text.strip(), flags=re.IGNORECASE)
    assert len(packages) > 10
    for package in packages:
        assert re.match(r"[\w.\[\]-]+==[\w.!+]+", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]


def test_lock_files_agree_and_cover_what_the_project_names() -> None:
    def pins(name: str) -> dict[str, str]:
        found = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
        return {package.lower().replace("_", "-"): version for package, version in found}

    run, develop = pins("requirements.lock"), pins("requirements-dev.lock")
    assert run.items() <= develop.items()
    named = [re.split(r"[<>=\[; ]", text)[0].lower() for text in PROJECT["project"]["dependencies"]]
    assert [name for name in named if name not in run] == []


def test_commit_hooks_run_what_make_lint_runs() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == commands


def test_ci_runs_lint_and_tests_on_the_oldest_and_a_newer_python() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"][0] == PROJECT["project"]["requires-python"].lstrip(">=")
    assert [step["run"] for step in jobs["test"]["steps"][-2:]] == ["make lint", "make test"]
    steps = re.findall(r"^step (make \w+)", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    assert sorted(steps) == ["make lint", "make test", "make wheel"]


def test_names_of_test_files_are_unique() -> None:
    names = [path.name for path in kept("tests/**/test_*.py", "tests/test_*.py")]
    assert sorted(names) == sorted(set(names))
