"""The one way out for every error: a problem, counted, and logged if nobody expected it."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from greenroom.http.metrics import RefusalMetrics
from greenroom.http.problems import INTERNAL, MEDIA_TYPE, Problem, bare_problem, kind_of, problem_of, render
from greenroom.http.response import Header, Response

_log = structlog.get_logger(__name__)


class Refusing:
    def __init__(self, metrics: RefusalMetrics) -> None:
        self._metrics = metrics

    def refuse(self, error: BaseException, request_id: str) -> Response:
        """Answer an error as a problem; what nobody expected is logged with its traceback and told to nobody."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if kind_of(type(error)) is INTERNAL:
            _log.error("request_crashed", request_id=request_id, exc_info=error)
        problem, headers = problem_of(error, request_id)
        self.count(problem.code)
        return _answer(problem, headers)

    def refuse_bare(self, status: int, request_id: str) -> Response:
        """Answer with a status for which there is no error."""
        problem = bare_problem(status, request_id)
        self.count(problem.code)
        return _answer(problem, {})

    def count(self, code: str) -> None:
        """Count a refusal that is answered elsewhere."""
        self._metrics.count(code)


def rendered(problem: Problem, headers: Mapping[str, str]) -> tuple[list[Header], bytes]:
    """A problem's headers and body."""
    more = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return [(b"content-type", MEDIA_TYPE.encode()), *more], render(problem)


def _answer(problem: Problem, headers: Mapping[str, str]) -> Response:
    lines, body = rendered(problem, headers)
    return Response(problem.status, body, lines)
