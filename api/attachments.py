"""Files that people handed in, given back to be saved: never shown in place, never taken for another kind."""

from urllib.parse import quote

from starlette.responses import Response


def attachment(content: bytes, *, name: str, media_type: str, digest: str) -> Response:
    """Return a file as it was handed in, under its name; a browser saves it and runs nothing of it."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{digest}"',
    }
    return Response(content, media_type=media_type, headers=headers)
