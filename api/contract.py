"""The API's contract as OpenAPI: schemas from the very types that are encoded, an example for every operation."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI

from api.problems import MEDIA_TYPE, Problem

SCHEMAS: Final[dict[str, Any]] = {"Problem": Problem}
"""Every type that stands in the contract, by its name there."""

PROBLEM_EXAMPLE: Final = {
    "type": "urn:odecet:problem:input",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "from: 31.2.2026 is no date; write it as 2026-01-31 or 2026-01-31T12:00:00+01:00",
    "instance": "urn:uuid:4be0643f-1d98-573b-97cd-ca98a65347dd",
    "errors": [
        {
            "place": "from",
            "problem": "31.2.2026 is no date",
            "remedy": "write it as 2026-01-31 or 2026-01-31T12:00:00+01:00",
        }
    ],
}
MARK: Final = "example:"
TAGS: Final = [
    {
        "name": "register",
        "description": "Organisations, buildings, metering points, meters and what happened to dials.",
    },
    {"name": "readings", "description": "Raw readings as they came, with their quality and former values."},
    {"name": "consumption", "description": "What points used in calendar periods, and how well that is known."},
    {"name": "quality", "description": "What is measured, estimated and missing; what the operator is asked."},
    {"name": "weather", "description": "Outdoor temperatures of stations, their days and degree days."},
    {"name": "formats", "description": "Profiles: which messages are read, and what is in them."},
    {"name": "emissions", "description": "Emissions by period, their change by cause, factors with their sources."},
    {"name": "costs", "description": "Bills by dated prices, quarter-hour maxima, reserved capacity and advice."},
    {"name": "benchmarks", "description": "How buildings of a kind compare."},
    {"name": "models", "description": "What points would have used, by weather and calendar."},
    {"name": "measures", "description": "What measures saved: verified, shared, with intervals, or why not known."},
    {"name": "plan", "description": "The action plan: goals, areas of activity, activities, projects, indicators."},
    {"name": "indicators", "description": "Values of the plan's indicators, and why they changed."},
    {"name": "deliveries", "description": "What guarantors deliver for a report, and what becomes of it."},
    {"name": "publications", "description": "What was published, frozen; what changed since; whether it holds."},
    {"name": "documents", "description": "Documents and notes of buildings, with how long they are valid."},
    {"name": "alerts", "description": "What is wrong, what people did about it, and how long that took."},
    {"name": "open-data", "description": "What is published, for anybody: tables for machines and the catalogue."},
    {"name": "work", "description": "Unassigned meters, dead letters, open questions, changes made."},
    {"name": "exchange", "description": "The whole register as a spreadsheet, out and in."},
    {"name": "simulations", "description": "Simulated meters, faults laid on them, and what was found of these."},
    {"name": "people", "description": "Who comes in, keys of programs, and what each may do."},
    {"name": "tables", "description": "Factors, prices, inhabitants, normals, holidays: every version, and new ones."},
    {"name": "process", "description": "Whether it lives, is ready, and how it does."},
]
ERRORS: Final[Mapping[int, str]] = {
    401: "A key or a login is needed.",
    403: "The caller may not do this.",
    429: "The caller asks too often; Retry-After says when to ask again.",
    404: "There is no such thing.",
    409: "It would contradict what is stored.",
    412: "It was changed meanwhile (If-Match).",
    413: "The body is too large.",
    422: "The request cannot be right; `errors` name the places.",
    503: "A store is not available now; Retry-After says when to ask again.",
}


def page_type(kind: type) -> type:
    """Return the type of a page of these."""
    rows: Any = tuple[kind, ...]  # type: ignore[valid-type]  # made while running, from the very type
    made = msgspec.defstruct(f"{kind.__name__}Page", [("items", rows), ("next", str | None), ("total", int, 0)])
    made.__doc__ = f"A page of {kind.__name__}; `next` is the cursor of the next one."
    return made


def _ref(kind: type) -> dict[str, str]:
    SCHEMAS[kind.__name__] = kind
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


EXAMPLES: Final[list[Any]] = []


def _shown(example: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """Return a mark that `publish` puts the example in the place of: FastAPI would drop what is null in it."""
    EXAMPLES.append(example)
    return f"{MARK}{len(EXAMPLES) - 1}"


def _with_examples(node: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if isinstance(node, dict):
        return {key: _with_examples(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_examples(value) for value in node]
    if isinstance(node, str) and node.startswith(MARK):
        return EXAMPLES[int(node.removeprefix(MARK))]
    return node


def _told(errors: Sequence[int]) -> list[int]:
    """Return the statuses of errors; where a key may be needed, one may also not suffice or be used too often."""
    return sorted({*errors, *((401, 403, 429) if errors else ())})


def documented(
    kind: type | None,
    example: Any,  # noqa: ANN401 - whatever JSON can say
    *,
    status: int = 200,
    body: type | None = None,
    body_example: Any = None,  # noqa: ANN401 - same
    errors: Sequence[int] = (422, 503),
    also: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the keyword arguments of a route: its answers by status and, where it takes one, its body.

    `also` are further media types of the answer, each with its example text.
    """
    good: dict[str, Any] = {"description": "As asked."}
    if kind is not None:
        good["content"] = {"application/json": {"schema": _ref(kind), "example": _shown(example)}}
    for media, text in (also or {}).items():
        good.setdefault("content", {})[media] = {"schema": {"type": "string"}, "example": text}
    bad = {"content": {MEDIA_TYPE: {"schema": _ref(Problem), "example": _shown(PROBLEM_EXAMPLE)}}}
    answers = {status: good, **{code: {"description": ERRORS[code], **bad} for code in _told(errors)}}
    made: dict[str, Any] = {"responses": answers, "status_code": status}
    if body is not None:
        content = {"application/json": {"schema": _ref(body), "example": _shown(body_example)}}
        made["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return made


def publish(app: FastAPI) -> None:
    """Let the app's OpenAPI carry the schemas of the contract, secured where tokens are."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = _with_examples(generate())
            _, schemas = msgspec.json.schema_components(SCHEMAS.values(), ref_template="#/components/schemas/{name}")
            components = made.setdefault("components", {})
            components["schemas"] = {**components.get("schemas", {}), **schemas}
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{}, {"token": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
