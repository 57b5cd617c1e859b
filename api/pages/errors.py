from fastapi import Request
from starlette.responses import Response

from api.problems import Problem, answer


def error_page(request: Request, found: Problem) -> Response:
    return answer(found, {})
