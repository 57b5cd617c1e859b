from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api.contract import SCHEMAS, TAGS
from tests.unit.api_world import build_world

METHODS = {"get", "put", "post", "delete", "patch"}


def contract() -> dict[str, Any]:
    made: dict[str, Any] = build_world().client().get("/api/v1/openapi.json").json()
    return made


CONTRACT = contract()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every content of JSON that an operation takes or gives."""
    for answer in [*operation["responses"].values(), operation.get("requestBody", {})]:
        for media, content in answer.get("content", {}).items():
            if "json" in media:
                yield content


def test_the_contract_describes_every_resource() -> None:
    paths = set(CONTRACT["paths"])
    wanted = {
        "points",
        "readings",
        "consumption",
        "quality",
        "audit",
        "inbox",
        "letters",
        "findings",
        "register/export",
    }
    assert {f"/api/v1/{name}" for name in wanted} <= paths
    assert {"/health", "/ready", "/metrics"} <= paths
    assert not any(path.startswith(("/buildings", "/static", "/login")) for path in paths)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[n for n, _ in OPERATIONS])
def test_every_example_is_of_the_type_that_the_contract_names(name: str, operation: dict[str, Any]) -> None:
    checked = 0
    for content in contents(operation):
        if "$ref" not in content["schema"]:
            continue
        kind = SCHEMAS[content["schema"]["$ref"].rpartition("/")[2]]
        assert "example" in content, name
        made = msgspec.convert(content["example"], kind)
        strange = set(content["example"]) - set(msgspec.to_builtins(made))
        assert not strange, (name, strange)
        checked += 1
    assert checked or operation["operationId"] in {"health", "metrics"}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[n for n, _ in OPERATIONS])
def test_every_operation_has_an_example_of_success_and_of_each_parameter(name: str, operation: dict[str, Any]) -> None:
    good = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
    shown = [c for c in good.get("content", {}).values() if "example" in c]
    assert shown or "204" in operation["responses"], name
    for parameter in operation.get("parameters", []):
        assert parameter["schema"].get("examples") or "example" in parameter or parameter.get("examples"), (
            name,
            parameter["name"],
        )
        assert parameter.get("description"), (name, parameter["name"])


def test_operations_have_distinct_names_a_summary_and_a_known_tag() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for _, operation in OPERATIONS)
    assert {tag for _, operation in OPERATIONS for tag in operation["tags"]} == {tag["name"] for tag in TAGS}


def test_every_reference_of_the_contract_leads_somewhere() -> None:
    def refs(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            for value in node.values():
                yield from refs(value)
        elif isinstance(node, list):
            for value in node:
                yield from refs(value)

    known = {f"#/components/schemas/{name}" for name in CONTRACT["components"]["schemas"]}
    assert set(refs(CONTRACT)) <= known


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/api/v1/points", "PointPage"),
        ("/api/v1/points/B01-EL", "Point"),
        ("/api/v1/readings?meter=em-1&from=2026-03-10&to=2026-03-11&limit=3", "ReadingPage"),
        ("/api/v1/consumption?compare=previous-year&from=2025&to=2026", "Consumption"),
        ("/api/v1/consumption?sum=true&from=2025&to=2026", "Consumption"),
        ("/api/v1/quality", "Quality"),
        ("/api/v1/audit", "AuditEntryPage"),
        ("/api/v1/inbox", "UnassignedPage"),
        ("/api/v1/letters", "LetterPage"),
        ("/api/v1/findings", "QuestionPage"),
        ("/api/v1/register/imports", "Imports"),
        ("/ready", "Ready"),
        ("/nowhere", "Problem"),
    ],
)
def test_answers_are_of_the_type_that_the_contract_names(path: str, schema: str) -> None:
    msgspec.json.decode(build_world().client().get(path).content, type=SCHEMAS[schema])
