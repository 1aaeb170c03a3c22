"""The application: operations in a table of routes, and Quart around and behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Final, cast

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from quart_trio import QuartTrio

from greenroom.actors.core import Core
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.http.access import AccessRecorder
from greenroom.http.call import Call, Site
from greenroom.http.credentials import cookie_name
from greenroom.http.cross_origin import CrossOrigin
from greenroom.http.docs_page import docs_page
from greenroom.http.front_door import FrontDoor
from greenroom.http.hosts import AllowedHosts
from greenroom.http.metrics import (
    GaugeCollector,
    KernelCollector,
    LimitCollector,
    LoopCollector,
    OutboxCollector,
    OwnCountsCollector,
    RefusalMetrics,
    RequestMetrics,
    SearchCollector,
    SearchLogCollector,
)
from greenroom.http.openapi import explanations, openapi_document
from greenroom.http.operations import Operation
from greenroom.http.pages_site import FOLDER, load_pages
from greenroom.http.problems import MEDIA_TYPE, bare_problem, render
from greenroom.http.quart_pages import QuartPages
from greenroom.http.refusing import Refusing
from greenroom.http.request_cycle import RequestCycle
from greenroom.http.routes import (
    accounts,
    bookings,
    conversations,
    health,
    instructors,
    location_aliases,
    messages,
    operators,
    outbox,
    search,
    search_history,
    search_operations,
    site,
    streams,
)
from greenroom.http.routing import Routes
from greenroom.http.security_headers import StandardHeaders, page_policy
from greenroom.http.serving import Refusal
from greenroom.http.serving.response_head import DateHeader
from greenroom.http.sockets import SocketEndpoint
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import Ids
from greenroom.schema.settings import Settings

OPERATIONS: Final[tuple[Operation, ...]] = (
    *accounts.operations.all,
    *conversations.operations.all,
    *messages.operations.all,
    *bookings.operations.all,
    *streams.operations.all,
    *instructors.operations.all,
    *operators.operations.all,
    *outbox.operations.all,
    *search.operations.all,
    *search_operations.operations.all,
    *search_history.operations.all,
    *location_aliases.operations.all,
    *health.operations.all,
    *site.operations.all,
)
"""Everything the API serves; the pages come on top."""


class Application(QuartTrio):
    """Quart, whose requests go through our own cycle. It needs a server that cancels requests whose client left."""

    routes: Routes
    cycle: RequestCycle
    front_door: FrontDoor
    sockets: SocketEndpoint

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "http":
            await self.cycle(scope, receive, send)
        elif scope["type"] == "websocket":
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
        OutboxCollector(lambda: core.outbox.figures),
        LimitCollector(core.limiting, core.sign_in),
        SearchCollector(core.search_room),
        SearchLogCollector(core.search_room.log_counts),
        GaugeCollector(
            "greenroom_essential_hindered",
            "Essential actors that can't work now; with any, the worker is not ready.",
            lambda: len(core.system.hindered()),
        ),
    )
    for collector in (*own, *collectors):
        registry.register(collector)
    openapi, docs = _description(cookie_name(settings))
    about = Site(openapi=openapi, docs=docs, registry=registry, watchdog=watchdog)
    cross_origin = CrossOrigin(settings.allowed_origins)
    refusing = Refusing(RefusalMetrics(registry))
    recorder = AccessRecorder(ids, RequestMetrics(registry), level=settings.access_log_level or settings.log_level)
    app = Application(__name__, static_folder=None)
    pages = QuartPages(
        app,
        load_pages(FOLDER),
        policy=page_policy(settings.captcha_origin),
        cross_origin=cross_origin,
        refusing=refusing,
    )
    app.sockets = SocketEndpoint(core, settings, recorder)
    app.routes = Routes(OPERATIONS)
    headers, hosts = StandardHeaders(is_secure=settings.is_cookie_secure), AllowedHosts(settings.allowed_hosts)
    app.front_door = FrontDoor(
        OPERATIONS,
        core,
        recorder=recorder,
        refusing=refusing,
        headers=headers,
        hosts=hosts,
        cross_origin=cross_origin,
        date=DateHeader(system_wall_clock),
    )
    app.cycle = RequestCycle(
        app.routes,
        partial(Call, core=core, settings=settings, site=about),
        recorder=recorder,
        headers=headers,
        hosts=hosts,
        cross_origin=cross_origin,
        refusing=refusing,
        otherwise=pages.answer,
    )
    return app


def connection_refusal(settings: Settings, ids: Ids) -> Refusal:
    """Make the answers to bytes that never became a request, in the same form as all others."""
    standard_headers = StandardHeaders(is_secure=settings.is_cookie_secure).all

    def refusal(status: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        request_id = ids.ulid()
        body = render(bare_problem(status, request_id))
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
            *standard_headers,
        ]
        return headers, body

    return refusal


@cache
def _description(cookie: str) -> tuple[bytes, bytes]:
    """Describe the API, as a document and as a page; it takes a moment and never changes."""
    document = openapi_document(OPERATIONS, cookie=cookie)
    return json.dumps(document).encode(), docs_page(document, explanations(OPERATIONS))
