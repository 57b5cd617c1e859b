"""What was changed, by whom and when; and what each role may do."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.access import allowed
from api.pages.view import Seen
from api.paging import LARGEST_NUMBER
from api.people_texts import ENTITIES, entity_name, right_name, role_name, why_text
from core.notes import AuditEntry
from core.people import RIGHTS, Right, Role

router = APIRouter(include_in_schema=False, dependencies=[allowed(Right.ADMINISTER, everywhere=True)])

PAGE: Final = 50
LONGEST: Final = 200
"""Characters of a value that are shown."""


def differences(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Return field, former and new value of what an entry changed."""
    before, after = entry.before or {}, entry.after or {}
    names = list(dict.fromkeys((*before, *after)))
    return [(n, _text(before.get(n)), _text(after.get(n))) for n in names if before.get(n) != after.get(n)]


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    text = "" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


@router.get("/audit")
def audit(
    v: Seen,
    entity: Annotated[str, Query()] = "",
    key: Annotated[str, Query()] = "",
    by: Annotated[str, Query()] = "",
    before: Annotated[int, Query(ge=0, le=LARGEST_NUMBER)] = 0,
) -> Response:
    """Show changes, the newest first."""
    found = v.room.deps.records.audit(
        entity=entity or None, key=key.strip() or None, by=by.strip() or None, before=before or None, limit=PAGE + 1
    )
    shown = found[:PAGE]
    return v.page(
        "audit.html",
        entries=[(entry, differences(entry)) for entry in shown],
        following=shown[-1].id if len(found) > PAGE else 0,
        asked={"entity": entity, "key": key, "by": by},
        entities={code: v.words.text(name) for code, name in ENTITIES.items()},
        called=partial(entity_name, words=v.words),
        why_of=partial(why_text, words=v.words),
    )


@router.get("/settings")
def settings(v: Seen) -> Response:
    """Show what each role may do, and where to go on."""
    return v.page(
        "settings.html",
        roles=[role for role in Role if role is not Role.PUBLIC],
        rights=list(Right),
        granted=RIGHTS,
        role_of=partial(role_name, words=v.words),
        right_of=partial(right_name, words=v.words),
    )
