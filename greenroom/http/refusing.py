"""The one way out for every error: a problem, counted, and logged if nobody expected it."""

from __future__ import annotations

import structlog

from greenroom.http.metrics import RefusalMetrics
from greenroom.http.problems import INTERNAL, MEDIA_TYPE, Problem, bare_problem, kind_of, problem_of, render
from greenroom.http.response import Response

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
        return self._answer(problem, headers)

    def refuse_bare(self, status: int, request_id: str) -> Response:
        """Answer with a status for which there is no error."""
        return self._answer(bare_problem(status, request_id), {})

    def _answer(self, problem: Problem, headers: dict[str, str]) -> Response:
        self._metrics.count(problem.code)
        rendered = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return Response(problem.status, render(problem), [(b"content-type", MEDIA_TYPE.encode()), *rendered])
