"""Lists a page at a time: `limit`, a cursor `after`, the next page in the Link header (RFC 8288), the total."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Request

LIMIT: Final = 100
MOST: Final = 1000
LARGEST_NUMBER: Final = 2**63 - 1
"""The largest number that a row of a store may have."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.", examples=[LIMIT])]
After = Annotated[
    str, Query(description="The last id of the page before; the Link header holds the next.", examples=["B01"])
]


def next_link(request: Request, **changed: str | int) -> dict[str, str]:
    """Return the Link header that leads to the next page: this very request with another cursor."""
    url = request.url.include_query_params(**changed)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}


def page_of(
    request: Request, rows: Sequence[Any], *, total: int | None, limit: int, cursor: str | int | None
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Return the body of a page and its headers; a cursor of None ends the list."""
    headers = next_link(request, after=cursor, limit=limit) if cursor is not None else {}
    if total is not None:
        headers["X-Total-Count"] = str(total)
    body: dict[str, Any] = {"items": rows, "next": None if cursor is None else str(cursor)}
    if total is not None:
        body["total"] = total
    return body, headers
