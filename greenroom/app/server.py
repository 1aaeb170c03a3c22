"""One worker, put together: storage, the core's actors, HTTP before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import SystemRandom

import structlog
import trio
from hypercorn.typing import ASGIFramework

from greenroom.actors.core import Core, open_core
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.room import SearchPlan
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.app.collectors import worker_collectors
from greenroom.app.core_settings import core_settings, learning_rules
from greenroom.app.parts import a_captcha, bus_kind, make_mailer, make_passwords
from greenroom.app.settling import settled, stall_watchdog
from greenroom.http import sockets
from greenroom.http.app import Application, connection_refusal, create_app
from greenroom.http.metrics import ServingCollector
from greenroom.http.serving import Limits, Listener, Server, TrustedProxies
from greenroom.models.opening import open_models
from greenroom.schema.ids import Ids, RandomIds
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_opening import BusKind, open_bus
from greenroom.storage.bus_shared import SharedBus
from greenroom.storage.flights import open_flights
from greenroom.storage.limits.opening import open_limits
from greenroom.storage.postgres import Pool, postgres_storage
from greenroom.storage.postgres.database_clock import open_database_clock
from greenroom.storage.retrieval.rules import RetrievalRules

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenServer:
    """One worker, put together and not serving yet."""

    core: Core
    server: Server


@asynccontextmanager
async def open_server(
    settings: Settings,
    *,
    pool: Pool,
    listeners: list[Listener],
    limits: Limits,
    workers: int = 1,
    before: Callable[[Application], ASGIFramework] = lambda app: app,
) -> AsyncIterator[OpenServer]:
    """Put one worker together over a migrated database; leaving stops its actors and then its bus.

    Args:
        workers: how many there are on this machine.
        before: puts something before the application.

    Raises:
        BadSettings: the bus's settings can't be used together.
        Unavailable: the database can't be reached.
    """
    async with AsyncExitStack() as stack:
        # Not this machine's: were that stepped, sessions would end and streams lose their past before their time.
        wall = await stack.enter_async_context(open_database_clock(pool))
        ids = RandomIds(SystemRandom(), wall)
        kind, redis = bus_kind(settings, workers=workers)
        # Never the name of a worker before: what that one said must not pass for what this one says.
        worker = ids.ulid()
        bus = await stack.enter_async_context(
            open_bus(kind, pool=pool, redis=redis, worker=worker, rng=SystemRandom())
        )
        rates = await stack.enter_async_context(open_limits(kind, pool=pool, redis=redis, workers=workers))
        board = SearchBoard(settings.search.config())
        flights = None
        if settings.search.provider == "openai":
            # Any other embeds in less time than it would take to ask.
            flights = await stack.enter_async_context(open_flights(kind, pool=pool, redis=redis, token=ids.ulid))
        models = await stack.enter_async_context(
            open_models(settings.search, config=lambda: board.config, rng=SystemRandom(), flights=flights)
        )
        storage = postgres_storage(
            pool, bus=bus, limits=rates, retrieval_rules=RetrievalRules.from_settings(settings.search)
        )
        captcha = await stack.enter_async_context(a_captcha(settings, ids))
        core = await stack.enter_async_context(
            open_core(
                storage,
                passwords=make_passwords(settings),
                ids=ids,
                wall=wall,
                seed=SystemRandom().getrandbits(64),
                settings=core_settings(settings, worker=None if kind is BusKind.LOCAL else worker),
                mailer=make_mailer(settings),
                search=SearchPlan(
                    settings=settings.search, board=board, models=models, learning=learning_rules(settings)
                ),
                captcha=captcha,
            )
        )
        watchdog = stall_watchdog(core, settings)
        server = build_server(
            core,
            settings,
            ids=ids,
            pool=pool,
            bus=bus,
            listeners=listeners,
            limits=limits,
            watchdog=watchdog,
            before=before,
        )
        await stack.enter_async_context(settled(watchdog))
        yield OpenServer(core, server)


def build_server(
    core: Core,
    settings: Settings,
    *,
    ids: Ids,
    pool: Pool,
    bus: LocalBus | SharedBus,
    listeners: list[Listener],
    limits: Limits,
    watchdog: StallWatchdog | None = None,
    before: Callable[[Application], ASGIFramework] = lambda app: app,
) -> Server:
    """Put HTTP before a core, and something else before that if there is anything."""
    server: Server
    collectors = [ServingCollector(lambda: server.statistics()), *worker_collectors(core, pool=pool, bus=bus)]
    app = create_app(core, settings, ids=ids, collectors=collectors, watchdog=watchdog)
    server = Server(
        before(app),
        listeners,
        limits=limits,
        door=app.front_door,
        refusal=connection_refusal(settings, ids),
        websocket_paths=[sockets.PATH],
        proxies=TrustedProxies.parse(settings.trusted_proxies),
    )
    return server


async def serve_until(opened: OpenServer, told_to_stop: Callable[[], Awaitable[bool]]) -> None:
    """Serve, and drain once ``told_to_stop``, which is called when requests are accepted, returns.

    Args:
        told_to_stop: says whether somebody else goes on accepting connections from the same sockets.
    """
    async with trio.open_nursery() as nursery:
        await nursery.start(opened.server.run)
        has_successor = await told_to_stop()
        _log.info("draining", streams=opened.core.open_streams)
        nursery.start_soon(opened.core.draining.begin_gently)
        await opened.server.drain(has_successor=has_successor)
        nursery.cancel_scope.cancel()
