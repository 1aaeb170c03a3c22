"""The application: operations put behind routes, and one way out for every error."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Any, Final, cast

import structlog
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from quart.wrappers import Response
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from greenroom.actors.core import Core
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.http import faults
from greenroom.http.access import AccessRecorder
from greenroom.http.credentials import cookie_name
from greenroom.http.cross_origin import CrossOrigin
from greenroom.http.docs_page import docs_page
from greenroom.http.metrics import (
    KernelCollector,
    LoopCollector,
    OwnCountsCollector,
    RefusalMetrics,
    RequestMetrics,
)
from greenroom.http.openapi import explanations, openapi_document
from greenroom.http.operations import ActorPath, Call, Operation, Site
from greenroom.http.pages_site import FOLDER, PageFile, load_pages, serve_page
from greenroom.http.problems import (
    INTERNAL,
    MEDIA_TYPE,
    bare_problem,
    kind_of,
    problem_of,
    render,
)
from greenroom.http.request_cycle import ReceivedRequest, RequestCycle, current_request
from greenroom.http.routes import accounts, conversations, health, instructors, messages, operators, site, streams
from greenroom.http.security_headers import BY_DEFAULT, fixed_headers
from greenroom.http.serving import Refusal
from greenroom.http.sockets import SocketEndpoint
from greenroom.schema.ids import Ids
from greenroom.schema.settings import Settings

OPERATIONS: Final[tuple[Operation, ...]] = (
    *accounts.operations.all,
    *conversations.operations.all,
    *messages.operations.all,
    *streams.operations.all,
    *instructors.operations.all,
    *operators.operations.all,
    *health.operations.all,
    *site.operations.all,
)
"""Everything the API serves; the pages come on top."""

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

_log = structlog.get_logger(__name__)

View = Callable[[ReceivedRequest], Awaitable[Response]]


class Application(QuartTrio):
    """Quart with our request cycle. It must run under a server that cancels requests whose client left."""

    asgi_http_class = RequestCycle
    request_class = ReceivedRequest
    recorder: AccessRecorder
    sockets: SocketEndpoint

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "websocket":
            await self.sockets(scope, cast(Any, receive), cast(Any, send))
        else:
            await super().__call__(scope, receive, send)


def create_app(
    core: Core,
    settings: Settings,
    *,
    ids: Ids,
    collectors: Sequence[Collector] = (),
    watchdog: StallWatchdog | None = None,
) -> Application:
    """Put the application together.

    Args:
        ids: names requests.
        collectors: further sources of metrics, such as the serving loop's and the connection pool's.
        watchdog: what watches for stalls of the event loop, to show what it saw.
    """
    registry = CollectorRegistry()
    own = (
        KernelCollector(core.system.statistics),
        LoopCollector(core.loop.report),
        OwnCountsCollector(core.system.inspect),
    )
    for collector in (*own, *collectors):
        registry.register(collector)
    refusals = RefusalMetrics(registry)
    app = Application(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # a redirect would be one more spelling of every path
    app.recorder = AccessRecorder(
        ids, RequestMetrics(registry), level=settings.access_log_level or settings.log_level
    )
    app.sockets = SocketEndpoint(core, settings, app.recorder)
    openapi, docs = _description(cookie_name(settings))
    about = Site(openapi=openapi, docs=docs, registry=registry, watchdog=watchdog)
    for operation in OPERATIONS:
        _add_operation(app, operation, partial(Call, core=core, settings=settings, site=about))
    for path, page in load_pages(FOLDER).items():
        _add_page(app, path, page)
    _handle_errors(app, CrossOrigin(settings.allowed_origins), refusals)
    _complete_responses(app, settings)
    return app


def connection_refusal(settings: Settings, ids: Ids) -> Refusal:
    """Make the answers to bytes that never became a request, in the same form as all others."""
    standard_headers = [
        (name.lower().encode(), value.encode())
        for name, value in (fixed_headers(is_secure=settings.is_cookie_secure) | dict(BY_DEFAULT)).items()
    ]

    def refusal(status: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        request_id = ids.ulid()
        body = render(bare_problem(status, request_id))
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
        ]
        return headers + standard_headers, body

    return refusal


@cache
def _description(cookie: str) -> tuple[bytes, bytes]:
    """Describe the API, as a document and as a page; it takes a moment and never changes."""
    document = openapi_document(OPERATIONS, cookie=cookie)
    return json.dumps(document).encode(), docs_page(document, explanations(OPERATIONS))


def _add_operation(app: Application, operation: Operation, make_call: Callable[[ReceivedRequest], Call]) -> None:
    async def view(request: ReceivedRequest) -> Response:
        return await operation(make_call(request))

    rule = _PLACEHOLDER.sub(
        lambda name: f"<{'path:' if operation.path_parameters[name[1]] is ActorPath else ''}{name[1]}>",
        operation.path,
    )
    # HEAD would open a stream that nobody reads and nothing ends.
    _add_rule(app, operation.method, rule, operation.path, view, with_head=not operation.opens_stream)


def _add_page(app: Application, path: str, page: PageFile) -> None:
    async def view(request: ReceivedRequest) -> Response:
        return serve_page(request, page)

    _add_rule(app, "GET", path, path, view, with_head=True)


def _add_rule(app: Application, method: str, rule: str, route: str, view: View, *, with_head: bool) -> None:
    async def dispatch(**_: str) -> Response:
        request = current_request()
        request.record.route = route
        return await view(request)

    endpoint = f"{method} {route}"
    app.add_url_rule(rule, endpoint, dispatch, methods=[method], provide_automatic_options=False)
    for added in app.url_map.iter_rules(endpoint):
        if added.methods is not None and not with_head:
            added.methods.discard("HEAD")


def _handle_errors(app: Application, cross_origin: CrossOrigin, refusals: RefusalMetrics) -> None:
    async def answer(error: Exception) -> Response:
        request = current_request()
        if isinstance(error, MethodNotAllowed) and cross_origin.is_preflight(request):
            response = Response(b"", status=204)
            cross_origin.allow(response.headers, methods=error.valid_methods or ())
            return response
        return _refuse(error, request.record.request_id, refusals)

    async def annotate(response: Response) -> Response:
        cross_origin.annotate(current_request(), response.headers)
        return response

    app.register_error_handler(Exception, answer)
    app.after_request(annotate)


def _refuse(error: Exception, request_id: str, refusals: RefusalMetrics) -> Response:
    """Answer an error as a problem; what nobody expected is logged with its traceback and told to nobody."""
    match error:
        case NotFound():
            error = faults.RouteNotFound("Nothing is served at this path.")
        case MethodNotAllowed():
            error = faults.MethodNotAllowed(tuple(sorted(error.valid_methods or ())))
        case HTTPException():
            problem = bare_problem(error.code or 500, request_id)
            refusals.count(problem.code)
            return Response(render(problem), status=problem.status, content_type=MEDIA_TYPE)
    if kind_of(type(error)) is INTERNAL:
        _log.error("request_crashed", request_id=request_id, exc_info=error)
    problem, headers = problem_of(error, request_id)
    refusals.count(problem.code)
    return Response(render(problem), status=problem.status, headers=headers, content_type=MEDIA_TYPE)


def _complete_responses(app: Application, settings: Settings) -> None:
    always = fixed_headers(is_secure=settings.is_cookie_secure)

    async def complete(response: Response) -> Response:
        headers = response.headers
        headers.add("X-Request-Id", current_request().record.request_id)
        for name, value in always.items():
            headers.add(name, value)
        for name, value in BY_DEFAULT.items():
            if name not in headers:
                headers.add(name, value)
        return response

    app.after_request(complete)
